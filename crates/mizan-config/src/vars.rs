//! The environment as a map. A blank variable counts as not set, and only documented names can be read.

use std::collections::BTreeMap;

use crate::problem::Report;
use crate::reference::{Setting, Shape};

#[derive(Debug)]
pub(crate) struct Vars(BTreeMap<String, String>);

impl Vars {
    pub(crate) fn new(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut vars: BTreeMap<_, _> = vars.into_iter().collect();
        vars.retain(|_, value| !value.trim().is_empty());
        Self(vars)
    }

    /// The value without the blanks around it.
    pub(crate) fn text(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name).map(|it| it.trim())
    }

    /// The value as it is, for what may begin or end with a blank on purpose: passwords.
    pub(crate) fn exact(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name).map(String::as_str)
    }

    pub(crate) fn is_set(&self, setting: &Setting) -> bool {
        self.0.contains_key(setting.name)
    }

    /// Names and trimmed values, in the order of the names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.trim()))
    }

    /// A number inside the bounds of its setting; `None` when it is not set, or wrong and reported.
    pub(crate) fn number(&self, setting: &Setting, report: &mut Report) -> Option<u64> {
        let Shape::Number { min, max } = setting.shape else {
            unreachable!("{} is declared as a number", setting.name)
        };
        let number = self
            .text(setting)?
            .parse()
            .ok()
            .filter(|it| (min..=max).contains(it));
        if number.is_none() {
            report.problem(
                setting.name,
                format!("must be a whole number from {min} to {max}"),
            );
        }
        number
    }

    /// One of the words of its setting, exactly; `None` when it is not set, or wrong and reported.
    pub(crate) fn word(&self, setting: &Setting, report: &mut Report) -> Option<&'static str> {
        let Shape::Word(words) = setting.shape else {
            unreachable!("{} is declared as a word", setting.name)
        };
        let text = self.text(setting)?;
        let word = words.iter().copied().find(|it| *it == text);
        if word.is_none() {
            report.problem(setting.name, format!("must be one of {}", words.join(", ")));
        }
        word
    }

    /// `1`, `true`, `yes`, `on` and their opposites in any case; `None` when it is not set, or wrong and reported.
    pub(crate) fn flag(&self, setting: &Setting, report: &mut Report) -> Option<bool> {
        let flag = parse_flag(self.text(setting)?);
        if flag.is_none() {
            report.problem(setting.name, "must be true or false");
        }
        flag
    }
}

pub(crate) fn parse_flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

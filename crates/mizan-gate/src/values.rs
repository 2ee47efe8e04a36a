//! Variables: where their values come from, and their places in texts.
//!
//! `${name}` is replaced everywhere but in the scripts of `run` and `service`, whose shell has the same names as
//! shell variables: no value can become a command. `$$` stands for one dollar sign.

mod generate;
mod resolve;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use mizan_mask::Secret;

pub use generate::Made;
pub use resolve::resolve;

/// A part of a text with variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    Plain(&'t str),
    Variable(&'t str),
}

/// Takes a text apart. An error says what is wrong with it.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        all.push(Piece::Plain(&rest[..at]));
        let after = &rest[at + 1..];
        rest = if let Some(after) = after.strip_prefix('$') {
            all.push(Piece::Plain("$"));
            after
        } else if let Some(inside) = after.strip_prefix('{') {
            let Some((name, after)) = inside.split_once('}') else {
                return Err(format!("{} has no closing brace", shorten(&rest[at..])));
            };
            if !is_name(name) {
                return Err(format!(
                    "${{{name}}} is no variable: a name has letters, digits and _; write $$ for a dollar sign"
                ));
            }
            all.push(Piece::Variable(name));
            after
        } else {
            all.push(Piece::Plain("$"));
            after
        };
    }
    all.push(Piece::Plain(rest));
    Ok(all)
}

fn shorten(text: &str) -> String {
    text.chars().take(20).collect()
}

/// Names are also names of shell variables.
pub fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
        && chars.all(|it| it.is_ascii_alphanumeric() || it == '_')
        && name.len() <= 64
}

/// The values of a run. What steps capture is added.
#[derive(Debug, Default)]
pub struct Values {
    all: RwLock<BTreeMap<String, Secret>>,
}

impl Values {
    pub fn new(all: BTreeMap<String, String>) -> Self {
        let all = all.into_iter().map(|(name, value)| (name, Secret::from(value)));
        Self {
            all: RwLock::new(all.collect()),
        }
    }

    pub fn set(&self, name: &str, value: String) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), Secret::from(value));
    }

    /// Replaces the variables of a text.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text)? {
            match piece {
                Piece::Plain(plain) => filled.push_str(plain),
                Piece::Variable(name) => match all.get(name) {
                    Some(value) => filled.push_str(value.reveal()),
                    None => return Err(format!("{name} has no value: the step that captures it did not")),
                },
            }
        }
        Ok(filled)
    }

    /// Replaces the variables in all texts of a JSON value.
    pub fn fill_json(&self, value: &serde_json::Value) -> Result<serde_json::Value, String> {
        use serde_json::Value as J;
        Ok(match value {
            J::String(text) => J::String(self.fill(text)?),
            J::Array(items) => J::Array(
                items
                    .iter()
                    .map(|it| self.fill_json(it))
                    .collect::<Result<_, _>>()?,
            ),
            J::Object(fields) => J::Object(
                fields
                    .iter()
                    .map(|(name, it)| Ok((name.clone(), self.fill_json(it)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    /// All of them, for the shell.
    pub fn for_shell(&self) -> Vec<(String, String)> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_once_and_dollars_can_be_written() {
        let values = Values::new(BTreeMap::from([
            ("a".into(), "1${b}".into()),
            ("b".into(), "2".into()),
        ]));
        let cases = [
            ("x${a}y", Ok("x1${b}y")),
            ("$${a} $ $x", Ok("${a} $ $x")),
            ("${b}${b}", Ok("22")),
            ("100$", Ok("100$")),
            ("${c}", Err("c has no value")),
            ("${a", Err("no closing brace")),
            ("${a-b}", Err("is no variable")),
        ];
        for (text, expected) in cases {
            match (values.fill(text), expected) {
                (Ok(filled), Ok(expected)) => assert_eq!(filled, expected),
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}

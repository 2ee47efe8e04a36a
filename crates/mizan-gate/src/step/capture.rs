//! Values that a step takes along for those after it.

use regex::Regex;

use super::Context;
use crate::expect::{Facts, criterion, shown};
use crate::pack::{Capture, FullCapture};
use crate::pick::pick;
use crate::record::Criterion;

/// Takes what the step captures. A value that is not there is a failed criterion; one that is there speaks for itself.
pub fn take(context: &Context<'_>, facts: &Facts) -> Vec<Criterion> {
    let mut missing = Vec::new();
    for (name, capture) in &context.step.capture {
        let full = match capture {
            Capture::Path(path) => FullCapture {
                json: Some(path.clone()),
                ..FullCapture::default()
            },
            Capture::Full(full) => full.clone(),
        };
        match value(&full, facts) {
            Some(value) if !value.is_empty() => {
                if full.secret {
                    context.session.masking.learn(&value, name);
                }
                context
                    .session
                    .masking
                    .learn_variables(&[(name.to_uppercase(), value.clone())]);
                context.session.values.set(name, value);
            }
            _ => missing.push(criterion(
                format!("capture {name}"),
                place(&full),
                "nothing",
                false,
            )),
        }
    }
    missing
}

fn place(full: &FullCapture) -> String {
    let places = [
        ("json", &full.json),
        ("regex", &full.regex),
        ("header", &full.header),
    ];
    let named = places
        .into_iter()
        .find_map(|(what, it)| Some(format!("a value at {what} {}", it.as_ref()?)));
    named.unwrap_or_default()
}

fn value(full: &FullCapture, facts: &Facts) -> Option<String> {
    if let Some(path) = &full.json {
        return pick(&facts.document()?, path)
            .filter(|it| !it.is_null())
            .map(shown);
    }
    if let Some(header) = &full.header {
        return facts
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(header))
            .map(|it| it.1.clone());
    }
    let found = Regex::new(full.regex.as_ref()?)
        .ok()?
        .captures(&facts.text.as_ref()?.text)?;
    found
        .get(1)
        .or_else(|| found.get(0))
        .map(|it| it.as_str().to_owned())
}

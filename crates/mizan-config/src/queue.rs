//! What the queue in Redis is called: `MIZAN_QUEUE`.

use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const MIZAN_QUEUE: Setting = Setting {
    name: "MIZAN_QUEUE",
    meaning: "The name of the queue in Redis: lower-case letters, digits, `-` and `_`, at most 40. Installations that \
              share one Redis need different ones.",
    default: "`jobs`",
    strict: "same",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[MIZAN_QUEUE];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
}

pub(crate) fn read(vars: &Vars, report: &mut Report) -> Queue {
    let name = vars.text(&MIZAN_QUEUE).unwrap_or("jobs");
    let known = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '_';
    if name.len() > 40 || !name.chars().all(known) {
        report.problem(
            MIZAN_QUEUE.name,
            "must be at most 40 lower-case letters, digits, - and _",
        );
    }
    Queue {
        name: name.to_owned(),
    }
}

//! How long a readiness check may take: `READY_TIMEOUT_MS`.

use std::time::Duration;

use crate::problem::Report;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const READY_TIMEOUT_MS: Setting = Setting {
    name: "READY_TIMEOUT_MS",
    meaning: "Bound of each readiness check, in milliseconds.",
    default: "`800`",
    strict: "same",
    shape: Shape::Number { min: 100, max: 2000 },
};
pub(crate) const SETTINGS: &[Setting] = &[READY_TIMEOUT_MS];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The bound of each check of `/api/ready`.
    pub timeout: Duration,
}

pub(crate) fn read(vars: &Vars, report: &mut Report) -> Ready {
    Ready {
        timeout: Duration::from_millis(vars.number(&READY_TIMEOUT_MS, report).unwrap_or(800)),
    }
}

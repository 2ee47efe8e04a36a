//! Where reconciliation runs are executed: `RECON_RUNNER`.

use crate::env::Mode;
use crate::problem::Report;
use crate::redis::REDIS_URL;
use crate::reference::{Setting, Shape};
use crate::vars::Vars;

pub(crate) const RECON_RUNNER: Setting = Setting {
    name: "RECON_RUNNER",
    meaning: "Who executes reconciliation runs: the process that was asked (`inline`) or a worker (`queue`).",
    default: "`inline` without `REDIS_URL`, else `queue`",
    strict: "`queue`; `inline` is an error",
    shape: Shape::Word(&["inline", "queue"]),
};
pub(crate) const SETTINGS: &[Setting] = &[RECON_RUNNER];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconRunner {
    /// In the process that took the request.
    Inline,
    /// By `mizan worker`.
    Queue,
}

impl ReconRunner {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Queue => "queue",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recon {
    pub runner: ReconRunner,
}

pub(crate) fn read(vars: &Vars, mode: Mode, report: &mut Report) -> Recon {
    let has_redis = vars.is_set(&REDIS_URL);
    let runner = match vars.word(&RECON_RUNNER, report) {
        Some("inline") => ReconRunner::Inline,
        Some(_) => {
            // In strict mode the missing REDIS_URL is reported by its own rule.
            if !has_redis && !mode.strict {
                report.problem(RECON_RUNNER.name, "is queue, which needs REDIS_URL");
            }
            ReconRunner::Queue
        }
        None if has_redis || mode.strict => ReconRunner::Queue,
        None => ReconRunner::Inline,
    };
    Recon { runner }
}

//! Where reconciliation runs are executed, and what they may use: `RECON_RUNNER`, `RECON_MEMORY_LIMIT`,
//! `RECON_SPILL_DIR`.

use std::path::PathBuf;

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
pub(crate) const RECON_MEMORY_LIMIT: Setting = Setting {
    name: "RECON_MEMORY_LIMIT",
    meaning: "How much memory the rows of a reconciliation run may take, such as `512MiB` or `2GiB`; what does not fit waits on disk.",
    default: "`512MiB`",
    strict: "the same",
    shape: Shape::Text,
};
pub(crate) const RECON_SPILL_DIR: Setting = Setting {
    name: "RECON_SPILL_DIR",
    meaning: "An existing directory with room for the rows that do not fit into memory. Files in it have no name and vanish with their run.",
    default: "the system's directory for temporary files",
    strict: "the same",
    shape: Shape::Text,
};
pub(crate) const SETTINGS: &[Setting] = &[RECON_RUNNER, RECON_MEMORY_LIMIT, RECON_SPILL_DIR];

/// The smallest limit under which runs still go on at a fair pace.
const LEAST_MEMORY: usize = 16 << 20;
const DEFAULT_MEMORY: usize = 512 << 20;

/// Reads a size in bytes: `512MiB`, `2GiB`, `65536KiB`, or a plain number.
pub fn size(text: &str) -> Option<usize> {
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// As [`size`], with what is wrong in words.
pub fn memory_limit(text: &str) -> Result<usize, String> {
    size(text)
        .filter(|it| *it >= LEAST_MEMORY)
        .ok_or_else(|| "must be a size of at least 16MiB, such as 512MiB or 2GiB".to_owned())
}

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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recon {
    pub runner: ReconRunner,
    /// Bytes.
    pub memory_limit: usize,
    /// None: the system's directory for temporary files.
    pub spill_dir: Option<PathBuf>,
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
    let memory_limit = vars.text(&RECON_MEMORY_LIMIT).map(memory_limit);
    if let Some(Err(problem)) = &memory_limit {
        report.problem(RECON_MEMORY_LIMIT.name, problem.clone());
    }
    Recon {
        runner,
        memory_limit: memory_limit.and_then(Result::ok).unwrap_or(DEFAULT_MEMORY),
        spill_dir: vars.text(&RECON_SPILL_DIR).map(PathBuf::from),
    }
}

//! The contract of a matching engine: two sides and the rules in, a report out.
//!
//! Every engine gives the same findings and the same digest, whatever the number of threads, the size of
//! blocks and the order of rows.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use mizan_core::Currency;

use crate::finding::{Finding, FindingType};
use crate::line::{Line, LineFields};
use crate::rules::Rules;
use crate::statement::{LineSource, Lines, Quarantined, StatementError};

/// Matches one provider's statement with the ledger.
pub trait MatchEngine: Send + Sync {
    /// The engine's name, as it stands in a run's stats.
    fn name(&self) -> &'static str;

    /// Reads both sides to their end and compares them. Blocks; the caller gives it a thread that may.
    fn run(&self, job: Job<'_>) -> Result<Report, MatchError>;
}

/// What is compared, and who looks on.
pub struct Job<'a> {
    pub statement: &'a mut dyn LineSource,
    pub ledger: &'a mut dyn LineSource,
    pub rules: &'a Rules,
    pub watch: Watch<'a>,
    /// Gets a line `statement_row,ledger_row,rule` for every pair that agrees, in no particular order.
    pub pairs: Option<&'a mut (dyn Write + Send)>,
}

impl<'a> Job<'a> {
    /// A job that nobody looks on.
    pub fn new(statement: &'a mut dyn LineSource, ledger: &'a mut dyn LineSource, rules: &'a Rules) -> Self {
        Self {
            statement,
            ledger,
            rules,
            watch: Watch::default(),
            pairs: None,
        }
    }
}

/// Looks on while a run goes, and may end it.
#[derive(Clone, Copy, Default)]
pub struct Watch<'a> {
    /// Called now and then, from any thread of the run.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    /// Set from outside: the run ends with [`MatchError::Cancelled`] as soon as it looks.
    pub cancelled: Option<&'a AtomicBool>,
}

impl Watch<'_> {
    pub fn tell(&self, progress: Progress) {
        if let Some(listen) = self.progress {
            listen(progress);
        }
    }

    pub fn check(&self) -> Result<(), MatchError> {
        match self.cancelled {
            Some(it) if it.load(Ordering::Relaxed) => Err(MatchError::Cancelled),
            _ => Ok(()),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many rows of this side were read.
    Read { side: Side, rows: u64 },
    /// So many of all partitions are compared.
    Compared { done: u64, all: u64 },
}

/// Why a run gave no result. Nothing was truncated: a run is complete or it is one of these.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    #[error("the {side} side could not be read")]
    Read {
        side: Side,
        #[source]
        source: StatementError,
    },
    #[error(
        "rows could not be kept in the spill directory {}; free space there, name another with RECON_SPILL_DIR or \
         --spill-dir, or allow more memory with RECON_MEMORY_LIMIT or --memory-limit", dir.display()
    )]
    Spill {
        dir: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the matched pairs could not be written")]
    Pairs {
        #[source]
        source: io::Error,
    },
    #[error("the run was cancelled")]
    Cancelled,
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    Statement,
    Ledger,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Statement => "statement",
            Self::Ledger => "ledger",
        })
    }
}

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub summary: Summary,
    /// Sorted by event id and type.
    pub findings: Vec<Finding>,
    /// Rows without a partner that were read for the sake of rule legs or of the settlement lag, and that the runs
    /// of other windows answer for; sorted like the findings, and none of them.
    pub neighbours: Vec<Finding>,
    pub statement_quarantine: Vec<Quarantined>,
    pub ledger_quarantine: Vec<Quarantined>,
    /// Columns that nothing reads, per side, by name.
    pub statement_ignored_columns: Vec<String>,
    pub ledger_ignored_columns: Vec<String>,
    /// What waited on disk because it did not fit into memory.
    pub spilled_bytes: u64,
}

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows that could be read; the quarantined ones come on top.
    pub statement_rows: u64,
    pub ledger_rows: u64,
    pub statement_quarantined: u64,
    pub ledger_quarantined: u64,
    /// Rows that were read for the sake of their partners, but belong to another window.
    pub statement_outside_window: u64,
    pub ledger_outside_window: u64,
    /// Pairs that agree in everything.
    pub matched: u64,
    /// Pairs that were found and disagree in something.
    pub disagreeing: u64,
    /// Every type that was found at least once.
    pub findings_by_type: BTreeMap<FindingType, u64>,
    pub sums: BTreeMap<(Side, Currency), Sum>,
    /// SHA-256, in hex, of the counts, the sums and the sorted findings. It does not depend on where in the
    /// input a row stands.
    pub digest: String,
}

impl Summary {
    pub fn findings(&self) -> u64 {
        self.findings_by_type.values().sum()
    }
}

/// What moved in one currency on one side: settled rows of the window, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    pub rows: u64,
    /// With the sign of each kind: deposits add, withdrawals, refunds, chargebacks and fees subtract.
    pub gross_minor: i128,
    pub fees_minor: i128,
}

impl Sum {
    pub fn net_minor(&self) -> i128 {
        self.gross_minor - self.fees_minor
    }

    pub(crate) fn add(&mut self, line: &LineFields<'_>) {
        self.rows += 1;
        self.gross_minor += i128::from(line.amount_minor) * i128::from(line.kind.direction());
        self.fees_minor += i128::from(line.fee_minor.unwrap_or_default());
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.gross_minor += other.gross_minor;
        self.fees_minor += other.fees_minor;
    }
}

/// Matches two files, whatever their formats.
pub fn match_files(
    statement: &mut dyn LineSource,
    ledger: &mut dyn LineSource,
    rules: &Rules,
    engine: &dyn MatchEngine,
) -> Result<Report, MatchError> {
    engine.run(Job::new(statement, ledger, rules))
}

/// Matches rows that are in the program already. `statement_name` tells this export from others.
pub fn match_lines(
    statement_name: &str,
    statement: impl IntoIterator<Item = Line, IntoIter: Send>,
    ledger: impl IntoIterator<Item = Line, IntoIter: Send>,
    rules: &Rules,
    engine: &dyn MatchEngine,
) -> Result<Report, MatchError> {
    match_files(
        &mut Lines::new(statement_name, statement),
        &mut Lines::new("ledger", ledger),
        rules,
        engine,
    )
}

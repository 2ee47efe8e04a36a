//! The contract of a matching engine: two sides and the rules in, a report out.
//!
//! Every engine gives the same findings and the same digest, whatever the number of threads, the size of
//! blocks and the order of rows.

use std::collections::BTreeMap;

use mizan_core::Currency;

use crate::finding::{Finding, FindingType};
use crate::line::Line;
use crate::rules::Rules;
use crate::statement::{LineSource, Lines, Quarantined, StatementError};

/// Matches one provider's statement with the ledger.
pub trait MatchEngine: Send + Sync {
    /// The engine's name, as it stands in a run's stats.
    fn name(&self) -> &'static str;

    /// Reads both sides to their end and compares them.
    fn run(
        &self,
        statement: &mut dyn LineSource,
        ledger: &mut dyn LineSource,
        rules: &Rules,
    ) -> Result<Report, MatchError>;
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
    #[error("the {side} side has more rows than this engine takes ({limit})")]
    TooManyRows { side: Side, limit: usize },
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub summary: Summary,
    /// Sorted by event id and type.
    pub findings: Vec<Finding>,
    pub statement_quarantine: Vec<Quarantined>,
    pub ledger_quarantine: Vec<Quarantined>,
    /// Columns that nothing reads, per side, by name.
    pub statement_ignored_columns: Vec<String>,
    pub ledger_ignored_columns: Vec<String>,
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

    pub(crate) fn add(&mut self, line: &Line) {
        self.rows += 1;
        self.gross_minor += line.effect_minor();
        self.fees_minor += i128::from(line.fee_minor.unwrap_or_default());
    }
}

/// Matches two files, whatever their formats.
pub fn match_files(
    statement: &mut dyn LineSource,
    ledger: &mut dyn LineSource,
    rules: &Rules,
    engine: &dyn MatchEngine,
) -> Result<Report, MatchError> {
    engine.run(statement, ledger, rules)
}

/// Matches rows that are in the program already. `statement_name` tells this export from others.
pub fn match_lines(
    statement_name: &str,
    statement: impl IntoIterator<Item = Line>,
    ledger: impl IntoIterator<Item = Line>,
    rules: &Rules,
    engine: &dyn MatchEngine,
) -> Result<Report, MatchError> {
    engine.run(
        &mut Lines::new(statement_name, statement),
        &mut Lines::new("ledger", ledger),
        rules,
    )
}

//! The engine that needs nothing but this process: both sides are cut into partitions by the hash of their
//! keys, and the partitions are joined on all cores.
//!
//! Plan: read both sides; join on the event id; what is left, and rows that have no event id, on reference and
//! kind; what is left then is missing. A row is used once. Partitions share nothing, so they can be written to
//! disk and read back one by one when memory is short.

mod event_leg;
mod join;
mod reference_leg;
mod tally;

use xxhash_rust::xxh3::xxh3_128;

use crate::compare::Judge;
use crate::digest::digest;
use crate::engine::{MatchEngine, MatchError, Report, Side, Summary};
use crate::line::Line;
use crate::rules::Rules;
use crate::statement::{LineSource, StatementRead};
use tally::Tally;

/// Rows that one partition holds, about: small enough that sorting it stays in the cache of a core.
const ROWS_PER_PARTITION: usize = 32 * 1024;
const MOST_PARTITIONS: usize = 4096;

/// Joins in memory, on rayon's threads.
#[derive(Debug, Clone, Copy)]
pub struct NativeEngine {
    partitions: Option<usize>,
    hash: fn(&[u8]) -> u128,
}

impl Default for NativeEngine {
    fn default() -> Self {
        Self {
            partitions: None,
            hash: xxh3_128,
        }
    }
}

/// Both sides, and how to look at them. Rows are named by their place in these slices.
#[derive(Clone, Copy)]
struct Tables<'a> {
    statement: &'a [Line],
    ledger: &'a [Line],
    judge: Judge<'a>,
    partitions: usize,
    hash: fn(&[u8]) -> u128,
}

impl Tables<'_> {
    fn lines(&self, side: Side) -> &[Line] {
        match side {
            Side::Statement => self.statement,
            Side::Ledger => self.ledger,
        }
    }
}

impl NativeEngine {
    /// Cuts into this many partitions instead of as many as the rows ask for. The result is the same.
    #[must_use]
    pub fn with_partitions(mut self, partitions: usize) -> Self {
        self.partitions = Some(partitions.clamp(1, MOST_PARTITIONS));
        self
    }

    /// A hash under which different keys meet, to show that they are told apart all the same.
    #[cfg(test)]
    fn with_hash(mut self, hash: fn(&[u8]) -> u128) -> Self {
        self.hash = hash;
        self
    }

    fn join(&self, statement: &[Line], ledger: &[Line], judge: Judge<'_>) -> Tally {
        let rows = statement.len() + ledger.len();
        let partitions = self
            .partitions
            .unwrap_or((rows / ROWS_PER_PARTITION + 1).min(MOST_PARTITIONS));
        let tables = Tables {
            statement,
            ledger,
            judge,
            partitions,
            hash: self.hash,
        };
        let mut tally = event_leg::run(&tables);
        reference_leg::run(&tables, &mut tally);
        tally
    }
}

impl MatchEngine for NativeEngine {
    fn name(&self) -> &'static str {
        "native"
    }

    fn run(
        &self,
        statement: &mut dyn LineSource,
        ledger: &mut dyn LineSource,
        rules: &Rules,
    ) -> Result<Report, MatchError> {
        let theirs = read(statement, Side::Statement)?;
        let ours = read(ledger, Side::Ledger)?;
        let judge = Judge {
            rules,
            statement_name: statement.name(),
            ledger_name: ledger.name(),
        };
        let tally = self.join(&theirs.lines, &ours.lines, judge);
        Ok(report(theirs, ours, tally, rules))
    }
}

fn read(source: &mut dyn LineSource, side: Side) -> Result<StatementRead, MatchError> {
    let read = StatementRead::all(source).map_err(|source| MatchError::Read { side, source })?;
    let limit = u32::MAX as usize;
    if read.lines.len() > limit {
        return Err(MatchError::TooManyRows { side, limit });
    }
    Ok(read)
}

fn report(theirs: StatementRead, ours: StatementRead, tally: Tally, rules: &Rules) -> Report {
    let mut findings = tally.findings;
    findings.sort_unstable_by(|a, b| (&a.event_id, a.finding_type).cmp(&(&b.event_id, b.finding_type)));
    let mut summary = Summary {
        statement_rows: theirs.lines.len() as u64,
        ledger_rows: ours.lines.len() as u64,
        statement_quarantined: theirs.quarantined.len() as u64,
        ledger_quarantined: ours.quarantined.len() as u64,
        statement_outside_window: tally.statement_outside,
        ledger_outside_window: tally.ledger_outside,
        matched: tally.matched.len() as u64,
        disagreeing: tally.disagreeing,
        ..Summary::default()
    };
    for finding in &findings {
        *summary.findings_by_type.entry(finding.finding_type).or_default() += 1;
    }
    for (side, lines) in [(Side::Statement, &theirs.lines), (Side::Ledger, &ours.lines)] {
        let counted = |it: &&Line| it.status.moved_money() && rules.owns_statement(it.occurred_at);
        for line in lines.iter().filter(counted) {
            summary.sums.entry((side, line.currency)).or_default().add(line);
        }
    }
    summary.digest = digest(&summary, &findings);
    Report {
        summary,
        findings,
        statement_quarantine: theirs.quarantined,
        ledger_quarantine: ours.quarantined,
        statement_ignored_columns: theirs.ignored_columns,
        ledger_ignored_columns: ours.ignored_columns,
    }
}

#[cfg(test)]
mod tests;

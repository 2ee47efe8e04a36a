//! What the legs have found so far.

use crate::compare::Judge;
use crate::engine::Side;
use crate::finding::{Finding, Leg};
use crate::line::Line;
use crate::native::Tables;

/// Pairs, findings and rows that are still alone.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub findings: Vec<Finding>,
    /// Pairs that agree, as places in both tables.
    pub matched: Vec<(u32, u32)>,
    pub disagreeing: u64,
    pub statement_outside: u64,
    pub ledger_outside: u64,
    /// Rows that found no partner by their event id, or have none.
    pub lone_statement: Vec<u32>,
    pub lone_ledger: Vec<u32>,
}

impl Tally {
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        self.matched.extend(other.matched);
        self.disagreeing += other.disagreeing;
        self.statement_outside += other.statement_outside;
        self.ledger_outside += other.ledger_outside;
        self.lone_statement.extend(other.lone_statement);
        self.lone_ledger.extend(other.lone_ledger);
        self
    }

    pub(super) fn outside(&mut self, side: Side, rows: u64) {
        match side {
            Side::Statement => self.statement_outside += rows,
            Side::Ledger => self.ledger_outside += rows,
        }
    }

    /// Compares a pair, and counts it in the window of the statement's row.
    pub(super) fn pair(&mut self, tables: &Tables<'_>, leg: Leg, (theirs, ours): (u32, u32)) {
        let (statement, ledger) = (&tables.statement[theirs as usize], &tables.ledger[ours as usize]);
        if !tables.judge.rules.owns_statement(statement.occurred_at) {
            self.outside(Side::Statement, 1);
            self.outside(Side::Ledger, 1);
            return;
        }
        let found = tables.judge.pair(leg, statement, ledger);
        if found.is_empty() {
            self.matched.push((theirs, ours));
        } else {
            self.disagreeing += 1;
            self.findings.extend(found);
        }
    }

    /// A row that no leg found a partner for.
    pub(super) fn missing(&mut self, judge: Judge<'_>, leg: Leg, side: Side, line: &Line) {
        if owns(judge, side, line) {
            self.findings.push(judge.missing(leg, side, line));
        } else {
            self.outside(side, 1);
        }
    }

    /// Several rows under one key, the kept one first; that one is matched on.
    pub(super) fn duplicate(&mut self, judge: Judge<'_>, leg: Leg, side: Side, rows: &[&Line]) {
        if owns(judge, side, rows[0]) {
            self.findings.push(judge.duplicate(leg, side, rows));
        } else {
            self.outside(side, rows.len() as u64 - 1);
        }
    }
}

/// Whether the run answers for a row of which the other side knows nothing.
pub(super) fn owns(judge: Judge<'_>, side: Side, line: &Line) -> bool {
    match side {
        Side::Statement => judge.rules.owns_statement(line.occurred_at),
        Side::Ledger => judge.rules.owns_lone_ledger(line.occurred_at),
    }
}

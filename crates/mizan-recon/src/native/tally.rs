//! What one thread has found so far.

use std::fmt::Write as _;

use crate::compare::Judge;
use crate::engine::Side;
use crate::finding::{Finding, Leg};
use crate::line::Line;

/// Findings, counts, and the pairs that nobody has written yet.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    pub judge: Judge<'a>,
    pub findings: Vec<Finding>,
    /// Rows without a partner that other windows answer for.
    pub neighbours: Vec<Finding>,
    pub matched: u64,
    pub disagreeing: u64,
    pub outside: [u64; 2],
    /// Pairs that agree, as `statement_row,ledger_row,rule` lines, if anybody wants them.
    pub pairs: Option<String>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(judge: Judge<'a>, with_pairs: bool) -> Self {
        Self {
            judge,
            findings: Vec::new(),
            neighbours: Vec::new(),
            matched: 0,
            disagreeing: 0,
            outside: [0; 2],
            pairs: with_pairs.then(String::new),
        }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        self.neighbours.extend(other.neighbours);
        self.matched += other.matched;
        self.disagreeing += other.disagreeing;
        self.outside[0] += other.outside[0];
        self.outside[1] += other.outside[1];
        self
    }

    pub(super) fn outside(&mut self, side: Side, rows: u64) {
        self.outside[side as usize] += rows;
    }

    /// A pair of the run's window that agrees in everything.
    #[inline]
    pub(super) fn matched(&mut self, leg: Leg, statement_row: u64, ledger_row: u64) {
        self.matched += 1;
        if let Some(pairs) = &mut self.pairs {
            let _ = writeln!(pairs, "{statement_row},{ledger_row},{}", leg.as_str());
        }
    }

    /// Compares a pair, and counts it in the window of the statement's row.
    pub(super) fn pair(&mut self, leg: Leg, statement: &Line, ledger: &Line) {
        if !self.judge.rules.owns_statement(statement.occurred_at) {
            self.outside(Side::Statement, 1);
            self.outside(Side::Ledger, 1);
            return;
        }
        let found = self.judge.pair(leg, statement, ledger);
        if found.is_empty() {
            self.matched(leg, statement.row_no, ledger.row_no);
        } else {
            self.disagreeing += 1;
            self.findings.extend(found);
        }
    }

    /// A row that no leg found a partner for.
    pub(super) fn missing(&mut self, leg: Leg, side: Side, line: &Line) {
        if self.owns(side, line) {
            self.findings.push(self.judge.missing(leg, side, line));
        } else {
            self.outside(side, 1);
            if self.judge.rules.wants_neighbour(line.occurred_at) {
                self.neighbours.push(self.judge.missing(leg, side, line));
            }
        }
    }

    /// Several rows under one key, the kept one first; that one is matched on.
    pub(super) fn duplicate(&mut self, leg: Leg, side: Side, rows: &[&Line]) {
        if self.owns(side, rows[0]) {
            self.findings.push(self.judge.duplicate(leg, side, rows));
        } else {
            self.outside(side, rows.len() as u64 - 1);
        }
    }

    /// Whether the run answers for a row of which the other side knows nothing.
    pub(super) fn owns(&self, side: Side, line: &Line) -> bool {
        match side {
            Side::Statement => self.judge.rules.owns_statement(line.occurred_at),
            Side::Ledger => self.judge.rules.owns_lone_ledger(line.occurred_at),
        }
    }
}

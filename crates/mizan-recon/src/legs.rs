//! Rule legs: what the exact comparison left over, matched by the rules of the provider, in their order.
//!
//! An engine's findings of rows without a partner are the left-overs; whatever a leg settles is taken out of them.
//! A row is used once, and what is not unique is `ambiguous_match`, never a guess.

mod bucket;
mod groups;
mod pairs;
mod table;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::digest::digest;
use crate::engine::Report;
use crate::finding::{FindingType, UnknownWord};
use crate::line::Line;
use crate::rules::Rules;
use table::Table;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegRule {
    pub name: String,
    pub shape: Shape,
    /// Have to be equal, besides currency and status. None: amount and day alone decide.
    pub keys: Vec<Key>,
    pub window_days: u32,
    pub tolerance: Tolerance,
    pub sum: SumOf,
}

/// How many rows of each side belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    #[default]
    OneToOne,
    /// All statement rows of a key sum to one ledger row.
    ManyToOne,
    /// One statement row is the sum of all ledger rows of a key.
    OneToMany,
}

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SumOf {
    /// Amounts, as effect on the balance.
    #[default]
    Gross,
    /// Amounts less the fees of their rows.
    Net,
}

/// A field of each side that has to be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub statement: Field,
    pub ledger: Field,
}

/// A field that rows can be matched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    EventId,
    Reference,
    PayoutId,
    TransactionId,
    Kind,
}

impl Field {
    const ALL: [Self; 5] = [
        Self::EventId,
        Self::Reference,
        Self::PayoutId,
        Self::TransactionId,
        Self::Kind,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventId => "event_id",
            Self::Reference => "reference",
            Self::PayoutId => "payout_id",
            Self::TransactionId => "transaction_id",
            Self::Kind => "kind",
        }
    }

    fn of(self, line: &Line) -> Option<&str> {
        match self {
            Self::EventId => line.event_id(),
            Self::Reference => line.reference(),
            Self::PayoutId => line.payout_id(),
            Self::TransactionId => line.transaction_id(),
            Self::Kind => Some(line.kind.as_str()),
        }
    }
}

impl std::str::FromStr for Field {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| {
                UnknownWord::new(
                    "field that rows are matched by",
                    text,
                    Self::ALL.map(Self::as_str),
                )
            })
    }
}

/// How far amounts may be apart; exactly this much still matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    Minor(u64),
    /// Of the ledger's amount, rounded half to even.
    BasisPoints(u32),
}

impl Tolerance {
    /// Minor units that an amount of the ledger may be missed by.
    pub fn allowed(self, ledger_minor: i128) -> u128 {
        match self {
            Self::Minor(minor) => u128::from(minor),
            Self::BasisPoints(points) => {
                let parts = ledger_minor.unsigned_abs().saturating_mul(u128::from(points));
                let (whole, rest) = (parts / 10_000, parts % 10_000);
                match rest.cmp(&5_000) {
                    std::cmp::Ordering::Less => whole,
                    std::cmp::Ordering::Greater => whole + 1,
                    std::cmp::Ordering::Equal => whole + whole % 2,
                }
            }
        }
    }
}

/// What a leg has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LegStats {
    pub name: String,
    /// Pairs and groups that agree.
    pub matched: u64,
    /// Groups that have one key and another sum.
    pub mismatched: u64,
    pub ambiguous: u64,
    pub statement_rows: u64,
    pub ledger_rows: u64,
    /// `row_no` of the statement's and of the ledger's rows of each pair and group that agrees.
    #[serde(skip)]
    pub together: Vec<(Vec<u64>, Vec<u64>)>,
}

impl LegRule {
    /// How far apart rows that the leg brings together may be at most.
    fn reach(&self) -> TimeDelta {
        let days = TimeDelta::days(i64::from(self.window_days));
        match self.shape {
            Shape::OneToOne => days,
            // Rows of one group may be this far from their sum on both sides of it.
            Shape::ManyToOne | Shape::OneToMany => days + days,
        }
    }
}

/// How far outside of a window rows have to be read, so that pairs over its edge are found.
pub fn reach(legs: &[LegRule]) -> TimeDelta {
    legs.iter().map(LegRule::reach).max().unwrap_or_default()
}

/// Runs the legs on what `report` has no partner for, and brings its findings, counts and digest up to date. Rows of
/// other windows take part; what comes of them belongs to the window that has the earliest statement row of it.
pub fn apply(report: &mut Report, legs: &[LegRule], rules: &Rules) -> Vec<LegStats> {
    if legs.is_empty() {
        return Vec::new();
    }
    let (lone, kept) = std::mem::take(&mut report.findings).into_iter().partition(|it| {
        matches!(
            it.finding_type,
            FindingType::MissingInLedger | FindingType::MissingInPsp
        )
    });
    let neighbours = std::mem::take(&mut report.neighbours);
    let mut table = Table::new(lone, neighbours, rules);
    let stats: Vec<LegStats> = legs.iter().map(|leg| table.run(leg)).collect();
    let rest = table.finish();
    report.findings = kept;
    report.findings.extend(rest.findings);
    report.neighbours = rest.neighbours;
    let key = |a: &crate::finding::Finding| (a.event_id.clone(), a.finding_type);
    report.findings.sort_by_cached_key(key);
    let summary = &mut report.summary;
    summary.findings_by_type.clear();
    for finding in &report.findings {
        *summary.findings_by_type.entry(finding.finding_type).or_default() += 1;
    }
    for leg in &stats {
        summary.matched += leg.matched;
        summary.disagreeing += leg.mismatched;
    }
    summary.digest = digest(summary, &report.findings);
    stats
}

#[cfg(test)]
mod tests;

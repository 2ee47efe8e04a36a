//! Compares payout batches with bank lines.
//!
//! First by name: bank lines that carry a batch's id, in any number on both sides, sum to the same. Then, of what
//! is left, by amount and day, only where there is one candidate on each side. Every line is used once; what could be
//! several is `ambiguous_match`, never a guess.

mod by_amount;
mod by_name;
mod outcome;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mizan_core::Currency;
use serde::Deserialize;

use super::batch::Batch;
use super::{BankLine, BankRead};
use crate::finding::{FindingType, Severity};
use crate::rules::Rules;
use outcome::Outcome;

/// How payouts and bank lines are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankRules {
    /// How far a bank line may be from its payout, in minor units; exactly this much still matches.
    pub tolerance_minor: u64,
    /// A payout reaches the bank this many days after its last row at the latest.
    pub window_days: u32,
    /// Until this many days have passed, a payout that is not at the bank yet is no finding.
    pub settlement_lag_days: u32,
    pub match_by: Vec<MatchBy>,
    /// Only bank lines that contain one of these words are the provider's; without any, all are.
    pub only_lines_with: Vec<String>,
}

/// A way to find the bank line of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MatchBy {
    /// The payout's id stands in a reference or in the text of the line.
    Reference,
    /// Amount, currency and day.
    Amount,
}

impl Default for BankRules {
    fn default() -> Self {
        Self {
            tolerance_minor: 0,
            window_days: 7,
            settlement_lag_days: 3,
            match_by: vec![MatchBy::Reference, MatchBy::Amount],
            only_lines_with: Vec::new(),
        }
    }
}

/// One disagreement between payouts and the bank. `(payout_id, currency, finding_type)` is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankFinding {
    pub finding_type: FindingType,
    pub severity: Severity,
    /// None: only the bank has it.
    pub payout_id: Option<String>,
    pub currency: Currency,
    pub expected_minor: i128,
    pub seen_minor: i128,
    pub detail: String,
    /// Places of the bank lines that it speaks of, ascending.
    pub bank_lines: Vec<u64>,
}

/// How one batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    pub batch: Batch,
    pub state: BatchState,
    /// What the bank shows for it, where that is one batch's alone.
    pub bank_minor: Option<i128>,
    /// Days from the batch's last row to the bank's booking.
    pub days: Option<i64>,
}

/// How one batch ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BatchState {
    Matched,
    /// It sums to zero: nothing is to be seen at the bank.
    NothingDue,
    /// The bank statement ends before the payout has to be there.
    NotDueYet,
    Mismatched,
    Ambiguous,
    Missing,
}

impl BatchState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::NothingDue => "nothing_due",
            Self::NotDueYet => "not_due_yet",
            Self::Mismatched => "mismatched",
            Self::Ambiguous => "ambiguous",
            Self::Missing => "missing",
        }
    }
}

/// The result of the bank leg.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankReport {
    pub batches: Vec<BatchResult>,
    /// Sorted by payout, currency and type.
    pub findings: Vec<BankFinding>,
    pub bank_lines: u64,
    pub bank_quarantined: u64,
    /// Lines that were announced and are not booked.
    pub not_booked: u64,
    /// Lines that are not the provider's, by the rules.
    pub of_others: u64,
    pub findings_by_type: BTreeMap<FindingType, u64>,
}

/// Compares the batches of a provider with a bank statement. `rules` gives the severities.
pub fn match_bank(batches: Vec<Batch>, bank: &BankRead, leg: &BankRules, rules: &Rules) -> BankReport {
    let booked = bank.lines.iter().filter(|it| it.booked);
    let not_booked = (bank.lines.len() - booked.clone().count()) as u64;
    let ours = |line: &&BankLine| {
        leg.only_lines_with.is_empty() || leg.only_lines_with.iter().any(|it| says(line, it))
    };
    let lines: Vec<&BankLine> = booked.clone().filter(ours).collect();
    let mut out = Outcome::new(&batches, &lines, leg, rules);
    for way in &leg.match_by {
        match way {
            MatchBy::Reference => by_name::run(&mut out),
            MatchBy::Amount => by_amount::run(&mut out),
        }
    }
    out.rest(bank.covers_until);
    let (results, mut findings) = out.finish();
    findings.sort_by(|a, b| {
        (&a.payout_id, a.currency, a.finding_type, &a.bank_lines).cmp(&(
            &b.payout_id,
            b.currency,
            b.finding_type,
            &b.bank_lines,
        ))
    });
    let mut findings_by_type = BTreeMap::new();
    for finding in &findings {
        *findings_by_type.entry(finding.finding_type).or_default() += 1;
    }
    BankReport {
        batches: results,
        findings,
        bank_lines: bank.lines.len() as u64,
        bank_quarantined: bank.quarantined.len() as u64,
        not_booked,
        of_others: booked.count() as u64 - lines.len() as u64,
        findings_by_type,
    }
}

/// Whether a line carries a word, whatever the case.
fn says(line: &BankLine, word: &str) -> bool {
    let word = word.to_lowercase();
    let mut all = line.references.iter().chain([&line.text]);
    all.any(|it| it.to_lowercase().contains(&word))
}

/// Days from a batch's last row, in UTC, to a booking.
fn days(batch: &Batch, on: NaiveDate) -> i64 {
    on.signed_duration_since(batch.last_at.date_naive()).num_days()
}

#[cfg(test)]
mod tests;

//! How the bank leg looks in JSON.

use std::collections::BTreeMap;

use mizan_core::money::major;
use serde::{Deserialize, Serialize};

use super::leg::{BankFinding, BankReport, BatchResult};

/// The stats of the bank leg: `findings` maps each type that was found to its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankView {
    pub payouts: u64,
    pub bank_lines: u64,
    pub bank_quarantined: u64,
    pub not_booked: u64,
    pub of_others: u64,
    /// How many payouts ended in each state.
    pub states: BTreeMap<String, u64>,
    pub findings: BTreeMap<String, u64>,
    pub findings_total: u64,
    /// The money identity of each payout, of at most [`BankView::MOST`]; the counts are complete.
    pub batches: Vec<BatchView>,
}

/// Σgross − Σfees − Σadjustments = net, and what the bank shows. Decimal text in major units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    pub payout_id: String,
    pub currency: String,
    pub rows: u64,
    pub gross: String,
    pub fees: String,
    pub adjustments: String,
    pub net: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<i64>,
    pub state: String,
}

/// A finding of the bank leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankFindingView {
    pub finding_type: String,
    pub severity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout_id: Option<String>,
    pub currency: String,
    pub expected: String,
    pub seen: String,
    pub difference: String,
    pub detail: String,
    pub bank_lines: Vec<u64>,
}

impl BankView {
    /// The most payouts that are listed.
    pub const MOST: usize = 1_000;
}

impl From<&BankReport> for BankView {
    fn from(it: &BankReport) -> Self {
        let mut states = BTreeMap::new();
        for batch in &it.batches {
            *states.entry(batch.state.as_str().to_owned()).or_default() += 1;
        }
        let findings = it.findings_by_type.iter();
        Self {
            payouts: it.batches.len() as u64,
            bank_lines: it.bank_lines,
            bank_quarantined: it.bank_quarantined,
            not_booked: it.not_booked,
            of_others: it.of_others,
            states,
            findings: findings.map(|(it, n)| (it.as_str().to_owned(), *n)).collect(),
            findings_total: it.findings_by_type.values().sum(),
            batches: it.batches.iter().take(Self::MOST).map(BatchView::from).collect(),
        }
    }
}

impl From<&BatchResult> for BatchView {
    fn from(it: &BatchResult) -> Self {
        let amount = |minor| major(minor, it.batch.currency);
        Self {
            payout_id: it.batch.id.clone(),
            currency: it.batch.currency.code().to_owned(),
            rows: it.batch.rows,
            gross: amount(it.batch.gross_minor),
            fees: amount(it.batch.fees_minor),
            adjustments: amount(it.batch.adjustments_minor),
            net: amount(it.batch.net_minor()),
            bank: it.bank_minor.map(amount),
            days: it.days,
            state: it.state.as_str().to_owned(),
        }
    }
}

impl From<&BankFinding> for BankFindingView {
    fn from(it: &BankFinding) -> Self {
        let amount = |minor| major(minor, it.currency);
        Self {
            finding_type: it.finding_type.as_str().to_owned(),
            severity: it.severity.as_str().to_owned(),
            payout_id: it.payout_id.clone(),
            currency: it.currency.code().to_owned(),
            expected: amount(it.expected_minor),
            seen: amount(it.seen_minor),
            difference: amount(it.seen_minor - it.expected_minor),
            detail: it.detail.clone(),
            bank_lines: it.bank_lines.clone(),
        }
    }
}

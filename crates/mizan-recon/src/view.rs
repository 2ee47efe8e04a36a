//! How findings and summaries look in JSON; the domain types themselves do not serialise.

use std::collections::BTreeMap;

use mizan_core::Money;
use mizan_core::money::major;
use serde::{Deserialize, Serialize};

use crate::engine::Summary;
use crate::finding::{Finding, Why};
use crate::line::Line;
use crate::statement::Quarantined;

/// A row of either side. Amounts are decimal text in major units, times RFC 3339 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    pub row_no: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub kind: String,
    pub amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<String>,
    pub currency: String,
    pub status: String,
    pub occurred_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        let amount = |minor| Money::new(minor, line.currency).major();
        Self {
            row_no: line.row_no,
            event_id: line.event_id().map(str::to_owned),
            reference: line.reference().map(str::to_owned),
            kind: line.kind.as_str().to_owned(),
            amount: amount(line.amount_minor),
            fee: line.fee_minor.map(amount),
            currency: line.currency.code().to_owned(),
            status: line.status.as_str().to_owned(),
            occurred_at: line.occurred_at.to_rfc3339(),
            payout_id: line.payout_id().map(str::to_owned),
            transaction_id: line.transaction_id().map(str::to_owned),
        }
    }
}

/// Why a finding was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyView {
    pub rule: String,
    pub key: String,
    pub detail: String,
    /// Statement minus ledger in minor units, as text: it may be wider than a JSON number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_minor: Option<String>,
    pub statement_rows: Vec<u64>,
    pub ledger_rows: Vec<u64>,
}

impl From<&Why> for WhyView {
    fn from(why: &Why) -> Self {
        Self {
            rule: why.rule.as_str().to_owned(),
            key: why.key.clone(),
            detail: why.detail.clone(),
            difference_minor: why.difference_minor.map(|it| it.to_string()),
            statement_rows: why.statement_rows.clone(),
            ledger_rows: why.ledger_rows.clone(),
        }
    }
}

/// A finding with both rows side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    pub finding_type: String,
    pub severity: String,
    pub event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<LineView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LineView>,
    pub why: WhyView,
}

impl From<&Finding> for FindingView {
    fn from(it: &Finding) -> Self {
        Self {
            finding_type: it.finding_type.as_str().to_owned(),
            severity: it.severity.as_str().to_owned(),
            event_id: it.event_id.clone(),
            reference: it.reference.clone(),
            kind: it.kind.as_str().to_owned(),
            statement: it.statement.as_ref().map(LineView::from),
            ledger: it.ledger.as_ref().map(LineView::from),
            why: WhyView::from(&it.why),
        }
    }
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedView {
    pub line_no: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub reason: String,
    pub raw_excerpt: String,
}

impl From<&Quarantined> for QuarantinedView {
    fn from(it: &Quarantined) -> Self {
        Self {
            line_no: it.line_no,
            column: it.column.clone(),
            reason: it.reason.clone(),
            raw_excerpt: it.raw_excerpt.clone(),
        }
    }
}

/// The stats of a run: `findings` maps each type that was found to its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryView {
    pub statement_rows: u64,
    pub ledger_rows: u64,
    pub statement_quarantined: u64,
    pub ledger_quarantined: u64,
    pub statement_outside_window: u64,
    pub ledger_outside_window: u64,
    pub matched: u64,
    pub disagreeing: u64,
    pub findings: BTreeMap<String, u64>,
    pub findings_total: u64,
    pub sums: Vec<SumView>,
    pub digest: String,
}

/// One currency on one side, in major units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumView {
    pub side: String,
    pub currency: String,
    pub rows: u64,
    pub gross: String,
    pub fees: String,
    pub net: String,
}

impl From<&Summary> for SummaryView {
    fn from(it: &Summary) -> Self {
        let sums = it.sums.iter().map(|((side, currency), sum)| SumView {
            side: side.to_string(),
            currency: currency.code().to_owned(),
            rows: sum.rows,
            gross: major(sum.gross_minor, *currency),
            fees: major(sum.fees_minor, *currency),
            net: major(sum.net_minor(), *currency),
        });
        let findings = it.findings_by_type.iter();
        Self {
            statement_rows: it.statement_rows,
            ledger_rows: it.ledger_rows,
            statement_quarantined: it.statement_quarantined,
            ledger_quarantined: it.ledger_quarantined,
            statement_outside_window: it.statement_outside_window,
            ledger_outside_window: it.ledger_outside_window,
            matched: it.matched,
            disagreeing: it.disagreeing,
            findings: findings.map(|(it, n)| (it.as_str().to_owned(), *n)).collect(),
            findings_total: it.findings(),
            sums: sums.collect(),
            digest: it.digest.clone(),
        }
    }
}

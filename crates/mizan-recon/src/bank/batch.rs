//! Payout batches: a provider's rows summed per payout, Σgross − Σfees − Σadjustments = net.

use std::collections::BTreeMap;

use mizan_core::{Currency, Timestamp};

use crate::line::{Line, LineKind};

/// The most batches of one statement; a file with more is refused, never truncated.
pub const MOST_BATCHES: usize = 1_000_000;

/// One payout of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub id: String,
    pub currency: Currency,
    pub rows: u64,
    /// Deposits add; withdrawals, refunds and chargebacks take away.
    pub gross_minor: i128,
    /// Fees of rows, and rows that are fees; positive costs the operator.
    pub fees_minor: i128,
    /// Everything else; positive costs the operator.
    pub adjustments_minor: i128,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// Where its first row stands.
    pub first_row: u64,
}

impl Batch {
    /// What the bank should see: a credit is positive.
    pub fn net_minor(&self) -> i128 {
        self.gross_minor - self.fees_minor - self.adjustments_minor
    }

    fn new(id: String, line: &Line) -> Self {
        Self {
            id,
            currency: line.currency,
            rows: 0,
            gross_minor: 0,
            fees_minor: 0,
            adjustments_minor: 0,
            first_at: line.occurred_at,
            last_at: line.occurred_at,
            first_row: line.row_no,
        }
    }

    fn add(&mut self, line: &Line) {
        self.rows += 1;
        let effect = line.effect_minor();
        match line.kind {
            LineKind::Deposit | LineKind::Withdraw | LineKind::Refund | LineKind::Chargeback => {
                self.gross_minor += effect;
            }
            LineKind::Fee => self.fees_minor -= effect,
            LineKind::Adjustment | LineKind::Other => self.adjustments_minor -= effect,
        }
        self.fees_minor += i128::from(line.fee_minor.unwrap_or_default());
        self.first_at = self.first_at.min(line.occurred_at);
        self.last_at = self.last_at.max(line.occurred_at);
        self.first_row = self.first_row.min(line.row_no);
    }
}

/// What to make of a row that names no payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoneRows {
    /// It was not paid out yet: counted, and not looked for at the bank.
    #[default]
    NotPaidOut,
    /// It is a movement of its own on the bank account.
    Each,
}

/// Sums rows as they come.
#[derive(Debug, Clone, Default)]
pub struct Batches {
    lone: LoneRows,
    sums: BTreeMap<(String, Currency), Batch>,
    /// Rows that name no payout and are not looked for.
    pub not_paid_out: u64,
    /// Rows that moved no money.
    pub not_settled: u64,
    /// More than can be kept; what was summed is then not to be used.
    pub too_many: bool,
}

impl Batches {
    pub fn new(lone: LoneRows) -> Self {
        Self {
            lone,
            ..Self::default()
        }
    }

    pub fn add(&mut self, line: &Line) {
        if !line.status.moved_money() {
            self.not_settled += 1;
            return;
        }
        let id = match (line.payout_id(), self.lone) {
            (Some(id), _) => id,
            (None, LoneRows::Each) => line.reference().or(line.event_id()).unwrap_or_default(),
            (None, LoneRows::NotPaidOut) => {
                self.not_paid_out += 1;
                return;
            }
        };
        let key = (id.to_owned(), line.currency);
        if self.sums.len() >= MOST_BATCHES && !self.sums.contains_key(&key) {
            self.too_many = true;
            return;
        }
        let batch = self.sums.entry(key);
        batch.or_insert_with(|| Batch::new(id.to_owned(), line)).add(line);
    }

    /// Sorted by id and currency.
    pub fn finish(self) -> Vec<Batch> {
        self.sums.into_values().collect()
    }
}

//! The bank leg: payout batches of a provider against the lines of a bank statement.
//!
//! [`BankSource`]s read bank statements, [`batch`] sums a provider's rows per payout, [`leg`] compares the two,
//! and [`view`] shows the result in JSON. Pure, like everything here.

pub mod batch;
pub mod leg;
pub mod view;

use chrono::NaiveDate;
use mizan_core::Currency;

use crate::statement::{Check, Quarantined, StatementError};

pub use batch::{Batch, Batches, LoneRows};
pub use leg::{BankFinding, BankReport, BankRules, match_bank};

/// One movement on a bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankLine {
    /// Where it stands in the file.
    pub line_no: u64,
    pub account: Option<String>,
    /// Minor units; what the bank credits is positive.
    pub amount_minor: i64,
    pub currency: Currency,
    pub booked_on: NaiveDate,
    pub value_on: Option<NaiveDate>,
    /// False: announced, and not yet part of the balance.
    pub booked: bool,
    /// It takes back an earlier line. The amount has the direction of the reversal itself.
    pub reversal: bool,
    /// Ids that the bank or the payer gave it: end-to-end id, customer's and bank's reference, …
    pub references: Vec<String>,
    /// What it is for, in words.
    pub text: String,
}

/// What a reader made of one entry of a bank statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankRow {
    Line(BankLine),
    Quarantined(Quarantined),
}

/// A bank statement, one entry at a time.
pub trait BankSource {
    /// Tells this file from others.
    fn name(&self) -> &str;

    /// The next entry, or None at the end.
    fn next_row(&mut self) -> Result<Option<BankRow>, StatementError>;

    /// Balances, sums and counts of the file against what was read; complete once the file was read to its end.
    fn checks(&self) -> &[Check];

    /// The last day that the statement covers, as far as it says so.
    fn covers_until(&self) -> Option<NaiveDate>;
}

/// A whole bank statement, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankRead {
    pub lines: Vec<BankLine>,
    pub quarantined: Vec<Quarantined>,
    pub checks: Vec<Check>,
    pub covers_until: Option<NaiveDate>,
}

/// The most entries of one bank statement that are compared; a file with more is refused, never truncated.
pub const MOST_LINES: usize = 2_000_000;

impl BankRead {
    /// Reads to the end.
    pub fn all(source: &mut dyn BankSource) -> Result<Self, StatementError> {
        let mut read = Self::default();
        while let Some(row) = source.next_row()? {
            match row {
                BankRow::Line(line) => read.lines.push(line),
                BankRow::Quarantined(row) => read.quarantined.push(row),
            }
            if read.lines.len() + read.quarantined.len() > MOST_LINES {
                return Err(StatementError::TooManyRows { limit: MOST_LINES });
            }
        }
        read.checks = source.checks().to_vec();
        let last = read.lines.iter().map(|it| it.booked_on).max();
        read.covers_until = source.covers_until().max(last);
        Ok(read)
    }
}

//! SWIFT MT940 customer statements, as the standard (fields 20, 25, 28C, 60, 61, 86, 62) and the German, Polish and
//! Dutch dialects of it write them; one file may hold several messages, with or without the SWIFT block envelope.
//!
//! Every balance is checked: opening + Σ = closing.

mod balance;
mod details;
mod fields;
mod transaction;

use std::collections::VecDeque;
use std::io::BufRead;

use chrono::NaiveDate;

use self::balance::{Balance, Open};
use self::fields::{Field, Fields, Piece};
use self::transaction::Transaction;
use super::StatementError;
use super::check::Check;
use super::fault::Fault;
use crate::bank::{BankLine, BankRow, BankSource};

/// The most checks that are kept; each message makes one or two.
const MOST_CHECKS: usize = 10_000;

/// Reads messages one entry at a time.
#[derive(Debug)]
pub struct Mt940Reader<R> {
    name: String,
    fields: Fields<R>,
    open: Option<Open>,
    account: Option<String>,
    /// An entry whose details may still follow.
    entry: Option<Result<Transaction, (Field, Fault)>>,
    ready: VecDeque<BankRow>,
    checks: Vec<Check>,
    covers_until: Option<NaiveDate>,
    any: bool,
    ended: bool,
}

impl<R: BufRead> Mt940Reader<R> {
    pub fn open(name: impl Into<String>, input: R) -> Self {
        Self {
            name: name.into(),
            fields: Fields::new(input),
            open: None,
            account: None,
            entry: None,
            ready: VecDeque::new(),
            checks: Vec::new(),
            covers_until: None,
            any: false,
            ended: false,
        }
    }

    fn check(&mut self, check: Check) {
        if self.checks.len() < MOST_CHECKS {
            self.checks.push(check);
        }
    }

    fn take(&mut self, piece: Piece) {
        let field = match piece {
            Piece::EndOfMessage => {
                self.flush();
                self.close(None);
                self.account = None;
                return;
            }
            Piece::Field(field) => field,
            Piece::Stray(field) => {
                self.check(Check::new(
                    format!("line {}", field.line_no),
                    false,
                    format!("belongs to no field: '{}'", field.excerpt()),
                ));
                return;
            }
        };
        self.any = true;
        match field.tag.as_str() {
            "20" => {
                self.flush();
                self.close(None);
            }
            "25" | "25P" => self.account_named(&field),
            "60F" | "60M" => {
                self.flush();
                self.close(None);
                let opening = Balance::parse(field.text(), None);
                self.open = Some(Open::new(field.line_no, self.account.clone(), opening));
            }
            "61" => {
                self.flush();
                self.entry = Some(self.transaction(field));
            }
            "86" => {
                if let Some(Ok(entry)) = &mut self.entry {
                    entry.details(&field);
                }
                // Details of the statement as a whole follow its closing balance; nothing reads them.
                self.flush();
            }
            "62F" | "62M" => {
                self.flush();
                let currency = self.open.as_ref().and_then(|it| it.currency().ok());
                let closing = Balance::parse(field.text(), currency);
                self.close(Some((field.line_no, closing)));
            }
            _ => {}
        }
    }

    fn account_named(&mut self, field: &Field) {
        if self.open.is_some() || self.entry.is_some() {
            self.check(Check::new(
                format!("line {}", field.line_no),
                false,
                "field :25: (the account) stands after the opening balance; it was not read",
            ));
        } else {
            self.account = Some(field.text().chars().take(64).collect());
        }
    }

    fn transaction(&self, field: Field) -> Result<Transaction, (Field, Fault)> {
        let Some(open) = &self.open else {
            return Err((
                field,
                Fault::at("61", "no opening balance (:60F:) stands before it"),
            ));
        };
        let currency = match open.currency() {
            Ok(currency) => currency,
            Err(why) => {
                let reason = format!(
                    "the opening balance of line {} cannot be read: {why}",
                    open.line_no
                );
                return Err((field, Fault::at("60F", reason)));
            }
        };
        Transaction::parse(&field, currency).map_err(|fault| (field, fault))
    }

    /// Hands out the entry that is complete.
    fn flush(&mut self) {
        match self.entry.take() {
            None => {}
            Some(Ok(entry)) => {
                let line: BankLine = entry.into_line(self.account.clone());
                if let Some(open) = &mut self.open {
                    open.add(&line);
                }
                self.ready.push_back(BankRow::Line(line));
            }
            Some(Err((field, fault))) => {
                if let Some(open) = &mut self.open {
                    open.quarantined += 1;
                }
                let raw = format!(":{}:{}", field.tag, field.text());
                self.ready.push_back(BankRow::Quarantined(
                    fault.quarantined(field.line_no, raw.as_bytes()),
                ));
            }
        }
    }

    /// Ends the statement, and compares its balances.
    fn close(&mut self, closing: Option<(u64, Result<Balance, String>)>) {
        match (self.open.take(), closing) {
            (None, None) => {}
            (None, Some((line_no, _))) => self.check(Check::new(
                format!("closing balance of line {line_no}"),
                false,
                "no opening balance (:60F:) stands before it",
            )),
            (Some(open), closing) => {
                if let Some((_, Ok(closing))) = &closing {
                    self.covers_until = self.covers_until.max(Some(closing.on));
                }
                let check = open.compare(closing);
                self.check(check);
            }
        }
    }
}

impl<R: BufRead> BankSource for Mt940Reader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<BankRow>, StatementError> {
        while self.ready.is_empty() && !self.ended {
            let line_no = self.fields.line_no() + 1;
            let piece = self.fields.next();
            if let Some(piece) = piece.map_err(|source| StatementError::Io { line_no, source })? {
                self.take(piece);
                continue;
            }
            self.ended = true;
            self.flush();
            self.close(None);
            if !self.any {
                return Err(self.fields.nothing_read());
            }
        }
        Ok(self.ready.pop_front())
    }

    fn checks(&self) -> &[Check] {
        &self.checks
    }

    fn covers_until(&self) -> Option<NaiveDate> {
        self.covers_until
    }
}

#[cfg(test)]
mod tests;

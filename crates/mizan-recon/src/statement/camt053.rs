//! ISO 20022 camt.053 bank statements, versions 2 to 8, read as a stream: no DTD, no entities but the five of XML,
//! bounded depth and bounded texts.

mod entry;
mod statement;
mod values;
mod xml;

use std::collections::VecDeque;
use std::io::BufRead;

use chrono::NaiveDate;

use self::entry::Entry;
use self::statement::Statement;
use self::xml::{Step, Xml};
use super::StatementError;
use super::check::Check;
use crate::bank::{BankRow, BankSource};

/// The most checks that are kept; each statement makes a few.
const MOST_CHECKS: usize = 10_000;
/// Where statements stand in the document.
const STATEMENT: &str = "Document/BkToCstmrStmt/Stmt";
const ENTRY: &str = "Ntry";

/// Reads entries one at a time.
#[derive(Debug)]
pub struct Camt053Reader<R: BufRead> {
    name: String,
    xml: Xml<R>,
    statement: Option<Statement>,
    entry: Option<Entry>,
    ready: VecDeque<BankRow>,
    checks: Vec<Check>,
    covers_until: Option<NaiveDate>,
    statements: u64,
    ended: bool,
}

impl<R: BufRead> Camt053Reader<R> {
    pub fn open(name: impl Into<String>, input: R) -> Self {
        Self {
            name: name.into(),
            xml: Xml::new(input),
            statement: None,
            entry: None,
            ready: VecDeque::new(),
            checks: Vec::new(),
            covers_until: None,
            statements: 0,
            ended: false,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Start { path, line_no } => self.start(&path, line_no),
            Step::End { path, text, currency } => self.end(&path, text, currency.as_deref()),
        }
    }

    fn start(&mut self, path: &str, line_no: u64) {
        if path == STATEMENT {
            self.statements += 1;
            self.statement = Some(Statement::new(line_no));
            return;
        }
        let Some(inside) = inside(path, STATEMENT) else {
            return;
        };
        if inside == ENTRY {
            self.entry = Some(Entry::new(line_no));
        } else if let (Some(entry), Some(inside)) = (&mut self.entry, self::inside(inside, ENTRY)) {
            entry.start(inside);
        }
    }

    fn end(&mut self, path: &str, text: Result<String, String>, currency: Option<&str>) {
        if path == STATEMENT {
            if let Some(statement) = self.statement.take() {
                self.covers_until = self.covers_until.max(statement.covers_until());
                self.keep(statement.checks());
            }
            return;
        }
        let (Some(inside), Some(statement)) = (inside(path, STATEMENT), &mut self.statement) else {
            return;
        };
        if inside == ENTRY {
            if let Some(entry) = self.entry.take() {
                let made = entry.rows(statement.account(), &mut self.ready);
                statement.add(&made);
                let checks = made.check.into_iter().collect();
                self.keep(checks);
            }
        } else if let (Some(entry), Some(inside)) = (&mut self.entry, self::inside(inside, ENTRY)) {
            entry.end(inside, text, currency);
        } else {
            statement.end(inside, text, currency);
        }
    }

    fn keep(&mut self, checks: Vec<Check>) {
        let room = MOST_CHECKS.saturating_sub(self.checks.len());
        self.checks.extend(checks.into_iter().take(room));
    }
}

/// The part of a path below `parent`.
fn inside<'a>(path: &'a str, parent: &str) -> Option<&'a str> {
    path.strip_prefix(parent)?.strip_prefix('/')
}

impl<R: BufRead> BankSource for Camt053Reader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<BankRow>, StatementError> {
        while self.ready.is_empty() && !self.ended {
            if let Some(step) = self.xml.next()? {
                self.take(step);
                continue;
            }
            self.ended = true;
            if self.statements == 0 {
                return Err(StatementError::NotOfFormat {
                    format: "camt053",
                    reason: "the document has no statement (BkToCstmrStmt/Stmt)".to_owned(),
                });
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

//! The generic CSV format: columns found by their names in the header, in any order.
//!
//! The same reader reads the ledger's extract, which has no fee and names its transaction.

use std::io::BufRead;
use std::str::FromStr;

use csv::ByteRecord;
use mizan_core::Currency;

use super::columns::Columns;
pub use super::columns::{ColumnMap, SignConvention};
use super::records::{Framed, LONGEST, Records};
use super::{LineSource, Quarantined, Row, StatementError, cell};
use crate::line::{Line, LineFields};

/// How much of a quarantined row is kept, in characters.
const EXCERPT: usize = 200;

/// Reads a delimited file with a declared map of columns.
#[derive(Debug)]
pub struct GenericReader<R> {
    name: String,
    records: Records<R>,
    columns: Columns,
    map: ColumnMap,
}

/// The column at fault and what is wrong with it.
struct Fault {
    column: Option<String>,
    reason: String,
}

impl<R: BufRead> GenericReader<R> {
    /// Reads the header. `name` tells this file from others: it is part of the made-up event id of rows that
    /// have none.
    pub fn open(name: impl Into<String>, input: R, map: ColumnMap) -> Result<Self, StatementError> {
        let mut records = Records::new(input);
        let header = records
            .header()
            .map_err(|source| StatementError::Io { line_no: 1, source })?;
        let header = match header {
            None => {
                return Err(StatementError::Empty {
                    expected: map.expected(),
                });
            }
            Some(header) if header == b"\xef\xbb\xbf" => {
                return Err(StatementError::Empty {
                    expected: map.expected(),
                });
            }
            Some(header) if header.len() >= LONGEST => {
                return Err(StatementError::HeaderTooLong { limit: LONGEST });
            }
            Some(header) => header,
        };
        let (columns, separator) = Columns::find(&header, &map)?;
        records.separate_by(separator);
        Ok(Self {
            name: name.into(),
            records,
            columns,
            map,
        })
    }

    fn read(&self, line_no: u64, record: &ByteRecord) -> Result<Line, Fault> {
        let (columns, map) = (&self.columns, &self.map);
        let currency: Currency = word(record, columns.currency, &map.currency, &[])?;
        let kind = word(record, columns.kind, &map.kind, &map.kind_words)?;
        let status = word(record, columns.status, &map.status, &map.status_words)?;
        let amount = |column, name: &str| {
            let text = text_at(record, column, name)?;
            cell::amount(text, currency, map.decimal_comma).map_err(|reason| at(name, reason))
        };
        let mut amount_minor = amount(columns.amount, &map.amount)?;
        if map.signs == SignConvention::Signed && kind.direction() < 0 {
            let opposite = amount_minor.checked_neg();
            amount_minor = opposite
                .ok_or_else(|| at(&map.amount, "the amount is larger than can be kept".to_owned()))?;
        }
        let fee_minor = match columns.fee {
            Some(column) if !record.get(column).unwrap_or_default().is_empty() => {
                Some(amount(column, &map.fee)?)
            }
            _ => None,
        };
        let occurred_at = cell::time(
            text_at(record, columns.occurred_at, &map.occurred_at)?,
            map.time_zone,
        )
        .map_err(|reason| at(&map.occurred_at, reason))?;
        let event_id = optional_text(record, columns.event_id, &map.event_id)?;
        let reference = optional_text(record, columns.reference, &map.reference)?;
        if event_id.is_none() && reference.is_none() {
            let reason = format!(
                "neither {} nor {}: nothing to match the row by",
                map.event_id, map.reference
            );
            return Err(Fault { column: None, reason });
        }
        Ok(Line::new(LineFields {
            row_no: line_no,
            event_id,
            reference,
            kind,
            amount_minor,
            fee_minor,
            currency,
            status,
            occurred_at,
            payout_id: optional_text(record, columns.payout_id, &map.payout_id)?,
            transaction_id: optional_text(record, columns.transaction_id, &map.transaction_id)?,
        }))
    }
}

impl<R: BufRead> LineSource for GenericReader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        let line_no = self.records.line_no() + 1;
        let framed = self.records.next(self.columns.width);
        let Some(Framed { line_no, raw, fields }) =
            framed.map_err(|source| StatementError::Io { line_no, source })?
        else {
            return Ok(None);
        };
        let line = match fields {
            Ok(record) => self.read(line_no, &record),
            Err(reason) => Err(Fault { column: None, reason }),
        };
        Ok(Some(match line {
            Ok(line) => Row::Line(line),
            Err(Fault { column, reason }) => Row::Quarantined(Quarantined {
                line_no,
                column,
                reason,
                raw_excerpt: String::from_utf8_lossy(&raw).chars().take(EXCERPT).collect(),
            }),
        }))
    }

    fn ignored_columns(&self) -> &[String] {
        &self.columns.ignored
    }
}

fn at(column: &str, reason: String) -> Fault {
    Fault {
        column: Some(column.to_owned()),
        reason,
    }
}

fn text_at<'a>(record: &'a ByteRecord, column: usize, name: &str) -> Result<&'a str, Fault> {
    std::str::from_utf8(record.get(column).unwrap_or_default()).map_err(|_| at(name, "not UTF-8".to_owned()))
}

fn optional_text<'a>(
    record: &'a ByteRecord,
    column: Option<usize>,
    name: &str,
) -> Result<Option<&'a str>, Fault> {
    match column {
        Some(column) => cell::text(text_at(record, column, name)?).map_err(|reason| at(name, reason)),
        None => Ok(None),
    }
}

/// A word of a fixed vocabulary, or one that the map declares.
fn word<T>(record: &ByteRecord, column: usize, name: &str, declared: &[(String, T)]) -> Result<T, Fault>
where
    T: FromStr<Err: std::fmt::Display> + Copy,
{
    let text = text_at(record, column, name)?;
    match declared.iter().find(|it| it.0 == text) {
        Some((_, known)) => Ok(*known),
        None => text.parse().map_err(|error: T::Err| at(name, error.to_string())),
    }
}

//! One record of a generic file to the fields of a row, or the column at fault.
//!
//! Both ways of reading a file end here: cells are bytes in place, and what is usual is read from them without
//! making a text. Whatever is not usual takes the slower road, which also words the reasons.

use std::str::FromStr;

use csv::ByteRecord;
use mizan_core::Currency;

use super::columns::{ColumnMap, Columns, SignConvention};
use super::{Quarantined, cell};
use crate::line::{LineFields, LineKind, LineStatus};

/// How much of a quarantined row is kept, in characters.
const EXCERPT: usize = 200;

/// The cells of one record.
pub(super) trait Cells<'a> {
    fn cell(&self, column: usize) -> &'a [u8];

    /// The cell as text, for an id or a reference. None: it is not UTF-8.
    #[inline]
    fn text(&self, column: usize) -> Option<&'a str> {
        std::str::from_utf8(self.cell(column)).ok()
    }

    /// Whether no cell has a NUL byte, as far as that is known.
    #[inline]
    fn no_nul(&self) -> bool {
        false
    }
}

impl<'a> Cells<'a> for &'a ByteRecord {
    fn cell(&self, column: usize) -> &'a [u8] {
        self.get(column).unwrap_or_default()
    }
}

/// The column at fault and what is wrong with it.
#[derive(Debug)]
pub(super) struct Fault {
    pub column: Option<String>,
    pub reason: String,
}

impl Fault {
    pub(super) fn quarantined(self, line_no: u64, raw: &[u8]) -> Quarantined {
        // A character has at most four bytes.
        let raw = &raw[..raw.len().min(EXCERPT * 4)];
        Quarantined {
            line_no,
            column: self.column,
            reason: self.reason,
            raw_excerpt: String::from_utf8_lossy(raw).chars().take(EXCERPT).collect(),
        }
    }
}

/// Words that were read before, so that a file's few words are looked up once.
#[derive(Debug, Default)]
pub(super) struct Memo {
    kinds: Words<LineKind>,
    statuses: Words<LineStatus>,
    currencies: Words<Currency>,
}

#[derive(Debug)]
struct Words<T>(Vec<(Vec<u8>, T)>);

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Words<T> {
    /// More words than these are looked up each time.
    const MOST: usize = 16;

    #[inline]
    fn get(&mut self, text: &[u8], read: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        if let Some((_, known)) = self.0.iter().find(|it| it.0 == text) {
            return Ok(*known);
        }
        let value = read()?;
        if self.0.len() < Self::MOST {
            self.0.push((text.to_vec(), value));
        }
        Ok(value)
    }
}

/// What a file's columns mean.
#[derive(Debug)]
pub(super) struct Layout {
    pub columns: Columns,
    pub map: ColumnMap,
}

impl Layout {
    pub(super) fn read<'a>(
        &self,
        line_no: u64,
        cells: &impl Cells<'a>,
        memo: &mut Memo,
    ) -> Result<LineFields<'a>, Fault> {
        let (columns, map) = (&self.columns, &self.map);
        let text = cells.cell(columns.currency);
        let currency = memo.currencies.get(text, || word(text, &map.currency, &[]))?;
        let text = cells.cell(columns.kind);
        let kind = memo.kinds.get(text, || word(text, &map.kind, &map.kind_words))?;
        let text = cells.cell(columns.status);
        let status = memo
            .statuses
            .get(text, || word(text, &map.status, &map.status_words))?;
        let mut amount_minor = self.amount(cells.cell(columns.amount), currency, &map.amount)?;
        if map.signs == SignConvention::Signed && kind.direction() < 0 {
            let opposite = amount_minor.checked_neg();
            amount_minor = opposite
                .ok_or_else(|| at(&map.amount, "the amount is larger than can be kept".to_owned()))?;
        }
        let fee_minor = match columns.fee.map(|it| cells.cell(it)) {
            Some(text) if !text.is_empty() => Some(self.amount(text, currency, &map.fee)?),
            _ => None,
        };
        let text = cells.cell(columns.occurred_at);
        let occurred_at = match cell::usual_time(text) {
            Some(it) => it,
            None => cell::time(utf8(text, &map.occurred_at)?, map.time_zone)
                .map_err(|reason| at(&map.occurred_at, reason))?,
        };
        let event_id = optional_text(cells, columns.event_id, &map.event_id)?;
        let reference = optional_text(cells, columns.reference, &map.reference)?;
        if event_id.is_none() && reference.is_none() {
            let reason = format!(
                "neither {} nor {}: nothing to match the row by",
                map.event_id, map.reference
            );
            return Err(Fault { column: None, reason });
        }
        Ok(LineFields {
            row_no: line_no,
            event_id,
            reference,
            kind,
            amount_minor,
            fee_minor,
            currency,
            status,
            occurred_at,
            payout_id: optional_text(cells, columns.payout_id, &map.payout_id)?,
            transaction_id: optional_text(cells, columns.transaction_id, &map.transaction_id)?,
        })
    }

    #[inline]
    fn amount(&self, text: &[u8], currency: Currency, column: &str) -> Result<i64, Fault> {
        let point = if self.map.decimal_comma { b',' } else { b'.' };
        if let Some(minor) = cell::usual_amount(text, currency.exponent(), point) {
            return Ok(minor);
        }
        cell::amount(utf8(text, column)?, currency, self.map.decimal_comma)
            .map_err(|reason| at(column, reason))
    }
}

fn at(column: &str, reason: String) -> Fault {
    Fault {
        column: Some(column.to_owned()),
        reason,
    }
}

fn utf8<'a>(text: &'a [u8], column: &str) -> Result<&'a str, Fault> {
    std::str::from_utf8(text).map_err(|_| at(column, "not UTF-8".to_owned()))
}

#[inline]
fn optional_text<'a>(
    cells: &impl Cells<'a>,
    column: Option<usize>,
    name: &str,
) -> Result<Option<&'a str>, Fault> {
    match column {
        Some(column) => {
            let text = cells
                .text(column)
                .ok_or_else(|| at(name, "not UTF-8".to_owned()))?;
            cell::text_of(text, cells.no_nul()).map_err(|reason| at(name, reason))
        }
        None => Ok(None),
    }
}

/// A word of a fixed vocabulary, or one that the map declares.
fn word<T>(text: &[u8], column: &str, declared: &[(String, T)]) -> Result<T, Fault>
where
    T: FromStr<Err: std::fmt::Display> + Copy,
{
    let text = utf8(text, column)?;
    match declared.iter().find(|it| it.0 == text) {
        Some((_, known)) => Ok(*known),
        None => text
            .parse()
            .map_err(|error: T::Err| at(column, error.to_string())),
    }
}

//! Rows by a declared map: a delimited file, or the objects of an NDJSON file, with names, words, numbers and
//! times as a map file says they are written.

use std::io::BufRead;
use std::str::FromStr;

use chrono::{Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use mizan_core::clock::to_micros;
use mizan_core::{Currency, Timestamp};

use super::fault::Fault;
use super::map_file::{FileMap, FileStyle, Signs, Word};
use super::table::{Cells, Expected, Table};
use super::{LineSource, Row, StatementError, cell};
use crate::line::{Line, LineFields, LineKind, LineStatus};

/// Reads a delimited file by a map file.
#[derive(Debug)]
pub struct DeclaredReader<R> {
    name: String,
    table: Table<R>,
    map: FileMap,
    ignored: Vec<String>,
}

impl<R: BufRead> DeclaredReader<R> {
    /// Reads the header. `name` tells this file from others.
    pub fn open(name: impl Into<String>, input: R, map: FileMap) -> Result<Self, StatementError> {
        let columns = &map.columns;
        let keys = [columns.event_id.as_str(), &columns.reference];
        let mut wanted: Vec<Vec<&str>> = vec![keys.to_vec()];
        match (&columns.debit, &columns.credit) {
            (Some(debit), Some(credit)) => wanted.extend([vec![debit.as_str()], vec![credit.as_str()]]),
            _ => wanted.push(vec![&columns.amount]),
        }
        for (name, constant) in [
            (&columns.kind, map.constant.kind.is_some()),
            (&columns.currency, map.constant.currency.is_some()),
            (&columns.status, map.constant.status.is_some()),
            (&columns.occurred_at, false),
        ] {
            if !constant {
                wanted.push(vec![name]);
            }
        }
        let wanted: Vec<&[&str]> = wanted.iter().map(Vec::as_slice).collect();
        let expected = Expected {
            format: "generic",
            columns: &wanted,
            separator: map.file.separator.map(super::map_file::Separator::byte),
        };
        let table = Table::open(input, &expected)?;
        let ignored = table.ignored(&map.names());
        Ok(Self {
            name: name.into(),
            table,
            map,
            ignored,
        })
    }
}

impl<R: BufRead + Send> LineSource for DeclaredReader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        let map = &self.map;
        self.table
            .next_row(|line_no, row| line(map, line_no, row).map(Some))
    }

    fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }
}

/// One row, as the map says it is written.
pub(super) fn line(map: &FileMap, row_no: u64, cells: &impl Cells) -> Result<Line, Fault> {
    let columns = &map.columns;
    let currency: Currency = word(cells, &columns.currency, map.constant.currency, |_| None)?;
    let kind: LineKind = word(cells, &columns.kind, map.constant.kind, |it| {
        map.kinds.get(it).copied()
    })?;
    let status: LineStatus = word(cells, &columns.status, map.constant.status, |it| {
        map.statuses.get(it).copied()
    })?;
    let amount_minor = amount(map, cells, currency, kind)?;
    let fee = cells.get(&columns.fee)?.unwrap_or_default();
    let fee_minor = if fee.is_empty() {
        None
    } else {
        Some(minor(map, &columns.fee, fee, currency)?)
    };
    let occurred_at = time(&map.file, cells.need(&columns.occurred_at)?)
        .map_err(|reason| Fault::at(&columns.occurred_at, reason))?;
    let (event_id, reference) = (cells.id(&columns.event_id)?, cells.id(&columns.reference)?);
    if event_id.is_none() && reference.is_none() {
        return Err(Fault::row(format!(
            "neither {} nor {}: nothing to match the row by",
            columns.event_id, columns.reference
        )));
    }
    Ok(Line::new(LineFields {
        row_no,
        event_id,
        reference,
        kind,
        amount_minor,
        fee_minor,
        currency,
        status,
        occurred_at,
        payout_id: cells.id(&columns.payout_id)?,
        transaction_id: cells.id(&columns.transaction_id)?,
    }))
}

fn word<T: FromStr<Err: std::fmt::Display>>(
    cells: &impl Cells,
    name: &str,
    constant: Option<Word<T>>,
    declared: impl Fn(&str) -> Option<Word<T>>,
) -> Result<T, Fault> {
    let text = match (cells.get(name)?, constant) {
        (None | Some(""), Some(constant)) => return Ok(constant.0),
        (Some(text), _) => text,
        (None, None) => return Err(Fault::at(name, "missing")),
    };
    match declared(text) {
        Some(word) => Ok(word.0),
        None => text
            .parse()
            .map_err(|error: T::Err| Fault::at(name, error.to_string())),
    }
}

fn minor(map: &FileMap, name: &str, text: &str, currency: Currency) -> Result<i64, Fault> {
    if map.file.minor_units {
        return text
            .parse()
            .map_err(|_| Fault::at(name, "a whole number of minor units is expected"));
    }
    cell::amount(text, currency, map.file.decimal_comma).map_err(|reason| Fault::at(name, reason))
}

/// The amount in the direction of the kind.
fn amount(map: &FileMap, cells: &impl Cells, currency: Currency, kind: LineKind) -> Result<i64, Fault> {
    let columns = &map.columns;
    let (name, written, by_sign) = if let (Some(debit), Some(credit)) = (&columns.debit, &columns.credit) {
        (debit, credited(map, cells, currency, (debit, credit))?, true)
    } else {
        let text = cells.need(&columns.amount)?;
        let written = minor(map, &columns.amount, text, currency)?;
        (&columns.amount, written, map.file.signs == Signs::Signed)
    };
    if by_sign && kind.direction() < 0 {
        return written.checked_neg().ok_or_else(|| too_large(name));
    }
    Ok(written)
}

/// Credit less debit; one of the two columns is empty, or zero.
fn credited(
    map: &FileMap,
    cells: &impl Cells,
    currency: Currency,
    (debit, credit): (&str, &str),
) -> Result<i64, Fault> {
    let cell_of = |name: &str| match cells.need(name)? {
        "" => Ok(None),
        text => minor(map, name, text, currency).map(Some),
    };
    match (cell_of(debit)?, cell_of(credit)?) {
        (Some(debited), None | Some(0)) => debited.checked_neg().ok_or_else(|| too_large(debit)),
        (None | Some(0), Some(credited)) => Ok(credited),
        (Some(_), Some(_)) => Err(Fault::at(debit, format!("both {debit} and {credit}"))),
        (None, None) => Err(Fault::at(debit, format!("neither {debit} nor {credit}"))),
    }
}

fn too_large(name: &str) -> Fault {
    Fault::at(name, "the amount is larger than can be kept")
}

/// A time as the file writes it.
pub(super) fn time(style: &FileStyle, text: &str) -> Result<Timestamp, String> {
    let zone = style.zone();
    let written = style.time_format.as_ref();
    let date_format = written.map_or("%Y-%m-%d", |it| it.0.as_str());
    if let Ok(date) = NaiveDate::parse_from_str(text, date_format)
        && (written.is_some() || text.len() == 10)
        && NaiveDateTime::parse_from_str(text, date_format).is_err()
    {
        let begins = match style.cut_off {
            Some(cut_off) => date
                .checked_sub_days(Days::new(1))
                .ok_or("the date is too early")?
                .and_time(cut_off.0),
            None => date.and_time(NaiveTime::MIN),
        };
        return moment(begins, zone);
    }
    match written {
        None => cell::time(text, zone),
        Some(format) => match NaiveDateTime::parse_from_str(text, &format.0) {
            Ok(local) => moment(local, zone),
            Err(_) => Err(format!(
                "a time is written like {} here; seen '{}'",
                format.0,
                text.chars().take(40).collect::<String>()
            )),
        },
    }
}

/// A local time as a moment; of one that occurs twice the earlier, and none of one that never occurs.
pub(super) fn moment(local: NaiveDateTime, zone: Tz) -> Result<Timestamp, String> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Ok(to_micros(at.to_utc())),
        MappedLocalTime::None => Err(format!(
            "{local} does not exist in {zone}: clocks go forward over it"
        )),
    }
}

#[cfg(test)]
mod tests;

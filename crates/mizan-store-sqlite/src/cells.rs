//! Reading rows, cell by cell. What cannot be read is named with table, column and id.
//!
//! SQLite keeps ids as lower-case hyphenated text and times as UTC text of one width, so that both sort as
//! they should. [`stamp`] and [`id_text`] write them, [`Cells`] reads them.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use mizan_core::{Currency, Money, Timestamp};
use mizan_store::{Result, StoreError};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, ValueRef};
use uuid::Uuid;

/// A time as it is stored: `2026-01-31T23:59:59.000000Z`, finer parts cut off.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(crate) fn stamp_opt(at: Option<Timestamp>) -> Option<String> {
    at.map(stamp)
}

/// An id as it is stored: `01920000-0000-7000-8000-000000000000`.
pub(crate) fn id_text(id: Uuid) -> String {
    id.hyphenated().to_string()
}

/// The cells of one row, read from the first to the last. The first one is the row's id.
pub(crate) struct Cells<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    next: usize,
}

impl<'r> Cells<'r> {
    pub fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Self { row, table, next: 0 }
    }

    /// The error for a cell of this row.
    pub fn corrupt(&self, column: &'static str, problem: impl ToString) -> StoreError {
        let id = match self.row.get_ref(0) {
            Ok(ValueRef::Integer(id)) => id.to_string(),
            Ok(ValueRef::Text(id)) => String::from_utf8_lossy(id).into_owned(),
            _ => "?".to_owned(),
        };
        StoreError::corrupt(self.table, column, id, problem)
    }

    /// The next cell.
    pub fn get<T: FromSql>(&mut self, column: &'static str) -> Result<T> {
        let index = self.next;
        self.next += 1;
        let cell = self
            .row
            .get_ref(index)
            .map_err(|error| self.corrupt(column, error))?;
        T::column_result(cell).map_err(|error| match error {
            FromSqlError::InvalidType => {
                self.corrupt(column, format_args!("{} is not expected", cell.data_type()))
            }
            other => self.corrupt(column, other),
        })
    }

    /// The next cell, made into what it stands for.
    pub fn read<S: FromSql, T, E: Display>(
        &mut self,
        column: &'static str,
        make: impl FnOnce(S) -> Result<T, E>,
    ) -> Result<T> {
        let stored = self.get::<S>(column)?;
        make(stored).map_err(|error| self.corrupt(column, error))
    }

    /// The next cell, read as a word, a key or the like.
    pub fn parsed<T>(&mut self, column: &'static str) -> Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.read(column, |text: String| text.parse::<T>())
    }

    pub fn parsed_opt<T>(&mut self, column: &'static str) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.read(column, |text: Option<String>| {
            text.map(|it| it.parse::<T>()).transpose()
        })
    }

    pub fn id<T: From<Uuid>>(&mut self, column: &'static str) -> Result<T> {
        self.parsed::<Uuid>(column).map(T::from)
    }

    pub fn id_opt<T: From<Uuid>>(&mut self, column: &'static str) -> Result<Option<T>> {
        Ok(self.parsed_opt::<Uuid>(column)?.map(T::from))
    }

    pub fn time(&mut self, column: &'static str) -> Result<Timestamp> {
        self.read(column, |text: String| time(&text))
    }

    pub fn time_opt(&mut self, column: &'static str) -> Result<Option<Timestamp>> {
        self.read(column, |text: Option<String>| {
            text.as_deref().map(time).transpose()
        })
    }

    /// An amount, and the currency in the cell after it.
    pub fn money(&mut self, column: &'static str) -> Result<Money> {
        let minor = self.get(column)?;
        let currency: Currency = self.parsed("currency")?;
        Ok(Money::new(minor, currency))
    }

    pub fn bytes<const N: usize>(&mut self, column: &'static str) -> Result<[u8; N]> {
        self.read(column, |bytes: Vec<u8>| {
            <[u8; N]>::try_from(bytes).map_err(|it| format!("{} bytes instead of {N}", it.len()))
        })
    }
}

fn time(text: &str) -> Result<Timestamp, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text).map(|it| it.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_one_width_sort_as_text_and_read_back() {
        let moments = [
            (0, 0),
            (1, 999),
            (1, 1_000),
            (1, 999_999_000),
            (253_402_300_799, 0),
        ];
        let stamps: Vec<_> = moments
            .iter()
            .map(|(second, nano)| stamp(Timestamp::from_timestamp(*second, *nano).unwrap()))
            .collect();
        assert!(stamps.is_sorted(), "{stamps:?}");
        assert!(stamps.iter().all(|it| it.len() == 27), "{stamps:?}");
        assert_eq!(
            stamps[1], "1970-01-01T00:00:01.000000Z",
            "finer than a microsecond is cut off"
        );
        for text in stamps {
            assert_eq!(stamp(time(&text).unwrap()), text);
        }
    }
}

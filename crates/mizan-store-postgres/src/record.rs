//! Reading rows. A value that cannot be read names its table, column and row.

use std::fmt::Display;
use std::str::FromStr;

use mizan_core::{Currency, Minor, Money};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

/// One column of many rows, for a statement that takes arrays.
pub(crate) fn column<'a, T, C>(rows: &'a [T], cell: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(cell).collect()
}

/// A row of a table, with the column that tells it from others.
pub(crate) struct Record<'a> {
    row: &'a Row,
    table: &'static str,
    key: &'static str,
}

impl<'a> Record<'a> {
    pub(crate) fn new(row: &'a Row, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    /// A column as the driver reads it.
    pub(crate) fn get<T: FromSql<'a>>(&self, column: &'static str) -> Result<T> {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, &error))
    }

    /// A column of words, amounts of a currency, keys: text that has to be one of those that are known.
    pub(crate) fn word<T>(&self, column: &'static str) -> Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text: &str = self.get(column)?;
        text.parse().map_err(|error: T::Err| self.corrupt(column, &error))
    }

    /// As [`Self::word`], where there may be none.
    pub(crate) fn maybe_word<T>(&self, column: &'static str) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text: Option<&str> = self.get(column)?;
        text.map(|it| it.parse().map_err(|error: T::Err| self.corrupt(column, &error)))
            .transpose()
    }

    /// An id of one of the types that wrap a UUID.
    pub(crate) fn id<T: From<Uuid>>(&self, column: &'static str) -> Result<T> {
        self.get::<Uuid>(column).map(T::from)
    }

    pub(crate) fn maybe_id<T: From<Uuid>>(&self, column: &'static str) -> Result<Option<T>> {
        Ok(self.get::<Option<Uuid>>(column)?.map(T::from))
    }

    /// The columns `amount` and `currency`.
    pub(crate) fn money(&self) -> Result<Money> {
        let currency: Currency = self.word("currency")?;
        Ok(Money::new(self.get::<Minor>("amount")?, currency))
    }

    /// Bytes of a fixed length.
    pub(crate) fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N]> {
        let bytes: &[u8] = self.get(column)?;
        bytes
            .try_into()
            .map_err(|_| self.corrupt(column, &format_args!("{} bytes instead of {N}", bytes.len())))
    }

    pub(crate) fn corrupt(&self, column: &'static str, problem: &dyn Display) -> StoreError {
        StoreError::corrupt(self.table, column, self.key_text(), problem)
    }

    fn key_text(&self) -> String {
        let key = self.key;
        self.row
            .try_get::<_, Uuid>(key)
            .map(|it| it.to_string())
            .or_else(|_| self.row.try_get::<_, i64>(key).map(|it| it.to_string()))
            .or_else(|_| self.row.try_get::<_, i32>(key).map(|it| it.to_string()))
            .or_else(|_| self.row.try_get::<_, String>(key))
            .unwrap_or_else(|_| "?".to_owned())
    }
}

//! SQL statements as named constants, and the few ways to run them.
//!
//! Every statement of a noun is declared with [`statements!`], which also lists it, so that one test can
//! prepare them all. They run through the connection's statement cache.

use mizan_store::{Result, StoreError};
use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, Params};

use crate::cells::Cells;
use crate::error::refused;

/// One statement with the name of its constant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub name: &'static str,
    pub sql: &'static str,
}

/// Declares statements as constants, and all of them as `STATEMENTS`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: crate::statement::Statement =
            crate::statement::Statement { name: stringify!($name), sql: $sql };)+
        pub(crate) const STATEMENTS: &[crate::statement::Statement] = &[$($name),+];
    };
}
pub(crate) use statements;

pub(crate) fn prepare<'db>(db: &'db Connection, statement: &Statement) -> Result<CachedStatement<'db>> {
    db.prepare_cached(statement.sql)
        .map_err(|error| refused(statement, error))
}

/// Runs a write; the number of rows that it touched.
pub(crate) fn execute(db: &Connection, statement: &Statement, params: impl Params) -> Result<u64> {
    let touched = prepare(db, statement)?
        .execute(params)
        .map_err(|error| refused(statement, error))?;
    Ok(touched as u64)
}

/// Runs a write that must touch exactly one row.
pub(crate) fn execute_one(db: &Connection, statement: &Statement, params: impl Params) -> Result<()> {
    let touched = execute(db, statement, params)?;
    StoreError::expect_rows(statement.name, 1, touched)
}

/// As [`execute_one`], of a statement that is prepared once for many rows.
pub(crate) fn run_one(
    prepared: &mut CachedStatement<'_>,
    statement: &Statement,
    params: impl Params,
) -> Result<()> {
    let touched = prepared
        .execute(params)
        .map_err(|error| refused(statement, error))?;
    StoreError::expect_rows(statement.name, 1, touched as u64)
}

/// All rows of a query. `table` is what a row that cannot be read is said to be of.
pub(crate) fn all<T>(
    db: &Connection,
    statement: &Statement,
    params: impl Params,
    table: &'static str,
    read: impl Fn(&mut Cells<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut prepared = prepare(db, statement)?;
    let mut rows = prepared
        .query(params)
        .map_err(|error| refused(statement, error))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(|error| refused(statement, error))? {
        found.push(read(&mut Cells::new(row, table))?);
    }
    Ok(found)
}

/// The first row of a query.
pub(crate) fn first<T>(
    db: &Connection,
    statement: &Statement,
    params: impl Params,
    table: &'static str,
    read: impl Fn(&mut Cells<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut prepared = prepare(db, statement)?;
    let mut rows = prepared
        .query(params)
        .map_err(|error| refused(statement, error))?;
    match rows.next().map_err(|error| refused(statement, error))? {
        Some(row) => read(&mut Cells::new(row, table)).map(Some),
        None => Ok(None),
    }
}

/// The one value of a query that always has one row.
pub(crate) fn value<T: FromSql>(db: &Connection, statement: &Statement, params: impl Params) -> Result<T> {
    prepare(db, statement)?
        .query_row(params, |row| row.get(0))
        .map_err(|error| refused(statement, error))
}

/// A count of rows.
pub(crate) fn count(db: &Connection, statement: &Statement, params: impl Params) -> Result<u64> {
    value::<i64>(db, statement, params).map(i64::unsigned_abs)
}

//! One step: its SQL, the check of all foreign keys and its record, in one transaction.

use mizan_store::migrate::{MigrateError, Step};
use rusqlite::{Connection, Error, ErrorCode};

use super::{BUSY_TIMEOUT, DIALECT, refused};

const BROKEN_KEYS: &str =
    "SELECT \"table\", coalesce(rowid, 0), parent FROM pragma_foreign_key_check ORDER BY 1 LIMIT 1";

/// A row whose parent is gone.
#[derive(Debug, thiserror::Error)]
#[error("row {rowid} of {table} would refer to nothing in {parent}")]
struct BrokenKey {
    table: String,
    rowid: i64,
    parent: String,
}

pub(super) fn run(connection: &Connection, step: &Step) -> Result<(), MigrateError> {
    connection.execute_batch(DIALECT.prepare).map_err(refused)?;
    let outcome = in_transaction(connection, step);
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(refused)?;
    }
    outcome
}

fn in_transaction(connection: &Connection, step: &Step) -> Result<(), MigrateError> {
    let explain = |error| explain(step, error);
    connection.execute_batch(DIALECT.begin).map_err(explain)?;
    connection.execute_batch(step.sql()).map_err(explain)?;
    if let Some(broken) = broken_key(connection).map_err(explain)? {
        return Err(MigrateError::Step {
            step: step.to_string(),
            source: Box::new(broken),
        });
    }
    connection.execute_batch(&DIALECT.record(step)).map_err(explain)?;
    connection.execute_batch(DIALECT.commit).map_err(explain)
}

fn broken_key(connection: &Connection) -> rusqlite::Result<Option<BrokenKey>> {
    let mut statement = connection.prepare(BROKEN_KEYS)?;
    let mut rows = statement.query_map([], |row| {
        Ok(BrokenKey {
            table: row.get(0)?,
            rowid: row.get(1)?,
            parent: row.get(2)?,
        })
    })?;
    rows.next().transpose()
}

/// SQLite does not know who the other one is.
fn explain(step: &Step, error: Error) -> MigrateError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => MigrateError::Busy {
            step: step.to_string(),
            waited: BUSY_TIMEOUT,
            blockers: "another connection is using the database file".to_owned(),
        },
        _ => MigrateError::Step {
            step: step.to_string(),
            source: Box::new(error),
        },
    }
}

//! What SQLite says, in the words of the storage contract.
//!
//! SQLite names the columns of a broken UNIQUE, the name of a broken CHECK and nothing for a foreign key; the
//! table is taken from the statement.

use mizan_store::StoreError;
use rusqlite::ffi::{
    SQLITE_CONSTRAINT_CHECK, SQLITE_CONSTRAINT_DATATYPE, SQLITE_CONSTRAINT_PRIMARYKEY,
    SQLITE_CONSTRAINT_UNIQUE,
};
use rusqlite::{Error, ErrorCode};

use crate::statement::Statement;

/// An error of a statement.
pub(crate) fn refused(statement: &Statement, error: Error) -> StoreError {
    let Some(code) = error.sqlite_error().copied() else {
        return StoreError::Database(Box::new(error));
    };
    let message = message(&error);
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Collision {
            what: format!(
                "the database file is locked by another process: {}",
                statement.name
            ),
        },
        ErrorCode::ConstraintViolation => constraint(statement, code.extended_code, &message),
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OutOfMemory => unavailable(error),
        _ if lacks_schema(&message) => StoreError::NotMigrated(Box::new(error)),
        _ => StoreError::Database(Box::new(error)),
    }
}

/// The file cannot be opened, read or written.
pub(crate) fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable(error.into())
}

fn message(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

fn lacks_schema(message: &str) -> bool {
    ["no such table", "no such column", "has no column named"]
        .iter()
        .any(|it| message.contains(it))
}

fn constraint(statement: &Statement, code: i32, message: &str) -> StoreError {
    let detail = message
        .split_once(": ")
        .map_or(message.trim_end_matches(" constraint failed"), |it| it.1);
    match code {
        // "cannot store REAL value in INTEGER column balances.posted": a sum left 64 bits.
        SQLITE_CONSTRAINT_DATATYPE if message.contains("REAL value in INTEGER") => StoreError::Overflow,
        SQLITE_CONSTRAINT_CHECK if detail == "ck_balances_posted" => StoreError::Overflow,
        // "UNIQUE constraint failed: players.tenant_id, players.email"
        SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY => {
            let table = detail.split('.').next().unwrap_or_default();
            let columns = detail.replace(&format!("{table}."), "");
            StoreError::Constraint {
                table: table.to_owned(),
                constraint: format!("UNIQUE ({columns})"),
            }
        }
        _ => StoreError::Constraint {
            table: table_of(statement.sql).to_owned(),
            constraint: detail.to_owned(),
        },
    }
}

/// The table that a write is about.
fn table_of(sql: &str) -> &str {
    let mut words = sql.split_whitespace();
    match words.find(|it| matches!(*it, "INTO" | "UPDATE" | "FROM")) {
        Some(_) => words.next().unwrap_or_default(),
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn check(write: &'static str, expected: &str) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE kinds (name TEXT NOT NULL PRIMARY KEY) STRICT;
             CREATE TABLE things (
                 a INTEGER NOT NULL CONSTRAINT ck_things_a CHECK (a > 0),
                 b TEXT,
                 kind TEXT REFERENCES kinds (name),
                 CONSTRAINT uq_things UNIQUE (a, b)) STRICT;
             INSERT INTO things (a, b) VALUES (9223372036854775807, 'x');",
        )
        .unwrap();
        let statement = Statement {
            name: "WRITE",
            sql: write,
        };
        let error = crate::statement::execute(&db, &statement, []).expect_err(write);
        assert_eq!(error.to_string(), expected, "{write}");
    }

    #[test]
    fn refusals_of_the_database_become_words_of_the_contract() {
        check(
            "INSERT INTO things (a, b) VALUES (9223372036854775807, 'x')",
            "constraint UNIQUE (a, b) refused a write to things",
        );
        check(
            "UPDATE things SET a = 0",
            "constraint ck_things_a refused a write to things",
        );
        check(
            "UPDATE things SET kind = 'none'",
            "constraint FOREIGN KEY refused a write to things",
        );
        check(
            "UPDATE things SET a = a + 1",
            "a balance would be larger than can be kept",
        );
        check(
            "UPDATE missing SET a = 1",
            "the database is not migrated to this version",
        );
        check(
            "UPDATE things SET missing = 1",
            "the database is not migrated to this version",
        );
        check("UPDATE things SETT a = 1", "the database refused a statement");
    }
}

//! The driver's errors in the words of the contract.

use std::error::Error as _;

use mizan_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Unique keys that only a rival can have taken since they were looked at: trying again decides anew.
const TAKEN_BY_A_RIVAL: [&str; 2] = ["pk_transactions", "chain_blocks_pkey"];

/// What an error of a statement means.
pub(crate) fn store_error(error: Error) -> StoreError {
    let Some(database) = error.as_db_error() else {
        let io = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        return if error.is_closed() || io {
            StoreError::Unavailable(Box::new(error))
        } else {
            StoreError::Database(Box::new(error))
        };
    };
    let code = database.code();
    match code.code() {
        // serialization failure, deadlock, lock not available
        "40001" | "40P01" | "55P03" => StoreError::Collision {
            what: database.message().to_owned(),
        },
        // The plan of a cached statement outlived a migration, or its connection was swapped by a pooler.
        "0A000" | "26000" if is_stale_plan(&error) => StoreError::Collision {
            what: "the database was migrated meanwhile".to_owned(),
        },
        "22003" => StoreError::Overflow,
        "23505" if TAKEN_BY_A_RIVAL.contains(&constraint(database)) || is_number(database) => {
            StoreError::Collision {
                what: constraint(database).to_owned(),
            }
        }
        // Told apart by whoever writes the journal.
        "23514" if lacks_partition(&error) => StoreError::Database(Box::new(error)),
        "23502" | "23503" | "23505" | "23514" => StoreError::Constraint {
            table: database.table().unwrap_or_default().to_owned(),
            constraint: match database.constraint() {
                Some(name) => name.to_owned(),
                None => format!("not null on {}", database.column().unwrap_or_default()),
            },
        },
        // undefined table, column, schema, object
        "42P01" | "42703" | "3F000" | "42704" => StoreError::NotMigrated(Box::new(error)),
        // cancelled by its time limit, too many connections
        "57014" | "53300" | "25P03" => StoreError::Unavailable(Box::new(error)),
        // connection exceptions; shutting down, crashed, starting up
        other if other.starts_with("08") || other.starts_with("57P") => {
            StoreError::Unavailable(Box::new(error))
        }
        _ => StoreError::Database(Box::new(error)),
    }
}

/// Whether a number of the journal was taken by a hand that draws none: the next try has others.
fn is_number(error: &DbError) -> bool {
    let name = constraint(error);
    name.starts_with("journal_") && name.ends_with("_pkey")
}

/// Whether a row of the journal found no partition for its number.
pub(crate) fn lacks_partition(error: &Error) -> bool {
    error.as_db_error().is_some_and(|it| {
        *it.code() == SqlState::CHECK_VIOLATION && it.constraint().is_none() && it.table() == Some("journal")
    })
}

fn constraint(error: &DbError) -> &str {
    error.constraint().unwrap_or_default()
}

/// Whether a prepared statement must be prepared again before it can be used.
pub(crate) fn is_stale_plan(error: &Error) -> bool {
    error.as_db_error().is_some_and(|it| {
        *it.code() == SqlState::INVALID_SQL_STATEMENT_NAME
            || (*it.code() == SqlState::FEATURE_NOT_SUPPORTED && it.message().contains("cached plan"))
    })
}

/// Whether the server was reached and refused the login: wrong password, unknown user, no access.
pub fn login_refused(error: &StoreError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(it) = cause {
        if let Some(seen) = it.downcast_ref::<Error>() {
            return seen.code().is_some_and(|it| it.code().starts_with("28"));
        }
        cause = it.source();
    }
    false
}

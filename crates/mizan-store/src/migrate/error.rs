//! What can go wrong while migrating, in words for the operator who runs it.

use std::time::Duration;

use super::{ExpectedError, PlanError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of a migration run. Nothing of the step that it names was kept.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("another migration is running: {holder}; gave up after {waited:?}")]
    LockHeld { holder: String, waited: Duration },
    /// A table that the step needs is in use.
    #[error("{step} waited longer than {} s for a lock, so it was undone; {blockers}", waited.as_secs())]
    Busy {
        step: String,
        waited: Duration,
        blockers: String,
    },
    /// The server forgot the run lock: a pooler gives each transaction another session.
    #[error("the run lock was lost: migrations need a direct connection, not a pooler in transaction mode")]
    LockLost,
    #[error("the database is unreachable")]
    Unreachable(#[source] Cause),
    #[error("{step} failed and was undone")]
    Step {
        step: String,
        #[source]
        source: Cause,
    },
    /// Only for files that ask for no transaction: what ran before the failing statement stays.
    #[error("{step} failed in statement {number} of {count}; what ran before it stays: {statement}")]
    Statement {
        step: String,
        number: usize,
        count: usize,
        statement: String,
        #[source]
        source: Cause,
    },
    #[error("mizan_migrations cannot be read")]
    Unreadable(#[source] Cause),
    #[error("the database refused a statement")]
    Database(#[source] Cause),
    #[error("{path}: the lock file cannot be used")]
    LockFile {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Expected(#[from] ExpectedError),
}

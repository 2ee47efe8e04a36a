//! Migrations on SQLite, over one connection of its own.
//!
//! The run lock is a lock of the operating system on a file beside the database, which dies with its holder;
//! each step is a transaction of its own and waits at most three seconds for another writer.

mod catalog;
mod definition;
mod lock;
mod revisions;
mod step;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mizan_store::migrate::{
    Applied, Dialect, Done, Expected, Migrate, MigrateError, Revision, Snapshot, Step,
};
use rusqlite::{Connection, Error, ErrorCode};

pub use revisions::REVISIONS;

/// What each revision leaves behind; see `schemas/database-sqlite.json`.
const EXPECTED: &str = include_str!("../../../schemas/database-sqlite.json");

/// How long a step waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// The SQL around a migration. Foreign keys are off while tables change, and checked as a whole before the
/// commit, as <https://sqlite.org/lang_altertable.html#otheralter> says.
pub const DIALECT: Dialect = Dialect {
    prepare: "PRAGMA foreign_keys = OFF;",
    begin: "BEGIN IMMEDIATE;",
    verify: "PRAGMA foreign_key_check;",
    commit: "COMMIT;",
    ensure_table: "\
CREATE TABLE IF NOT EXISTS mizan_migrations (
    revision   TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at TEXT NOT NULL CHECK (applied_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;",
    record: "\
INSERT INTO mizan_migrations (revision, name, checksum, applied_at)
VALUES (:revision, :name, :checksum, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'));",
    record_if_absent: "\
INSERT INTO mizan_migrations (revision, name, checksum, applied_at)
VALUES (:revision, :name, :checksum, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
ON CONFLICT (revision) DO NOTHING;",
    forget: "DELETE FROM mizan_migrations WHERE revision = :revision;",
    forget_others: "DELETE FROM mizan_migrations WHERE (revision, checksum) NOT IN (VALUES :rows);",
    forget_all: "DELETE FROM mizan_migrations;",
};

const APPLIED: &str = "SELECT revision, name, checksum, applied_at FROM mizan_migrations ORDER BY revision";
const NOW: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
const IS_THERE: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'mizan_migrations')";

/// A SQLite database that can be migrated.
pub struct SqliteMigrator {
    path: PathBuf,
    /// In memory until the first lock where there is no file yet: asking must not make one.
    connection: Arc<Mutex<Connection>>,
    is_file: bool,
    lock: Option<lock::Held>,
    expected: Expected,
    revisions: &'static [Revision],
}

impl SqliteMigrator {
    /// Opens the database file. One that does not exist is made when the run lock is taken.
    pub fn open(path: &Path) -> Result<Self, MigrateError> {
        let is_file = path.exists();
        let connection = if is_file {
            open_file(path)
        } else {
            Connection::open_in_memory()
        };
        Ok(Self {
            path: path.to_owned(),
            connection: Arc::new(Mutex::new(
                connection.map_err(|it| MigrateError::Unreachable(Box::new(it)))?,
            )),
            is_file,
            lock: None,
            expected: Expected::parse(EXPECTED)?,
            revisions: REVISIONS,
        })
    }

    /// The same with other revisions and their description: for tests of the engine itself.
    #[must_use]
    pub fn with_revisions(mut self, revisions: &'static [Revision], expected: Expected) -> Self {
        (self.revisions, self.expected) = (revisions, expected);
        self
    }

    /// Runs blocking work on the connection, away from the threads that serve.
    async fn on_connection<T, F>(&self, work: F) -> Result<T, MigrateError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, MigrateError> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        tokio::task::spawn_blocking(move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .map_err(|it| MigrateError::Database(Box::new(it)))?
    }

    fn become_file(&mut self) -> Result<(), MigrateError> {
        if !self.is_file {
            let connection = open_file(&self.path).map_err(|it| MigrateError::Unreachable(Box::new(it)))?;
            self.connection = Arc::new(Mutex::new(connection));
            self.is_file = true;
        }
        Ok(())
    }
}

#[async_trait]
impl Migrate for SqliteMigrator {
    fn revisions(&self) -> &'static [Revision] {
        self.revisions
    }

    fn expected(&self) -> &Expected {
        &self.expected
    }

    async fn applied(&mut self) -> Result<Vec<Applied>, MigrateError> {
        self.on_connection(|it| applied(it).map_err(unreadable)).await
    }

    async fn lock(&mut self, deadline: Duration) -> Result<(), MigrateError> {
        self.lock = Some(lock::take(&self.path, deadline).await?);
        self.become_file()?;
        let now = self.on_connection(|it| {
            it.query_row(NOW, [], |row| row.get::<_, String>(0))
                .map_err(refused)
        });
        let now = now.await?;
        self.lock.as_mut().map_or(Ok(()), |it| it.sign(&now))
    }

    async fn unlock(&mut self) -> Result<(), MigrateError> {
        self.lock.take().map_or(Ok(()), lock::Held::give_back)
    }

    async fn run_step(&mut self, step: &Step) -> Result<(), MigrateError> {
        let step = *step;
        self.on_connection(move |it| step::run(it, &step)).await
    }

    async fn record(&mut self, revisions: &[Revision]) -> Result<(), MigrateError> {
        let sql = DIALECT.in_transaction("-- stamp", &DIALECT.stamp(revisions));
        self.on_connection(move |it| {
            let outcome = it.execute_batch(&sql);
            if outcome.is_err() && !it.is_autocommit() {
                it.execute_batch("ROLLBACK").map_err(refused)?;
            }
            outcome.map_err(refused)
        })
        .await
    }

    async fn live(&mut self) -> Result<Snapshot, MigrateError> {
        self.on_connection(|it| catalog::read(it).map_err(refused)).await
    }
}

/// Migrates to head and says what was done: for tests and programs that have the path in hand.
pub async fn upgrade_to_head(path: &Path) -> Result<Done, MigrateError> {
    let mut database = SqliteMigrator::open(path)?;
    mizan_store::migrate::upgrade_to_head(&mut database, &mut |_| {}).await
}

fn open_file(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    if !connection.query_row(IS_THERE, [], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(APPLIED)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied {
            revision: row.get(0)?,
            name: row.get(1)?,
            checksum: row.get(2)?,
            applied_at: row.get(3)?,
        })
    })?;
    rows.collect()
}

fn unreadable(error: Error) -> MigrateError {
    MigrateError::Unreadable(Box::new(error))
}

/// An error that no step is to blame for.
fn refused(error: Error) -> MigrateError {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::PermissionDenied) => {
            MigrateError::Unreachable(Box::new(error))
        }
        _ => MigrateError::Database(Box::new(error)),
    }
}

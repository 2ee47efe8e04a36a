//! Migrations on PostgreSQL, over one direct connection of the login user.
//!
//! The run lock is an advisory lock of that session; each step is a transaction of its own, waits at most
//! three seconds for a lock of a table, and records itself in `mizan_migrations`.

mod catalog;
mod lock;
mod revisions;
mod step;

use std::time::Duration;

use async_trait::async_trait;
use mizan_store::migrate::{
    Applied, Dialect, Done, Expected, Migrate, MigrateError, Revision, Snapshot, Step,
};
use tokio::task::JoinHandle;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

pub use revisions::REVISIONS;

use crate::config::PostgresConfig;
use crate::tls;

/// What each revision leaves behind; see `schemas/database-postgres.json`.
const EXPECTED: &str = include_str!("../../../schemas/database-postgres.json");

/// The name under which `pg_stat_activity` shows a migration.
pub const APPLICATION_NAME: &str = "mizan-migrate";

/// The SQL around a migration. The role of the service may read the list of revisions, not change it.
pub const DIALECT: Dialect = Dialect {
    prepare: "",
    begin: "BEGIN;\nSET LOCAL lock_timeout = '3s';",
    verify: "",
    commit: "COMMIT;",
    ensure_table: "\
CREATE TABLE IF NOT EXISTS mizan_migrations (
    revision   text        PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app')
        AND (NOT has_table_privilege('mizan_app', 'mizan_migrations', 'SELECT')
            OR has_table_privilege('mizan_app', 'mizan_migrations', 'INSERT, UPDATE, DELETE, TRUNCATE'))
    THEN
        GRANT SELECT ON mizan_migrations TO mizan_app;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON mizan_migrations FROM mizan_app;
    END IF;
END
$$;",
    record: "\
INSERT INTO mizan_migrations (revision, name, checksum, applied_at)
VALUES (:revision, :name, :checksum, now());",
    record_if_absent: "\
INSERT INTO mizan_migrations (revision, name, checksum, applied_at)
VALUES (:revision, :name, :checksum, now())
ON CONFLICT (revision) DO NOTHING;",
    forget: "DELETE FROM mizan_migrations WHERE revision = :revision;",
    forget_others: "DELETE FROM mizan_migrations WHERE (revision, checksum) NOT IN (VALUES :rows);",
    forget_all: "DELETE FROM mizan_migrations;",
};

const APPLIED: &str = "SELECT revision, name, checksum, applied_at FROM mizan_migrations ORDER BY revision";

/// A PostgreSQL database that can be migrated.
pub struct PostgresMigrator {
    client: Client,
    connection: JoinHandle<()>,
    expected: Expected,
    revisions: &'static [Revision],
}

impl PostgresMigrator {
    /// Connects as the login user, with the TLS that the configuration asks for.
    pub async fn connect(to: &PostgresConfig) -> Result<Self, MigrateError> {
        let mut config: Config = to
            .url
            .reveal()
            .parse()
            .map_err(|it: tokio_postgres::Error| MigrateError::Unreachable(Box::new(it)))?;
        let tls = tls::connector(to).map_err(|it| MigrateError::Unreachable(Box::new(it)))?;
        config.application_name(APPLICATION_NAME);
        config.connect_timeout(to.acquire_timeout);
        if config.get_target_session_attrs() == TargetSessionAttrs::Any && config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let (client, connection) = config
            .connect(tls)
            .await
            .map_err(|it| MigrateError::Unreachable(Box::new(it)))?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the migration's connection ended");
            }
        });
        Ok(Self {
            client,
            connection,
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
}

impl Drop for PostgresMigrator {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

#[async_trait]
impl Migrate for PostgresMigrator {
    fn revisions(&self) -> &'static [Revision] {
        self.revisions
    }

    fn expected(&self) -> &Expected {
        &self.expected
    }

    async fn applied(&mut self) -> Result<Vec<Applied>, MigrateError> {
        let rows = match self.client.query(APPLIED, &[]).await {
            Ok(rows) => rows,
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => return Ok(Vec::new()),
            Err(error) if error.code().is_some() => return Err(MigrateError::Unreadable(Box::new(error))),
            Err(error) => return Err(refused(error)),
        };
        rows.iter()
            .map(|row| {
                Ok(Applied {
                    revision: row.try_get(0)?,
                    name: row.try_get(1)?,
                    checksum: row.try_get(2)?,
                    applied_at: row.try_get(3)?,
                })
            })
            .collect::<Result<_, tokio_postgres::Error>>()
            .map_err(|it| MigrateError::Unreadable(Box::new(it)))
    }

    async fn lock(&mut self, deadline: Duration) -> Result<(), MigrateError> {
        lock::take(&self.client, deadline).await
    }

    async fn unlock(&mut self) -> Result<(), MigrateError> {
        lock::give_back(&self.client).await
    }

    async fn run_step(&mut self, step: &Step) -> Result<(), MigrateError> {
        step::run(&self.client, step).await
    }

    async fn record(&mut self, revisions: &[Revision]) -> Result<(), MigrateError> {
        let sql = DIALECT.in_transaction("-- stamp", &DIALECT.stamp(revisions));
        let outcome = self.client.batch_execute(&sql).await;
        if outcome.is_err() {
            self.client.batch_execute("ROLLBACK").await.map_err(refused)?;
        }
        outcome.map_err(refused)
    }

    async fn live(&mut self) -> Result<Snapshot, MigrateError> {
        catalog::read(&self.client).await
    }
}

/// Migrates to head and says what was done: for tests and programs that need to hear no more.
pub async fn upgrade_to_head(to: &PostgresConfig) -> Result<Done, MigrateError> {
    let mut database = PostgresMigrator::connect(to).await?;
    mizan_store::migrate::upgrade_to_head(&mut database, &mut |_| {}).await
}

/// An error that no step is to blame for.
fn refused(error: tokio_postgres::Error) -> MigrateError {
    if error.is_closed() || error.code().is_none() {
        MigrateError::Unreachable(Box::new(error))
    } else {
        MigrateError::Database(Box::new(error))
    }
}

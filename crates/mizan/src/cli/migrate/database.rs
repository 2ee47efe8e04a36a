//! The database of the settings, as something that can be migrated.

use mizan_config::Database;
use mizan_store::migrate::{Dialect, Done, Event, Migrate, MigrateError, Revision};
use mizan_store_postgres::migrate::PostgresMigrator;
use mizan_store_sqlite::migrate::SqliteMigrator;

use super::words;
use crate::wire::stores::postgres_config;

/// Opens it: PostgreSQL over a direct connection as the login user, SQLite as a file.
pub async fn open(database: &Database) -> Result<Box<dyn Migrate>, MigrateError> {
    Ok(match database {
        Database::Sqlite { path } => Box::new(SqliteMigrator::open(path)?),
        Database::Postgres {
            url,
            tls,
            root_certificate,
            ..
        } => {
            let config = postgres_config(url, *tls, root_certificate.as_deref());
            Box::new(PostgresMigrator::connect(&config).await?)
        }
    })
}

/// Migrates to head, for programs that do so before they start; a conflict or a missing stamp is an error.
///
/// `tell` hears one line for each step.
pub async fn upgrade_to_head(
    database: &Database,
    tell: &mut (dyn FnMut(String) + Send),
) -> anyhow::Result<Done> {
    let mut opened = open(database).await?;
    let mut on_event = |event: Event<'_>| {
        if let Event::Running(step) = event {
            tell(step.to_string());
        }
    };
    let done = mizan_store::migrate::upgrade_to_head(&mut *opened, &mut on_event).await?;
    match &done.stopped {
        None => Ok(done),
        Some(stopped) => anyhow::bail!("{}", words::stopped_lines(stopped)),
    }
}

/// The revisions of this binary for the kind of database that the settings name, oldest first.
pub fn revisions(database: &Database) -> &'static [Revision] {
    match database {
        Database::Sqlite { .. } => mizan_store_sqlite::migrate::REVISIONS,
        Database::Postgres { .. } => mizan_store_postgres::migrate::REVISIONS,
    }
}

/// The SQL around a migration there.
pub(super) fn dialect(database: &Database) -> Dialect {
    match database {
        Database::Sqlite { .. } => mizan_store_sqlite::migrate::DIALECT,
        Database::Postgres { .. } => mizan_store_postgres::migrate::DIALECT,
    }
}

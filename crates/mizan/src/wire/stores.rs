//! Opens the store that the settings name.

use std::sync::Arc;

use anyhow::Context;
use mizan_config::{Database, Tls};
use mizan_store::Store;
use mizan_store_postgres::{CertificateCheck, PostgresConfig, PostgresStore};
use mizan_store_sqlite::{SqliteConfig, SqliteStore};

/// Opens a store. PostgreSQL is connected to when it is first needed, so a server that is away does not keep
/// the process from starting and saying so.
pub fn open(database: &Database) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match database {
        Database::Sqlite { path } => Arc::new(
            SqliteStore::open(path, SqliteConfig::default())
                .with_context(|| format!("the database file {} cannot be opened", path.display()))?,
        ),
        Database::Postgres { url, tls, root_certificate, .. } => {
            let mut config = PostgresConfig::new(url.clone());
            config.ca_file.clone_from(root_certificate);
            config.certificate = match tls {
                Tls::Disable | Tls::Prefer | Tls::Require => CertificateCheck::None,
                Tls::VerifyCa => CertificateCheck::Authority,
                Tls::VerifyFull => CertificateCheck::Full,
            };
            Arc::new(PostgresStore::connect(&config).context("the PostgreSQL client cannot be set up")?)
        }
    })
}

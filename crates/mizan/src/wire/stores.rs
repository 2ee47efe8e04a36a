//! Opens the store that the settings name.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use mizan_config::{Database, Settings, Tls};
use mizan_mask::Secret;
use mizan_store::Store;
use mizan_store_postgres::{CertificateCheck, PostgresConfig, PostgresStore};
use mizan_store_sqlite::{SqliteConfig, SqliteStore};

/// Opens a store. PostgreSQL is connected to when it is first needed, so a server that is away does not keep
/// the process from starting and saying so.
pub fn open(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &settings.database {
        Database::Sqlite { path } => Arc::new(
            SqliteStore::open(path, SqliteConfig::default())
                .with_context(|| format!("the database file {} cannot be opened", path.display()))?,
        ),
        Database::Postgres {
            url,
            tls,
            root_certificate,
            ..
        } => {
            let mut config = postgres_config(url, *tls, root_certificate.as_deref());
            config.partition_rows = settings.journal_partition_rows;
            Arc::new(PostgresStore::connect(&config).context("the PostgreSQL client cannot be set up")?)
        }
    })
}

/// What the settings say of PostgreSQL, in the words of the store.
pub fn postgres_config(url: &Secret, tls: Tls, root_certificate: Option<&Path>) -> PostgresConfig {
    let mut config = PostgresConfig::new(url.clone());
    config.ca_file = root_certificate.map(Path::to_path_buf);
    config.certificate = match tls {
        Tls::Disable | Tls::Prefer | Tls::Require => CertificateCheck::None,
        Tls::VerifyCa => CertificateCheck::Authority,
        Tls::VerifyFull => CertificateCheck::Full,
    };
    config
}

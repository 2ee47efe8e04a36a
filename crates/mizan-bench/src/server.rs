//! The PostgreSQL server of a bench: as the tests start it, with the memory of a small production server.

use anyhow::{Context, ensure};
use mizan_mask::Secret;
use mizan_store::migrate::upgrade_to_head;
use mizan_store_postgres::migrate::PostgresMigrator;
use mizan_store_postgres::{PostgresConfig, PostgresStore};
use mizan_testkit::{Database, Postgres, fresh_database};
use serde_json::{Value, json};

/// Sizes only. What decides about durability is PostgreSQL's default, and read back by [`Server::durability`].
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "30min"),
    ("wal_compression", "off"),
];

pub struct Server {
    pub postgres: Postgres,
}

impl Server {
    pub async fn start() -> anyhow::Result<Self> {
        let postgres = Postgres::start().await?;
        for (name, value) in SETTINGS {
            postgres
                .psql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"))
                .await?;
        }
        postgres.restart().await?;
        let server = Self { postgres };
        let found = server.durability().await?;
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            ensure!(
                found[name] == "on",
                "{name} is not on: this would measure something else"
            );
        }
        Ok(server)
    }

    /// An empty database at the newest revision of the schema.
    pub async fn database(&self) -> anyhow::Result<Database> {
        let database = fresh_database(&self.postgres).await?;
        let config = PostgresConfig::new(Secret::from(database.url().as_str()));
        let mut migrator = PostgresMigrator::connect(&config).await?;
        let done = upgrade_to_head(&mut migrator, &mut |_| {}).await?;
        ensure!(
            done.stopped.is_none(),
            "the migration stopped: {:?}",
            done.stopped
        );
        Ok(database)
    }

    pub fn store(database: &Database) -> anyhow::Result<PostgresStore> {
        let config = PostgresConfig::new(Secret::from(database.url().as_str()));
        PostgresStore::connect(&config).context("the store cannot be set up")
    }

    pub async fn sql(&self, database: &Database, statement: &str) -> anyhow::Result<String> {
        self.postgres.psql(database.name(), statement).await
    }

    /// Writes out what is dirty, so that no stretch pays for the one before.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.postgres.psql("postgres", "CHECKPOINT").await.map(drop)
    }

    pub async fn tidy(&self, database: &Database) -> anyhow::Result<()> {
        self.sql(database, "VACUUM ANALYZE").await.map(drop)
    }

    /// The settings that decide what a commit means, as the server says them.
    pub async fn durability(&self) -> anyhow::Result<Value> {
        let mut found = json!({});
        let names = [
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "wal_sync_method",
            "shared_buffers",
            "max_wal_size",
        ];
        for name in names {
            found[name] = self
                .postgres
                .psql("postgres", &format!("SHOW {name}"))
                .await?
                .into();
        }
        Ok(found)
    }

    pub fn pid(&self) -> anyhow::Result<i32> {
        self.postgres
            .pids()?
            .first()
            .copied()
            .context("PostgreSQL has no process")
    }
}

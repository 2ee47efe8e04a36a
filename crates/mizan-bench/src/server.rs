//! The PostgreSQL server of a bench: as the tests start it, with the memory of a small production server.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use mizan_mask::Secret;
use mizan_store::migrate::upgrade_to_head;
use mizan_store_postgres::migrate::PostgresMigrator;
use mizan_store_postgres::{PostgresConfig, PostgresStore};
use mizan_testkit::{Database, Postgres, fresh_database};
use serde_json::{Value, json};

use crate::screen;

/// Sizes only. What decides about durability is PostgreSQL's default, and read back by [`Server::durability`].
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "30min"),
    ("wal_compression", "off"),
];

/// With `--profile`: what the server spends its time on, and the plans of what takes long, in its log.
const PROFILING: [(&str, &str); 5] = [
    ("shared_preload_libraries", "pg_stat_statements,auto_explain"),
    ("track_io_timing", "on"),
    ("auto_explain.log_min_duration", "100ms"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_timing", "off"),
];
const TOP: &str = include_str!("../sql/top_statements.sql");
static PROFILE: AtomicBool = AtomicBool::new(false);

/// From now on servers tell what they spend their time on. That takes time too.
pub fn profile() {
    PROFILE.store(true, Ordering::Relaxed);
}

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
        let profiled = PROFILE.load(Ordering::Relaxed);
        if profiled {
            // All at once: auto_explain's settings are unknown until it is loaded.
            let lines = PROFILING.map(|(name, value)| format!("{name} = '{value}'\n"));
            let file = postgres.directory().join("data/postgresql.auto.conf");
            std::fs::write(&file, std::fs::read_to_string(&file)? + &lines.concat())?;
        }
        postgres.restart().await?;
        let server = Self { postgres };
        if profiled {
            let extension = "CREATE EXTENSION pg_stat_statements";
            server.postgres.psql("postgres", extension).await?;
            let log = server.postgres.directory().join("server.log");
            screen::note(&format!("plans of what takes long: {}", log.display()));
        }
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
        if PROFILE.load(Ordering::Relaxed) {
            let top = self.postgres.psql("postgres", TOP).await?;
            screen::note(&format!("since the last checkpoint:\n{top}"));
            self.postgres
                .psql("postgres", "SELECT pg_stat_statements_reset()")
                .await?;
        }
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

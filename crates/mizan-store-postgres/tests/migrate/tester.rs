//! A database of its own for each test, with verbs.

use std::collections::BTreeMap;
use std::time::Duration;

use mizan_store::migrate::{self, Direction, Done, Event, Migrate as _, MigrateError, Snapshot, Target};
use mizan_store_postgres::PostgresConfig;
use mizan_store_postgres::migrate::PostgresMigrator;
use mizan_testkit::{Database, Postgres, fresh_database, shared_postgres};

pub const PATIENCE: Duration = Duration::from_secs(30);
const POPULATED: &str = include_str!("populated.sql");

pub struct Tester {
    pub server: &'static Postgres,
    pub database: Database,
}

/// What a run said and did.
pub struct Ran {
    pub done: Done,
    pub lines: Vec<String>,
    pub dropped: Vec<String>,
}

impl Tester {
    pub async fn empty() -> anyhow::Result<Self> {
        let server = shared_postgres().await?;
        Ok(Self {
            server,
            database: fresh_database(server).await?,
        })
    }

    /// At head, with a row in every table.
    pub async fn populated() -> anyhow::Result<Self> {
        let it = Self::empty().await?;
        it.upgrade("head").await?;
        it.psql(POPULATED).await?;
        Ok(it)
    }

    pub fn config(&self) -> PostgresConfig {
        PostgresConfig::new(self.database.url().into())
    }

    pub async fn open(&self) -> Result<PostgresMigrator, MigrateError> {
        PostgresMigrator::connect(&self.config()).await
    }

    pub async fn psql(&self, sql: &str) -> anyhow::Result<String> {
        self.server.psql(self.database.name(), sql).await
    }

    pub async fn upgrade(&self, target: &str) -> Result<Ran, MigrateError> {
        self.run(Direction::Up, target, PATIENCE).await
    }

    pub async fn downgrade(&self, target: &str) -> Result<Ran, MigrateError> {
        self.run(Direction::Down, target, PATIENCE).await
    }

    pub async fn run(
        &self,
        direction: Direction,
        target: &str,
        deadline: Duration,
    ) -> Result<Ran, MigrateError> {
        let target: Target = target.parse().expect("a target");
        let (mut lines, mut dropped) = (Vec::new(), Vec::new());
        let mut tell = |event: Event<'_>| match event {
            Event::Running(step) => lines.push(step.to_string()),
            Event::Dropping(names) => dropped.extend(names),
        };
        let mut database = self.open().await?;
        let done = match direction {
            Direction::Up => migrate::upgrade(&mut database, &target, deadline, &mut tell).await?,
            Direction::Down => migrate::downgrade(&mut database, &target, deadline, &mut tell).await?,
        };
        Ok(Ran { done, lines, dropped })
    }

    pub async fn live(&self) -> anyhow::Result<Snapshot> {
        Ok(self.open().await?.live().await?)
    }

    pub async fn applied(&self) -> anyhow::Result<Vec<String>> {
        let applied = self.open().await?.applied().await?;
        Ok(applied.into_iter().map(|it| it.revision).collect())
    }

    /// Every row of every table and view, as text, without the cells that are empty: a column that a later
    /// revision adds is empty in old rows.
    pub async fn contents(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let tables = self.live().await?.objects.into_keys().map(|name| {
            format!(
                "SELECT '{name}', replace(string_agg(r, ' ' ORDER BY r), E'\\n', ' ')
                 FROM (SELECT jsonb_strip_nulls(to_jsonb(t))::text AS r FROM {name} t) rows"
            )
        });
        let sql = tables.collect::<Vec<_>>().join(" UNION ALL ");
        let rows = if sql.is_empty() {
            String::new()
        } else {
            self.psql(&sql).await?
        };
        let contents = rows.lines().filter_map(|line| line.split_once('|'));
        let contents = contents
            .map(|(name, rows)| (name.to_owned(), rows.to_owned()))
            .collect();
        Ok(contents)
    }
}

//! A database file of its own for each test, with verbs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mizan_store::migrate::{self, Direction, Done, Event, Migrate as _, MigrateError, Snapshot, Target};
use mizan_store_sqlite::migrate::SqliteMigrator;
use rusqlite::{Connection, types::Value};
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(30);
const POPULATED: &str = include_str!("populated.sql");

pub struct Tester {
    directory: TempDir,
}

/// What a run said and did.
pub struct Ran {
    pub done: Done,
    pub lines: Vec<String>,
    pub dropped: Vec<String>,
}

impl Tester {
    pub fn empty() -> anyhow::Result<Self> {
        Ok(Self {
            directory: tempfile::tempdir()?,
        })
    }

    /// At head, with a row in every table.
    pub async fn populated() -> anyhow::Result<Self> {
        let it = Self::empty()?;
        it.upgrade("head").await?;
        it.sql(POPULATED)?;
        Ok(it)
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("mizan.db")
    }

    /// Names of the files beside the database and itself.
    pub fn files(&self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.directory.path())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    pub fn open(&self) -> Result<SqliteMigrator, MigrateError> {
        SqliteMigrator::open(&self.path())
    }

    pub fn connection(&self) -> anyhow::Result<Connection> {
        Ok(Connection::open(self.path())?)
    }

    pub fn sql(&self, sql: &str) -> anyhow::Result<()> {
        Ok(self.connection()?.execute_batch(sql)?)
    }

    /// All rows of a query, values as they are kept.
    pub fn rows(&self, sql: &str) -> anyhow::Result<Vec<Vec<Value>>> {
        let connection = self.connection()?;
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|it| row.get(it)).collect())?;
        Ok(rows.collect::<Result<_, _>>()?)
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
        let mut database = self.open()?;
        let done = match direction {
            Direction::Up => migrate::upgrade(&mut database, &target, deadline, &mut tell).await?,
            Direction::Down => migrate::downgrade(&mut database, &target, deadline, &mut tell).await?,
        };
        Ok(Ran { done, lines, dropped })
    }

    pub async fn live(&self) -> anyhow::Result<Snapshot> {
        Ok(self.open()?.live().await?)
    }

    pub async fn applied(&self) -> anyhow::Result<Vec<String>> {
        let applied = self.open()?.applied().await?;
        Ok(applied.into_iter().map(|it| it.revision).collect())
    }

    /// Every row of every table and view, without the cells that are empty: a column that a later revision adds
    /// is empty in old rows.
    pub async fn contents(&self) -> anyhow::Result<BTreeMap<String, Vec<Vec<Value>>>> {
        let names = self.live().await?.objects.into_keys();
        names
            .map(|name| {
                let mut rows = self.rows(&format!("SELECT * FROM {name} ORDER BY 1, 2"))?;
                for row in &mut rows {
                    row.retain(|it| *it != Value::Null);
                }
                Ok((name, rows))
            })
            .collect()
    }
}

//! Looking into a test's database, and into the journal where no application may write, from outside.

use mizan_testkit::{fresh_database, shared_postgres};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::harness::{Home, Mizan};

impl Home {
    /// A database without any table.
    pub async fn empty_postgres() -> Self {
        let server = shared_postgres()
            .await
            .expect("a PostgreSQL server can be started");
        Self::Postgres(fresh_database(server).await.expect("a database can be made"))
    }

    /// Runs SQL as the owner of the database. Returns the rows of the last statement, `|` between columns.
    pub async fn sql(&self, sql: &str) -> anyhow::Result<String> {
        match self {
            Self::Postgres(database) => shared_postgres().await?.psql(database.name(), sql).await,
            Self::Sqlite(dir) => on_sqlite(&dir.path().join("mizan.db"), sql),
        }
    }

    /// As [`Self::sql`], with the statement that each store understands.
    pub async fn sql_of(&self, postgres: &str, sqlite: &str) -> anyhow::Result<String> {
        match self {
            Self::Postgres(_) => self.sql(postgres).await,
            Self::Sqlite(_) => self.sql(sqlite).await,
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Mizan {
    /// How many rows the journal has.
    pub async fn journal_rows(&self) -> u64 {
        let count = self.home.sql("SELECT count(*) FROM journal").await;
        count.expect("the journal is there").parse().expect("a number")
    }
}

fn on_sqlite(file: &std::path::Path, sql: &str) -> anyhow::Result<String> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    let statements: Vec<_> = sql
        .split(';')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    let mut shown = Vec::new();
    for statement in statements {
        shown.clear();
        let mut prepared = connection.prepare(statement)?;
        let columns = prepared.column_count();
        let mut rows = prepared.query([])?;
        while let Some(row) = rows.next()? {
            let cells = (0..columns)
                .map(|it| row.get_ref(it).map(text))
                .collect::<Result<Vec<_>, _>>()?;
            shown.push(cells.join("|"));
        }
    }
    Ok(shown.join("\n"))
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hex::encode(bytes),
    }
}

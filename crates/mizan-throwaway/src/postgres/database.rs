//! Databases on a throwaway server: one per test, empty or copied from a migrated template.
//!
//! They live as long as their server; nothing drops them.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use tokio::sync::OnceCell;

use super::{Postgres, SUPERUSER};

/// A database of its own for one test.
#[derive(Debug, Clone)]
pub struct Database {
    name: String,
    port: u16,
    password: String,
}

impl Database {
    pub(super) fn new(name: String, server: &Postgres) -> Self {
        Self {
            name,
            port: server.port,
            password: server.password.clone(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// `postgresql://…`, with the password in clear.
    pub fn url(&self) -> String {
        self.dsn("postgresql", self.port)
    }

    /// The way a SQLAlchemy service writes it: `postgresql+asyncpg://…` for `asyncpg`.
    pub fn url_with_driver(&self, driver: &str) -> String {
        self.dsn(&format!("postgresql+{driver}"), self.port)
    }

    /// The same database through another port of 127.0.0.1, for instance a [`crate::FaultProxy`]'s.
    pub fn url_on(&self, port: u16) -> String {
        self.dsn("postgresql", port)
    }

    fn dsn(&self, scheme: &str, port: u16) -> String {
        format!(
            "{scheme}://{SUPERUSER}:{}@127.0.0.1:{port}/{}",
            self.password, self.name
        )
    }
}

/// An empty database.
pub async fn fresh_database(server: &Postgres) -> anyhow::Result<Database> {
    create(server, "").await
}

/// A copy of the template `name`, which `migrate` fills the first time; it is given the template's URL.
///
/// Concurrent callers wait for the one that migrates. When that fails, the next caller tries again on a
/// new database. Connections that `migrate` leaves open are closed by the server.
pub async fn template_database<F, Done>(server: &Postgres, name: &str, migrate: F) -> anyhow::Result<Database>
where
    F: FnOnce(String) -> Done,
    Done: Future<Output = anyhow::Result<()>>,
{
    let cell: Arc<OnceCell<Database>> = {
        let mut templates = server.templates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(templates.entry(name.to_owned()).or_default())
    };
    let template = cell
        .get_or_try_init(|| async {
            let template = fresh_database(server).await?;
            migrate(template.url()).await?;
            seal(server, &template).await?;
            anyhow::Ok(template)
        })
        .await?;
    create(server, &format!("TEMPLATE {}", template.name)).await
}

/// A database can only be copied while nobody is connected to it.
async fn seal(server: &Postgres, template: &Database) -> anyhow::Result<()> {
    let name = template.name();
    server
        .psql(
            "postgres",
            &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
        )
        .await?;
    let end =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
    server.psql("postgres", &end).await.map(drop)
}

async fn create(server: &Postgres, options: &str) -> anyhow::Result<Database> {
    let name = format!("t{}", server.databases.fetch_add(1, Ordering::Relaxed));
    server
        .psql("postgres", &format!("CREATE DATABASE {name} {options}"))
        .await?;
    Ok(Database::new(name, server))
}

//! The store: its lanes, and the transactions that begin on them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use mizan_core::TenantId;
use mizan_store::{Engine, Platform, Result, Store, StoreError, Tx};
use rusqlite::Connection;

use crate::lane::{Lane, Lanes};
use crate::open::{Access, SqliteConfig, connect, file};
use crate::platform::SqlitePlatform;
use crate::session::Session;
use crate::statement::{all, count, statements};
use crate::tx::SqliteTx;

statements! {
    PING = "SELECT count(*) FROM sqlite_schema";
    APPLIED_REVISIONS = "SELECT revision FROM mizan_migrations ORDER BY revision";
}

/// The lanes of one file.
pub(crate) struct Pools {
    pub writer: Lanes,
    pub readers: Lanes,
}

/// A SQLite file that Mizan keeps its rows in. Cloning it shares its connections.
#[derive(Clone)]
pub struct SqliteStore {
    pools: Arc<Pools>,
}

impl SqliteStore {
    /// Opens the file, and makes an empty one (for its owner alone) if there is none. Blocks while it does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file cannot be opened, [`StoreError::Database`] if it is no database.
    pub fn open(path: &Path, config: SqliteConfig) -> Result<Self> {
        let path = file(path)?;
        let writer = Lane::start(
            "mizan-sqlite-write".into(),
            connect(&path, Access::Write, &config)?,
        )?;
        let readers = (0..config.readers.max(1))
            .map(|n| {
                let db = connect(&path, Access::Read, &config)?;
                Lane::start(format!("mizan-sqlite-read-{n}"), db)
            })
            .collect::<Result<Vec<_>>>()?;
        let pools = Pools {
            writer: Lanes::new(vec![writer], config.acquire_timeout),
            readers: Lanes::new(readers, config.acquire_timeout),
        };
        Ok(Self {
            pools: Arc::new(pools),
        })
    }

    /// Reads one moment, across tenants.
    pub(crate) async fn look<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        Session::read(&self.pools.readers).await?.call(work).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    /// Takes the one right to write in this process and the lock of the file, so rivals wait here. Who holds one
    /// transaction that writes and begins another waits for itself, until the time limit says so.
    async fn begin(&self, tenant: TenantId) -> Result<Box<dyn Tx>> {
        let session = Session::write(&self.pools.writer).await?;
        Ok(Box::new(SqliteTx::new(tenant, session)))
    }

    async fn read(&self, tenant: TenantId) -> Result<Box<dyn Tx>> {
        let session = Session::read(&self.pools.readers).await?;
        Ok(Box::new(SqliteTx::new(tenant, session)))
    }

    /// Begins as a reader and takes the right to write when something is written first, so that a look at a
    /// tenant or a connection does not queue up behind the postings.
    async fn platform(&self) -> Result<Box<dyn Platform>> {
        let session = Session::read(&self.pools.readers).await?;
        Ok(Box::new(SqlitePlatform::new(Arc::clone(&self.pools), session)))
    }

    async fn ping(&self) -> Result<()> {
        self.look(|db| count(db, &PING, [])).await.map(|_| ())
    }

    async fn applied_revisions(&self) -> Result<Vec<String>> {
        let revisions = self
            .look(|db| {
                all(db, &APPLIED_REVISIONS, [], "mizan_migrations", |it| {
                    it.get("revision")
                })
            })
            .await;
        match revisions {
            Err(StoreError::NotMigrated(_)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Always `false`: SQLite has no roles, so whoever may write the file may change the journal. What shows
    /// such a change is the sealed chain with its anchor outside the database.
    async fn journal_is_append_only(&self) -> Result<bool> {
        Ok(false)
    }
}

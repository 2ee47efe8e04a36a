//! A transaction on a lane: begun, committed, or undone when it is dropped.

use mizan_store::{Result, StoreError};
use rusqlite::Connection;

use crate::lane::{Lanes, Lease};
use crate::statement::{execute, statements, value};

statements! {
    /// Takes the lock of the writer at once, so that what is read cannot change before it is written.
    BEGIN_WRITE = "BEGIN IMMEDIATE";
    BEGIN_READ = "BEGIN DEFERRED";
    /// A deferred transaction sees the moment of its first read, so it reads at once.
    TAKE_SNAPSHOT = "SELECT count(*) FROM (SELECT 1 FROM sqlite_schema LIMIT 1)";
    COMMIT = "COMMIT";
    ROLLBACK = "ROLLBACK";
}

/// Why a transaction cannot be committed.
#[derive(Debug, thiserror::Error)]
#[error("a statement of the transaction had failed, so it was undone")]
struct Doomed;

/// One open transaction. Dropping it undoes it, and only then gives the lane back.
pub(crate) struct Session {
    lease: Option<Lease>,
    doomed: bool,
}

impl Session {
    /// Waits for the writer's lane and for the lock of the file.
    pub async fn write(lanes: &Lanes) -> Result<Self> {
        let mut session = Self::on(lanes.take().await?);
        session.call(|db| execute(db, &BEGIN_WRITE, [])).await?;
        Ok(session)
    }

    /// Sees the moment of the call until it ends.
    pub async fn read(lanes: &Lanes) -> Result<Self> {
        let mut session = Self::on(lanes.take().await?);
        session
            .call(|db| {
                execute(db, &BEGIN_READ, [])?;
                value::<i64>(db, &TAKE_SNAPSHOT, [])
            })
            .await?;
        Ok(session)
    }

    fn on(lease: Lease) -> Self {
        Self {
            lease: Some(lease),
            doomed: false,
        }
    }

    /// Works inside the transaction.
    ///
    /// SQLite undoes only the statement that fails and would let the rest commit. Half a change must not, so a
    /// failure dooms the whole transaction, as on PostgreSQL. A row that cannot be read changes nothing and
    /// does not.
    pub async fn call<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let lane = self.lease.as_ref().map(|it| it.lane.clone()).ok_or_else(ended)?;
        let answer = lane.call(work).await;
        if let Err(error) = &answer {
            self.doomed |= !matches!(error, StoreError::Corrupt { .. });
        }
        answer
    }

    pub async fn commit(mut self) -> Result<()> {
        if self.doomed {
            self.rollback().await?;
            return Err(StoreError::Database(Box::new(Doomed)));
        }
        self.call(|db| execute(db, &COMMIT, [])).await?;
        Ok(())
    }

    pub async fn rollback(mut self) -> Result<()> {
        self.call(undo).await
    }

    /// Undoes a reading transaction and begins a writing one in its place.
    pub async fn turn_into_write(&mut self, lanes: &Lanes) -> Result<()> {
        self.call(undo).await?;
        // Gives the reader back before it waits for the writer.
        self.lease = None;
        *self = Self::write(lanes).await?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            let lane = lease.lane.clone();
            lane.post(move |db| {
                if let Err(error) = undo(db) {
                    tracing::error!(%error, "a transaction could not be undone");
                }
                drop(lease);
            });
        }
    }
}

fn undo(db: &Connection) -> Result<()> {
    if !db.is_autocommit() {
        execute(db, &ROLLBACK, [])?;
    }
    Ok(())
}

fn ended() -> StoreError {
    crate::error::unavailable("the transaction has ended")
}

//! Lanes: one connection each, owned by a thread of its own, and the pool that lends them out.
//!
//! SQLite blocks while it works. A lane takes closures over a channel and answers over another one, so that no
//! thread of the async runtime ever waits for the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use mizan_store::Result;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::unavailable;

type Work = Box<dyn FnOnce(&Connection) + Send>;

/// A connection behind a thread. Work is done in the order it was given.
#[derive(Clone)]
pub(crate) struct Lane {
    work: mpsc::Sender<Work>,
}

impl Lane {
    pub fn start(name: String, db: Connection) -> Result<Self> {
        let (work, inbox) = mpsc::channel::<Work>();
        thread::Builder::new()
            .name(name)
            .spawn(move || {
                for work in inbox {
                    // A panic is the problem of the one who asked; the lane lives on.
                    if catch_unwind(AssertUnwindSafe(|| work(&db))).is_err() {
                        tracing::error!("work on the database panicked");
                    }
                }
            })
            .map_err(unavailable)?;
        Ok(Self { work })
    }

    /// Does work on the connection and waits for its answer. If the caller goes away, it is done all the same.
    pub async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (answer, reply) = oneshot::channel();
        self.post(move |db| {
            // Nobody may be there to take the answer.
            drop(answer.send(work(db)));
        });
        reply
            .await
            .map_err(|_| unavailable("the thread of the database did not answer"))?
    }

    /// Does work on the connection, some time.
    pub fn post(&self, work: impl FnOnce(&Connection) + Send + 'static) {
        // Where the thread is gone, the work is dropped, and with it the caller's reply channel.
        drop(self.work.send(Box::new(work)));
    }
}

/// A pool of lanes. Those who wait get one in the order they came.
pub(crate) struct Lanes {
    free: Arc<Mutex<Vec<Lane>>>,
    permits: Arc<Semaphore>,
    wait: Duration,
}

impl Lanes {
    pub fn new(lanes: Vec<Lane>, wait: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(lanes.len())),
            free: Arc::new(Mutex::new(lanes)),
            wait,
        }
    }

    /// Borrows a lane until the lease is dropped.
    pub async fn take(&self) -> Result<Lease> {
        let permit = tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| unavailable("no connection to the database became free in time"))?
            .map_err(unavailable)?;
        let lane = lock(&self.free)
            .pop()
            .ok_or_else(|| unavailable("no connection to the database is free"))?;
        Ok(Lease {
            lane,
            free: Arc::clone(&self.free),
            _permit: permit,
        })
    }
}

/// A borrowed lane.
pub(crate) struct Lease {
    pub lane: Lane,
    free: Arc<Mutex<Vec<Lane>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The permit is freed after this, so whoever gets it finds the lane.
        lock(&self.free).push(self.lane.clone());
    }
}

fn lock(free: &Mutex<Vec<Lane>>) -> std::sync::MutexGuard<'_, Vec<Lane>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

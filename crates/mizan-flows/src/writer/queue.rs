//! What waits for the writer: bounded in transactions and in bytes, both shared out between tenants.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mizan_core::TenantId;
use tokio::sync::{Notify, oneshot};

use super::Request;
use super::fair_queue::FairQueue;
use crate::shares::Shares;
use crate::{FlowError, Reply, Result};

/// How much one batch takes, and how much may wait.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Transactions of one batch.
    pub batch: usize,
    /// Transactions that wait or are being posted; one tenant alone may have half of them.
    pub transactions: usize,
    /// The memory that these take, in bytes.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            batch: 8_192,
            transactions: 8 * 8_192,
            bytes: 128 << 20,
        }
    }
}

pub(super) type Answer = oneshot::Sender<Result<Reply>>;

/// A request and who waits for its answer.
pub(super) struct Waiting {
    pub(super) request: Request,
    pub(super) answer: Answer,
    _seat: Seat,
}

/// What a request holds of the bounds, until it is dropped.
pub(super) struct Seat {
    queue: Arc<Queue>,
    tenant: TenantId,
    transactions: usize,
    bytes: usize,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.queue.lock();
        inner.transactions.give_back(&self.tenant, self.transactions);
        inner.bytes.give_back(&self.tenant, self.bytes);
    }
}

struct Inner {
    waiting: FairQueue<TenantId, Waiting>,
    transactions: Shares<TenantId>,
    bytes: Shares<TenantId>,
    closed: bool,
}

pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Notify,
    batch: usize,
    batches: AtomicU64,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            inner: Mutex::new(Inner {
                waiting: FairQueue::new(),
                transactions: Shares::new(bounds.transactions),
                bytes: Shares::new(bounds.bytes),
                closed: false,
            }),
            arrived: Notify::new(),
            batch: bounds.batch,
            batches: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Queues a request, unless its tenant has its share of the bounds already.
    pub(super) fn push(self: &Arc<Self>, request: Request, answer: Answer) -> Result<()> {
        let (tenant, transactions, bytes) = (request.tenant, request.transactions(), request.bytes());
        let mut inner = self.lock();
        if inner.closed {
            return Err(FlowError::Interrupted);
        }
        let taken = inner.transactions.take(&tenant, transactions);
        if !taken || !inner.bytes.take(&tenant, bytes) {
            if taken {
                inner.transactions.give_back(&tenant, transactions);
            }
            drop(inner);
            metrics::counter!("mizan_posting_refused_busy_total").increment(1);
            return Err(FlowError::Busy);
        }
        let seat = Seat {
            queue: Arc::clone(self),
            tenant,
            transactions,
            bytes,
        };
        let waiting = Waiting {
            request,
            answer,
            _seat: seat,
        };
        inner.waiting.push(&tenant, transactions.max(1), waiting);
        drop(inner);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next batch: what was put off, then what waits, tenant by tenant in turns. `None` once it is closed and
    /// nothing is left.
    pub(super) async fn next(&self, mut taken: Vec<Waiting>) -> Option<Vec<Waiting>> {
        loop {
            let arrived = self.arrived.notified();
            let closed = {
                let mut inner = self.lock();
                let size: usize = taken.iter().map(|it| it.request.transactions()).sum();
                taken.extend(inner.waiting.take(self.batch.saturating_sub(size)));
                inner.closed
            };
            if !taken.is_empty() {
                self.batches.fetch_add(1, Ordering::Relaxed);
                let size: usize = taken.iter().map(|it| it.request.transactions()).sum();
                metrics::histogram!("mizan_posting_batch_size")
                    .record(u32::try_from(size).unwrap_or(u32::MAX));
                return Some(taken);
            }
            if closed {
                return None;
            }
            arrived.await;
        }
    }

    /// Takes nothing more in; the task ends when nothing is left.
    fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Lets go of what waits. Not under the lock: what is dropped gives its seat back.
    fn abandon(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let left = std::mem::replace(&mut inner.waiting, FairQueue::new());
        drop(inner);
        drop(left);
    }
}

/// Closes the queue when the last who could put something into it is gone.
pub(super) struct Closing(pub(super) Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Held by the task. Whatever ends it, nobody waits for an answer that does not come.
pub(super) struct Serving(pub(super) Arc<Queue>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests;

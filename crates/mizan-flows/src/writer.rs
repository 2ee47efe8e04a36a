//! The writer: one task takes what has queued up and posts it in one database transaction per tenant.
//!
//! A batch never waits for company: it is what arrived while the one before was being committed. So an idle
//! system answers after one commit, and a busy one shares each commit among all who wait. There is one batch at a
//! time: two in flight were measured and were no quicker (docs/adr/0001).

mod account_book;
mod batch;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mizan_core::{AccountId, Clock, TenantId};
use mizan_ledger::Account;
use mizan_ledger::posting::Group;
use mizan_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

pub use account_book::AccountBook;

use crate::{FlowError, Keyed, Reply, Result};

/// The most transactions of one batch.
const BATCH: usize = 8_192;
/// The most transactions that may wait; more are told to come back.
const WAITING: usize = 8 * BATCH;

/// How a caller wants the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One transaction: the transaction itself, or its refusal as an error.
    Single,
    /// A verdict for each.
    Bulk,
}

/// What one caller asks to post.
#[derive(Debug)]
pub struct Request {
    pub tenant: TenantId,
    pub key: Keyed,
    pub group: Group,
    /// Every account that the group names and that exists.
    pub accounts: HashMap<AccountId, Account>,
    pub shape: Shape,
}

struct Waiting {
    request: Request,
    answer: oneshot::Sender<Result<Reply>>,
    _seats: OwnedSemaphorePermit,
}

/// The way to the writer task.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Waiting>,
    seats: Arc<Semaphore>,
    accounts: Arc<AccountBook>,
}

impl Writer {
    /// Starts the task. It ends when the last `Writer` is dropped and everything taken is answered.
    pub fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let (queue, requests) = mpsc::unbounded_channel();
        tokio::spawn(run(store, clock, requests));
        let seats = Arc::new(Semaphore::new(WAITING));
        Self {
            queue,
            seats,
            accounts: Arc::new(AccountBook::default()),
        }
    }

    /// Accounts by code, kept in memory: nothing of an account ever changes.
    pub fn accounts(&self) -> &AccountBook {
        &self.accounts
    }

    /// Posts, and answers once it is committed. [`FlowError::Busy`] if too much is waiting already.
    pub async fn post(&self, request: Request) -> Result<Reply> {
        let wanted = u32::try_from(request.group.transactions.len()).map_err(|_| FlowError::Busy)?;
        let seats = Arc::clone(&self.seats)
            .try_acquire_many_owned(wanted)
            .map_err(|_| {
                metrics::counter!("mizan_posting_refused_busy_total").increment(1);
                FlowError::Busy
            })?;
        let (answer, reply) = oneshot::channel();
        self.queue
            .send(Waiting {
                request,
                answer,
                _seats: seats,
            })
            .map_err(|_| FlowError::Interrupted)?;
        reply.await.map_err(|_| FlowError::Interrupted)?
    }
}

async fn run(store: Arc<dyn Store>, clock: Arc<dyn Clock>, mut requests: mpsc::UnboundedReceiver<Waiting>) {
    let mut put_off: Vec<Waiting> = Vec::new();
    loop {
        if put_off.is_empty() {
            match requests.recv().await {
                Some(first) => put_off.push(first),
                None => return,
            }
        }
        let mut size: usize = put_off.iter().map(|it| it.request.group.transactions.len()).sum();
        let mut taken = std::mem::take(&mut put_off);
        while size < BATCH {
            let Ok(next) = requests.try_recv() else { break };
            size += next.request.group.transactions.len();
            taken.push(next);
        }
        metrics::histogram!("mizan_posting_batch_size").record(u32::try_from(size).unwrap_or(u32::MAX));
        for (tenant, batch) in by_tenant(taken, &mut put_off) {
            batch::post(&*store, &*clock, tenant, batch).await;
        }
    }
}

/// Sorts a batch by tenant, in order of arrival. A key that is in it twice waits for its first to be
/// answered.
fn by_tenant(taken: Vec<Waiting>, put_off: &mut Vec<Waiting>) -> Vec<(TenantId, Vec<Waiting>)> {
    let mut batches: Vec<(TenantId, Vec<Waiting>)> = Vec::new();
    let mut keys = HashSet::new();
    for waiting in taken {
        let tenant = waiting.request.tenant;
        if !keys.insert((tenant, waiting.request.key.key.clone())) {
            put_off.push(waiting);
            continue;
        }
        match batches.iter_mut().find(|(it, _)| *it == tenant) {
            Some((_, batch)) => batch.push(waiting),
            None => batches.push((tenant, vec![waiting])),
        }
    }
    batches
}

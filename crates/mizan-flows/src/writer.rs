//! The writer: one task takes what has queued up and posts it in one database transaction per tenant.
//!
//! A batch never waits for company: it is what arrived while the one before was being committed. So an idle
//! system answers after one commit, and a busy one shares each commit among all who wait. There is one batch at a
//! time: two in flight were measured and were no quicker (docs/adr/0001). What waits is bounded and shared out
//! between tenants (docs/operations.md, "Back-pressure").

mod account_book;
mod batch;
mod fair_queue;
mod queue;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use mizan_core::{AccountId, Clock, TenantId};
use mizan_ledger::posting::Group;
use mizan_ledger::{Account, NewTransaction, Transfer};
use mizan_store::Store;
use tokio::sync::oneshot;

pub use account_book::AccountBook;
pub use queue::Bounds;
use queue::{Closing, Queue, Serving, Waiting};

use crate::{Keyed, Reply, Result};

/// How many tenants' batches are under way at a time: each is a commit of its own.
const TENANTS_AT_A_TIME: usize = 4;

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

impl Request {
    fn transactions(&self) -> usize {
        self.group.transactions.len()
    }

    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        let text = |it: &Option<String>| it.as_ref().map_or(0, String::len);
        let of = |it: &NewTransaction| {
            size_of::<NewTransaction>()
                + it.legs.len() * size_of::<Transfer>()
                + text(&it.reference)
                + text(&it.metadata)
        };
        let transactions: usize = self.group.transactions.iter().map(of).sum();
        size_of::<Self>() + transactions + self.accounts.len() * size_of::<(AccountId, Account)>()
    }
}

/// The way to the writer task.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Queue>,
    accounts: Arc<AccountBook>,
    _closing: Arc<Closing>,
}

impl Writer {
    /// Starts the task. It ends when the last `Writer` is dropped and everything taken is answered.
    pub fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self::bounded(store, clock, Bounds::default())
    }

    /// As [`Self::start`], with bounds of one's own.
    pub fn bounded(store: Arc<dyn Store>, clock: Arc<dyn Clock>, bounds: Bounds) -> Self {
        let queue = Arc::new(Queue::new(bounds));
        tokio::spawn(run(store, clock, Arc::clone(&queue)));
        Self {
            accounts: Arc::new(AccountBook::default()),
            _closing: Arc::new(Closing(Arc::clone(&queue))),
            queue,
        }
    }

    /// Accounts by code, kept in memory: nothing of an account ever changes.
    pub fn accounts(&self) -> &AccountBook {
        &self.accounts
    }

    /// How many batches were taken so far.
    pub fn batches(&self) -> u64 {
        self.queue.batches()
    }

    /// Posts, and answers once it is committed. [`crate::FlowError::Busy`] if too much is waiting already, of all or
    /// of this tenant.
    pub async fn post(&self, request: Request) -> Result<Reply> {
        let (answer, reply) = oneshot::channel();
        self.queue.push(request, answer)?;
        reply.await.map_err(|_| crate::FlowError::Interrupted)?
    }
}

async fn run(store: Arc<dyn Store>, clock: Arc<dyn Clock>, queue: Arc<Queue>) {
    let _serving = Serving(Arc::clone(&queue));
    let mut put_off: Vec<Waiting> = Vec::new();
    while let Some(taken) = queue.next(std::mem::take(&mut put_off)).await {
        let batches = by_tenant(taken, &mut put_off);
        futures::stream::iter(batches)
            .for_each_concurrent(TENANTS_AT_A_TIME, |(tenant, batch)| {
                batch::post(&*store, &*clock, tenant, batch)
            })
            .await;
    }
}

/// Sorts a batch by tenant, in order of arrival, the smallest first. A key that is in it twice waits for its first
/// to be answered.
fn by_tenant(taken: Vec<Waiting>, put_off: &mut Vec<Waiting>) -> Vec<(TenantId, Vec<Waiting>)> {
    let mut batches: Vec<(TenantId, Vec<Waiting>)> = Vec::new();
    let mut seen = HashSet::with_capacity(taken.len());
    let again: Vec<bool> = taken
        .iter()
        .map(|it| !seen.insert((it.request.tenant, &it.request.key.key)))
        .collect();
    for (waiting, again) in taken.into_iter().zip(again) {
        let tenant = waiting.request.tenant;
        if again {
            put_off.push(waiting);
            continue;
        }
        match batches.iter_mut().find(|(it, _)| *it == tenant) {
            Some((_, batch)) => batch.push(waiting),
            None => batches.push((tenant, vec![waiting])),
        }
    }
    batches.sort_by_cached_key(|(_, batch)| batch.iter().map(|it| it.request.transactions()).sum::<usize>());
    batches
}

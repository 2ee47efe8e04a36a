//! The intake desk: one task takes the events that have queued up and keeps them in one database transaction per
//! tenant.
//!
//! As with the writer of postings, a batch never waits for company: it is what arrived while the one before was
//! being committed. A batch that the database refuses is taken apart, so that one bad event never harms its
//! neighbours.

mod keep;
mod room;

use std::sync::Arc;

use mizan_core::TenantId;
use mizan_store::Store;
use mizan_store::webhooks::WebhookEvent;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{FlowError, Result};
use room::{Room, Seats};

/// The most seats of one batch; see [`Room`] for what a seat is.
const BATCH: usize = 1_024;

/// The events of one webhook request.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub tenant: TenantId,
    /// All of one provider, at least one.
    pub events: Vec<WebhookEvent>,
    /// Whether events that are new are to be applied.
    pub apply: bool,
}

/// How many events of a delivery were new, and how many were known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    pub stored: usize,
    pub known: usize,
}

struct Waiting {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Kept>>,
    seats: Seats,
}

/// The way to the intake task.
#[derive(Clone)]
pub struct Desk {
    queue: mpsc::UnboundedSender<Waiting>,
    room: Arc<Room>,
}

impl Desk {
    /// Starts the task. It rings `bell` when a batch left jobs, and ends when the last `Desk` is dropped and
    /// everything taken is answered.
    pub fn start(store: Arc<dyn Store>, bell: Arc<Notify>) -> Self {
        let (queue, deliveries) = mpsc::unbounded_channel();
        tokio::spawn(run(store, bell, deliveries));
        Self {
            queue,
            room: Arc::default(),
        }
    }

    /// Keeps a delivery, and answers once it is committed. [`FlowError::Busy`] if too much waits already.
    pub(crate) async fn keep(&self, delivery: Delivery) -> Result<Kept> {
        let Some(first) = delivery.events.first() else {
            return Ok(Kept::default());
        };
        let provider = &first.provider;
        let seats = Room::seat(&self.room, provider, &delivery.events).ok_or_else(|| {
            metrics::counter!("mizan_webhook_refused_busy_total", "provider" => provider.to_string())
                .increment(1);
            FlowError::Busy
        })?;
        let (answer, reply) = oneshot::channel();
        self.queue
            .send(Waiting {
                delivery,
                answer,
                seats,
            })
            .map_err(|_| FlowError::Interrupted)?;
        reply.await.map_err(|_| FlowError::Interrupted)?
    }
}

async fn run(store: Arc<dyn Store>, bell: Arc<Notify>, mut deliveries: mpsc::UnboundedReceiver<Waiting>) {
    while let Some(first) = deliveries.recv().await {
        let mut size = first.seats.count();
        let mut taken = vec![first];
        while size < BATCH {
            let Ok(next) = deliveries.try_recv() else { break };
            size += next.seats.count();
            taken.push(next);
        }
        metrics::histogram!("mizan_webhook_batch_size")
            .record(u32::try_from(taken.len()).unwrap_or(u32::MAX));
        for (tenant, batch) in by_tenant(taken) {
            keep::keep(&*store, tenant, batch).await;
            bell.notify_one();
        }
    }
}

/// Sorts a batch by tenant, in order of arrival.
fn by_tenant(taken: Vec<Waiting>) -> Vec<(TenantId, Vec<Waiting>)> {
    let mut batches: Vec<(TenantId, Vec<Waiting>)> = Vec::new();
    for waiting in taken {
        let tenant = waiting.delivery.tenant;
        match batches.iter_mut().find(|(it, _)| *it == tenant) {
            Some((_, batch)) => batch.push(waiting),
            None => batches.push((tenant, vec![waiting])),
        }
    }
    batches
}

//! One batch of one tenant: keep the events, queue jobs for the new ones, commit, answer everyone.

use std::collections::HashSet;

use mizan_core::{Job, TenantId, WebhookEventId};
use mizan_store::outbox::NewJob;
use mizan_store::webhooks::WebhookEvent;
use mizan_store::{Store, StoreError};

use super::{Delivery, Kept, Waiting};
use crate::retry::retrying;
use crate::{FlowError, Result};

/// Keeps a batch and answers everyone in it.
pub(super) async fn keep(store: &dyn Store, tenant: TenantId, batch: Vec<Waiting>) {
    let (deliveries, waiting): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|it| (it.delivery, (it.answer, it.seats)))
        .unzip();
    let together = retrying("webhook.keep", || async {
        Ok(attempt(store, tenant, &deliveries).await?)
    });
    let answers = match together.await {
        Ok(kept) => kept.into_iter().map(Ok).collect(),
        // The database is away for one as for all.
        Err(FlowError::Store(error @ (StoreError::Unavailable(_) | StoreError::NotMigrated(_)))) => {
            deliveries.iter().map(|_| Err(away(&error))).collect()
        }
        Err(error) if deliveries.len() == 1 => vec![Err(error)],
        Err(error) => {
            metrics::counter!("mizan_webhook_batches_taken_apart_total", "step" => "keep").increment(1);
            tracing::warn!(%error, deliveries = deliveries.len(), "a batch of webhooks was refused, each is kept alone");
            one_by_one(store, tenant, &deliveries).await
        }
    };
    for ((answer, _seats), kept) in waiting.into_iter().zip(answers) {
        // A provider that hung up sends the event again, and is told that it is known.
        let _ = answer.send(kept);
    }
}

/// The same error for every caller of a batch.
fn away(error: &StoreError) -> FlowError {
    FlowError::Store(match error {
        StoreError::NotMigrated(source) => StoreError::NotMigrated(source.to_string().into()),
        other => StoreError::Unavailable(other.to_string().into()),
    })
}

/// Each delivery in a transaction of its own, so that the one that is refused is refused alone.
async fn one_by_one(store: &dyn Store, tenant: TenantId, deliveries: &[Delivery]) -> Vec<Result<Kept>> {
    let mut answers = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let alone = std::slice::from_ref(delivery);
        let kept = retrying("webhook.keep", || async {
            Ok(attempt(store, tenant, alone).await?)
        });
        answers.push(kept.await.map(|it| it.first().copied().unwrap_or_default()));
    }
    answers
}

async fn attempt(
    store: &dyn Store,
    tenant: TenantId,
    deliveries: &[Delivery],
) -> Result<Vec<Kept>, StoreError> {
    let mut events: Vec<&WebhookEvent> = deliveries.iter().flat_map(|it| &it.events).collect();
    // Two processes that keep the same events wait for each other in the same order. The sort is stable: of an
    // event that is there twice, the first to arrive is kept.
    events.sort_by(|a, b| (&a.provider, &a.provider_event_id).cmp(&(&b.provider, &b.provider_event_id)));
    let mut tx = store.begin(tenant).await?;
    let new = tx.insert_webhooks(&events).await?;
    let jobs = jobs(deliveries, &new);
    if !jobs.is_empty() {
        tx.enqueue_all(&jobs).await?;
    }
    tx.commit().await?;
    Ok(deliveries
        .iter()
        .map(|it| {
            let stored = it.events.iter().filter(|it| new.contains(&it.id)).count();
            Kept {
                stored,
                known: it.events.len() - stored,
            }
        })
        .collect())
}

/// A job for each new event that is to be applied, in order of arrival.
fn jobs(deliveries: &[Delivery], new: &HashSet<WebhookEventId>) -> Vec<NewJob> {
    deliveries
        .iter()
        .filter(|it| it.apply)
        .flat_map(|it| &it.events)
        .filter(|it| new.contains(&it.id))
        .map(|it| NewJob {
            job: Job::ApplyWebhook { event: it.id },
            run_at: it.received_at,
            request_id: it.request_id.clone(),
            created_at: it.received_at,
        })
        .collect()
}

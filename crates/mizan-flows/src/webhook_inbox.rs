//! The raw inbox as people see it: listing, and applying a stored event again.

use mizan_core::WebhookEventId;
use mizan_payments::provider::RawEvent;
use mizan_store::webhooks::{EventState, Signature, WebhookEvent, WebhookFilter};
use mizan_store::{Page, Paged};
use serde::Serialize;

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result, webhook_intake};

pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &WebhookFilter,
    page: &Page<WebhookEventId>,
) -> Result<Paged<WebhookEvent, WebhookEventId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.webhooks(filter, page).await?)
}

pub async fn get(app: &App, caller: &Caller, id: WebhookEventId) -> Result<WebhookEvent> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.webhook(id).await?.ok_or(FlowError::NotFound("webhook event"))
}

/// What a replay did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayView {
    pub id: WebhookEventId,
    pub dry_run: bool,
    /// The event after translation, or why it cannot be translated.
    pub translated: serde_json::Value,
    /// The state before.
    pub state: String,
    /// Whether a job was queued.
    pub queued: bool,
}

/// Applies a stored event again: a new job, and the event's own id keeps it from having a second effect. A dry
/// run only translates. An event that was never verified cannot be applied.
pub async fn replay(app: &App, caller: &Caller, id: WebhookEventId, dry_run: bool) -> Result<ReplayView> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let mut event = tx
        .lock_webhook(id)
        .await?
        .ok_or(FlowError::NotFound("webhook event"))?;
    let (_, adapter) = app.provider(&mut *tx, &event.provider).await?;
    let raw = RawEvent {
        event_id: event.provider_event_id.clone(),
        event_type: event.event_type.clone(),
        body: event.body.clone(),
    };
    let translated = match adapter.translate(&raw, event.received_at) {
        Ok(it) => serde_json::json!({
            "event_id": it.event_id, "kind": it.kind.as_str(), "provider_ref": it.provider_ref,
            "player_id": it.player, "amount": it.amount.major(), "currency": it.amount.currency.code(),
            "withdrawal_id": it.withdrawal, "occurred_at": it.occurred_at,
        }),
        Err(error) => serde_json::json!({ "error": error.to_string() }),
    };
    let state = event.state.to_string();
    let before = state.clone();
    let view = |queued| ReplayView {
        id,
        dry_run,
        translated,
        state,
        queued,
    };
    if dry_run {
        return Ok(view(false));
    }
    if event.signature == Signature::Unverified {
        return Err(FlowError::State {
            noun: "the webhook event",
            state: "unverified".into(),
            wanted: "applied",
        });
    }
    let queued = event.state != EventState::Applied;
    if queued {
        event.state = EventState::Received;
        event.parked_on = None;
        event.error = None;
        tx.update_webhook(&event).await?;
        webhook_intake::enqueue_apply(&mut *tx, id, caller.request_id.clone(), now).await?;
    }
    let change = Change {
        action: "webhook.replay",
        subject_type: "webhook_event",
        subject_id: id.to_string(),
        from: Some(before),
        to: Some(event.state.to_string()),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    tx.commit().await?;
    app.job_bell.notify_one();
    Ok(view(queued))
}

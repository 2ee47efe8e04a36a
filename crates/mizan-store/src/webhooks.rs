//! The raw inbox of provider events.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{ProviderKey, Timestamp, WebhookEventId};

use crate::{Page, Paged, Result};

mizan_core::words! {
    /// Whether the sender was proven.
    pub enum Signature {
        Valid = "valid",
        /// Stored because enforcement is off; changes no state.
        Unverified = "unverified",
    }
}

mizan_core::words! {
    /// What became of an event.
    pub enum EventState {
        /// Stored; a job will apply it.
        Received = "received",
        Applied = "applied",
        /// Authentic, and nothing is to be done (a kind that is not acted on, or a repetition of an effect).
        Ignored = "ignored",
        /// Waits for the event or the step that it depends on.
        Parked = "parked",
        /// Cannot be applied; the reason is kept.
        Failed = "failed",
        /// Not authentic; kept for people, never applied.
        Unverified = "unverified",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    pub id: WebhookEventId,
    pub provider: ProviderKey,
    pub provider_event_id: String,
    pub event_type: String,
    /// The headers that matter for the signature, as a JSON object; never cookies or authorization.
    pub headers: String,
    /// The event's own bytes.
    pub body: Vec<u8>,
    pub signature: Signature,
    pub state: EventState,
    /// What a parked event waits for: `deposit:<provider_ref>` or `withdrawal:<id>`.
    pub parked_on: Option<String>,
    pub error: Option<String>,
    pub attempts: i32,
    pub request_id: Option<String>,
    pub received_at: Timestamp,
    pub applied_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
pub struct WebhookFilter {
    pub provider: Option<ProviderKey>,
    pub signature: Option<Signature>,
    pub state: Option<EventState>,
}

#[async_trait]
pub trait Webhooks {
    /// Keeps events, and answers the ids of those that are new. An authentic one is not if there is another with
    /// its provider and event id, in the inbox or before it among these; an unverified event is always kept as a
    /// row of its own.
    async fn insert_webhooks(&mut self, events: &[&WebhookEvent]) -> Result<HashSet<WebhookEventId>>;

    async fn webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>>;

    /// Reads an event and locks it until the transaction ends.
    async fn lock_webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>>;

    /// Reads those of these events that are there and locks them in order of id until the transaction ends.
    async fn lock_webhooks(&mut self, ids: &[WebhookEventId]) -> Result<Vec<WebhookEvent>>;

    /// Writes `state`, `parked_on`, `error`, `attempts` and `applied_at`.
    async fn update_webhook(&mut self, event: &WebhookEvent) -> Result<()>;

    /// The same for many.
    async fn update_webhooks(&mut self, events: &[&WebhookEvent]) -> Result<()>;

    /// The events that wait for any of these, oldest first.
    async fn parked_webhooks(&mut self, on: &[String]) -> Result<Vec<WebhookEventId>>;

    /// Newest first.
    async fn webhooks(
        &mut self,
        filter: &WebhookFilter,
        page: &Page<WebhookEventId>,
    ) -> Result<Paged<WebhookEvent, WebhookEventId>>;
}

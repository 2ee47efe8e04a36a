//! The raw inbox of provider events.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{ProviderKey, WebhookEventId};
use mizan_store::webhooks::{EventState, Signature, WebhookEvent, WebhookFilter, Webhooks};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::{Record, column};
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! event_columns {
    () => {
        "id, provider, provider_event_id, event_type, headers, body, signature, state, parked_on, error, \
         attempts, request_id, received_at, applied_at"
    };
}
macro_rules! event_filter {
    () => {
        "FROM webhook_events
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR provider = $2)
           AND ($3::text IS NULL OR signature = $3)
           AND ($4::text IS NULL OR state = $4)"
    };
}

statements! {
    /// Waits for a rival that keeps the same event. Unverified ones have no rivals.
    INSERT = concat!("INSERT INTO webhook_events (tenant_id, ", event_columns!(), ")
         SELECT $1, rows.* FROM unnest(
             $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[],
             $10::text[], $11::text[], $12::integer[], $13::text[], $14::timestamptz[], $15::timestamptz[]) AS rows
         ON CONFLICT (provider, provider_event_id) WHERE signature = 'valid' DO NOTHING
         RETURNING id");
    BY_ID = concat!("SELECT ", event_columns!(), " FROM webhook_events WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", event_columns!(), " FROM webhook_events
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE");
    LOCK_ALL = concat!("SELECT ", event_columns!(), " FROM webhook_events
         WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE");
    UPDATE_ALL = "UPDATE webhook_events e
         SET state = n.state, parked_on = n.parked_on, error = n.error, attempts = n.attempts, applied_at = n.applied_at
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::timestamptz[])
             AS n (id, state, parked_on, error, attempts, applied_at)
         WHERE e.tenant_id = $1 AND e.id = n.id";
    UPDATE = "UPDATE webhook_events SET state = $3, parked_on = $4, error = $5, attempts = $6, applied_at = $7
         WHERE tenant_id = $1 AND id = $2";
    PARKED = "SELECT id FROM webhook_events
         WHERE tenant_id = $1 AND parked_on = ANY($2) AND state = 'parked' ORDER BY id";
    LIST = concat!("SELECT ", event_columns!(), " ", event_filter!(), "
           AND ($5::uuid IS NULL OR id < $5)
         ORDER BY id DESC LIMIT $6 OFFSET $7");
    COUNT = concat!("SELECT count(*) ", event_filter!());
}

fn event(row: &Row) -> Result<WebhookEvent> {
    let record = Record::new(row, "webhook_events", "id");
    Ok(WebhookEvent {
        id: record.id("id")?,
        provider: record.word("provider")?,
        provider_event_id: record.get("provider_event_id")?,
        event_type: record.get("event_type")?,
        headers: record.get("headers")?,
        body: record.get("body")?,
        signature: record.word("signature")?,
        state: record.word("state")?,
        parked_on: record.get("parked_on")?,
        error: record.get("error")?,
        attempts: record.get("attempts")?,
        request_id: record.get("request_id")?,
        received_at: record.get("received_at")?,
        applied_at: record.get("applied_at")?,
    })
}

fn event_id(row: &Row) -> Result<WebhookEventId> {
    Record::new(row, "webhook_events", "id").id("id")
}

#[async_trait]
impl Webhooks for PgTx {
    async fn insert_webhooks(&mut self, new: &[&WebhookEvent]) -> Result<HashSet<WebhookEventId>> {
        let rows = self
            .session
            .rows(
                INSERT,
                &[
                    &self.tenant,
                    &column(new, |it| it.id.0),
                    &column(new, |it| it.provider.as_str()),
                    &column(new, |it| it.provider_event_id.as_str()),
                    &column(new, |it| it.event_type.as_str()),
                    &column(new, |it| it.headers.as_str()),
                    &column(new, |it| it.body.as_slice()),
                    &column(new, |it| it.signature.as_str()),
                    &column(new, |it| it.state.as_str()),
                    &column(new, |it| it.parked_on.as_deref()),
                    &column(new, |it| it.error.as_deref()),
                    &column(new, |it| it.attempts),
                    &column(new, |it| it.request_id.as_deref()),
                    &column(new, |it| it.received_at),
                    &column(new, |it| it.applied_at),
                ],
            )
            .await?;
        rows.iter().map(event_id).collect()
    }

    async fn webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(event).transpose()
    }

    async fn lock_webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>> {
        let row = self.session.row(LOCK, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(event).transpose()
    }

    async fn lock_webhooks(&mut self, ids: &[WebhookEventId]) -> Result<Vec<WebhookEvent>> {
        let ids = column(ids, |it| it.0);
        let rows = self.session.rows(LOCK_ALL, &[&self.tenant, &ids]).await?;
        rows.iter().map(event).collect()
    }

    async fn update_webhooks(&mut self, events: &[&WebhookEvent]) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE_ALL,
                &[
                    &self.tenant,
                    &column(events, |it| it.id.0),
                    &column(events, |it| it.state.as_str()),
                    &column(events, |it| it.parked_on.as_deref()),
                    &column(events, |it| it.error.as_deref()),
                    &column(events, |it| it.attempts),
                    &column(events, |it| it.applied_at),
                ],
            )
            .await?;
        StoreError::expect_rows("webhooks::UPDATE_ALL", events.len() as u64, updated)
    }

    async fn update_webhook(&mut self, it: &WebhookEvent) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE,
                &[
                    &self.tenant,
                    &it.id.0,
                    &it.state.as_str(),
                    &it.parked_on,
                    &it.error,
                    &it.attempts,
                    &it.applied_at,
                ],
            )
            .await?;
        StoreError::expect_rows("webhooks::UPDATE", 1, updated)
    }

    async fn parked_webhooks(&mut self, on: &[String]) -> Result<Vec<WebhookEventId>> {
        let rows = self.session.rows(PARKED, &[&self.tenant, &on]).await?;
        rows.iter().map(event_id).collect()
    }

    async fn webhooks(
        &mut self,
        filter: &WebhookFilter,
        page: &Page<WebhookEventId>,
    ) -> Result<Paged<WebhookEvent, WebhookEventId>> {
        let provider = filter.provider.as_ref().map(ProviderKey::as_str);
        let signature = filter.signature.map(Signature::as_str);
        let state = filter.state.map(EventState::as_str);
        let filters: [(Param<'_>, Type); 4] = [
            (&self.tenant, Type::INT4),
            (&provider, Type::TEXT),
            (&signature, Type::TEXT),
            (&state, Type::TEXT),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, event, |it| it.id)
            .await
    }
}

//! The raw inbox of provider events.

use async_trait::async_trait;
use mizan_core::{ProviderKey, WebhookEventId};
use mizan_store::webhooks::{EventState, Signature, WebhookEvent, WebhookFilter, Webhooks};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
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
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (provider, provider_event_id) WHERE signature = 'valid' DO NOTHING");
    KNOWN = "SELECT id FROM webhook_events
         WHERE tenant_id = $1 AND provider = $2 AND provider_event_id = $3 AND signature = 'valid'";
    BY_ID = concat!("SELECT ", event_columns!(), " FROM webhook_events WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", event_columns!(), " FROM webhook_events
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE");
    UPDATE = "UPDATE webhook_events SET state = $3, parked_on = $4, error = $5, attempts = $6, applied_at = $7
         WHERE tenant_id = $1 AND id = $2";
    PARKED = "SELECT id FROM webhook_events
         WHERE tenant_id = $1 AND parked_on = $2 AND state = 'parked' ORDER BY id";
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
    async fn insert_webhook(&mut self, new: &WebhookEvent) -> Result<Option<WebhookEventId>> {
        let provider = new.provider.as_str();
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.id.0,
                    &provider,
                    &new.provider_event_id,
                    &new.event_type,
                    &new.headers,
                    &new.body,
                    &new.signature.as_str(),
                    &new.state.as_str(),
                    &new.parked_on,
                    &new.error,
                    &new.attempts,
                    &new.request_id,
                    &new.received_at,
                    &new.applied_at,
                ],
            )
            .await?;
        if inserted == 1 {
            return Ok(None);
        }
        let row = self
            .session
            .row(KNOWN, &[&self.tenant, &provider, &new.provider_event_id])
            .await?;
        let row = row.ok_or_else(|| StoreError::Collision {
            what: "uq_webhooks_event".to_owned(),
        })?;
        event_id(&row).map(Some)
    }

    async fn webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(event).transpose()
    }

    async fn lock_webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>> {
        let row = self.session.row(LOCK, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(event).transpose()
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

    async fn parked_webhooks(&mut self, on: &str) -> Result<Vec<WebhookEventId>> {
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

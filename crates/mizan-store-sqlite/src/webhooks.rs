//! The raw inbox of provider events.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{ProviderKey, WebhookEventId};
use mizan_store::webhooks::{EventState, Signature, WebhookEvent, WebhookFilter, Webhooks};
use mizan_store::{Page, Paged, Result};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    /// Only authentic events are unique: a forged one must not take the place of the real one.
    INSERT_WEBHOOK = "
        INSERT INTO webhook_events (id, tenant_id, provider, provider_event_id, event_type, headers, body, signature,
                                    state, parked_on, error, attempts, request_id, received_at, applied_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT (provider, provider_event_id) WHERE signature = 'valid' DO NOTHING";

    WEBHOOK = "
        SELECT id, provider, provider_event_id, event_type, headers, body, signature, state, parked_on, error,
               attempts, request_id, received_at, applied_at
        FROM webhook_events
        WHERE id = ?1 AND tenant_id = ?2";

    UPDATE_WEBHOOK = "
        UPDATE webhook_events SET state = ?3, parked_on = ?4, error = ?5, attempts = ?6, applied_at = ?7
        WHERE id = ?1 AND tenant_id = ?2";

    PARKED_WEBHOOKS = "
        SELECT id
        FROM webhook_events
        WHERE tenant_id = ?1 AND parked_on = ?2 AND state = 'parked'
        ORDER BY id";

    LIST_WEBHOOKS = "
        SELECT id, provider, provider_event_id, event_type, headers, body, signature, state, parked_on, error,
               attempts, request_id, received_at, applied_at
        FROM webhook_events
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR provider = ?3)
          AND (?4 IS NULL OR signature = ?4)
          AND (?5 IS NULL OR state = ?5)
        ORDER BY id DESC LIMIT ?6 OFFSET ?7";

    COUNT_WEBHOOKS = "
        SELECT count(*)
        FROM webhook_events
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR provider = ?2)
          AND (?3 IS NULL OR signature = ?3)
          AND (?4 IS NULL OR state = ?4)";
}

#[async_trait]
impl Webhooks for SqliteTx {
    async fn insert_webhooks(&mut self, events: &[&WebhookEvent]) -> Result<HashSet<WebhookEventId>> {
        let events: Vec<_> = events.iter().map(|it| (*it).clone()).collect();
        self.within(move |db, tenant| {
            let mut new = HashSet::new();
            for event in &events {
                if insert(db, tenant, event)? {
                    new.insert(event.id);
                }
            }
            Ok(new)
        })
        .await
    }

    async fn webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant];
            first(db, &WEBHOOK, params, "webhook_events", webhook_row)
        })
        .await
    }

    async fn lock_webhook(&mut self, id: WebhookEventId) -> Result<Option<WebhookEvent>> {
        self.webhook(id).await
    }

    async fn lock_webhooks(&mut self, ids: &[WebhookEventId]) -> Result<Vec<WebhookEvent>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        self.within(move |db, tenant| {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                let params = params![id_text(id.0), tenant];
                found.extend(first(db, &WEBHOOK, params, "webhook_events", webhook_row)?);
            }
            Ok(found)
        })
        .await
    }

    async fn update_webhook(&mut self, event: &WebhookEvent) -> Result<()> {
        self.update_webhooks(&[event]).await
    }

    async fn update_webhooks(&mut self, events: &[&WebhookEvent]) -> Result<()> {
        let events: Vec<_> = events.iter().map(|it| (*it).clone()).collect();
        self.within(move |db, tenant| events.iter().try_for_each(|it| update(db, tenant, it)))
            .await
    }

    async fn parked_webhooks(&mut self, on: &[String]) -> Result<Vec<WebhookEventId>> {
        let on = on.to_vec();
        self.within(move |db, tenant| {
            let mut parked: Vec<WebhookEventId> = Vec::new();
            for subject in on {
                let params = params![tenant, subject];
                parked.extend(all(db, &PARKED_WEBHOOKS, params, "webhook_events", |row| {
                    row.id::<WebhookEventId>("id")
                })?);
            }
            parked.sort_unstable();
            Ok(parked)
        })
        .await
    }

    async fn webhooks(
        &mut self,
        filter: &WebhookFilter,
        page: &Page<WebhookEventId>,
    ) -> Result<Paged<WebhookEvent, WebhookEventId>> {
        let (filter, page) = (filter.clone(), *page);
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let provider = filter.provider.as_ref().map(ProviderKey::as_str);
            let signature = filter.signature.map(Signature::as_str);
            let state = filter.state.map(EventState::as_str);
            let params = params![tenant, at.before, provider, signature, state, at.limit, at.offset];
            let rows = all(db, &LIST_WEBHOOKS, params, "webhook_events", webhook_row)?;
            let params = params![tenant, provider, signature, state];
            let counted = || count(db, &COUNT_WEBHOOKS, params);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

/// Whether it is new. A provider belongs to one tenant, so a row that is in the way is the tenant's own.
fn insert(db: &Connection, tenant: i32, event: &WebhookEvent) -> Result<bool> {
    let params = params![
        id_text(event.id.0),
        tenant,
        event.provider.as_str(),
        event.provider_event_id,
        event.event_type,
        event.headers,
        event.body,
        event.signature.as_str(),
        event.state.as_str(),
        event.parked_on,
        event.error,
        event.attempts,
        event.request_id,
        stamp(event.received_at),
        stamp_opt(event.applied_at)
    ];
    Ok(execute(db, &INSERT_WEBHOOK, params)? == 1)
}

fn update(db: &Connection, tenant: i32, it: &WebhookEvent) -> Result<()> {
    let params = params![
        id_text(it.id.0),
        tenant,
        it.state.as_str(),
        it.parked_on,
        it.error,
        it.attempts,
        stamp_opt(it.applied_at)
    ];
    execute_one(db, &UPDATE_WEBHOOK, params)
}

fn webhook_row(row: &mut Cells<'_>) -> Result<WebhookEvent> {
    Ok(WebhookEvent {
        id: row.id("id")?,
        provider: row.parsed("provider")?,
        provider_event_id: row.get("provider_event_id")?,
        event_type: row.get("event_type")?,
        headers: row.get("headers")?,
        body: row.get("body")?,
        signature: row.parsed("signature")?,
        state: row.parsed("state")?,
        parked_on: row.get("parked_on")?,
        error: row.get("error")?,
        attempts: row.get("attempts")?,
        request_id: row.get("request_id")?,
        received_at: row.time("received_at")?,
        applied_at: row.time_opt("applied_at")?,
    })
}

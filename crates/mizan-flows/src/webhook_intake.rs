//! Taking a provider's webhook: verify the raw bytes, keep the event and its job, then say yes.
//!
//! Nothing is applied here. The reply is given once the event is durable, so a provider that hears 2xx need
//! never send it again, and one that does is told 2xx again without any effect.

pub mod desk;

use mizan_core::{Job, ProviderKey, Timestamp, WebhookEventId};
use mizan_payments::provider::{Headers, RawEvent, Rejection};
use mizan_payments::rollout::Flag;
use mizan_store::Tx;
use mizan_store::connections::Connection;
use mizan_store::outbox::NewJob;
use mizan_store::webhooks::{EventState, Signature, WebhookEvent};

use self::desk::{Delivery, Kept};
use crate::{App, Result, connections};

/// What a request brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Events that were new.
    pub stored: usize,
    /// Events that were known already.
    pub known: usize,
    /// Whether the signature was good. Without one an event was only kept, and a caller counts it as refused.
    pub signature: Signature,
    /// The body that the provider expects.
    pub acknowledgement: &'static str,
}

/// The headers that are kept with an event. Cookies and authorization never are.
const KEPT: [&str; 7] = [
    "content-type",
    "user-agent",
    "x-webhook-timestamp",
    "webhook-id",
    "webhook-timestamp",
    "x-request-id",
    "x-forwarded-for",
];

/// Takes a webhook of a connection.
pub async fn take(
    app: &App,
    provider: &ProviderKey,
    headers: &Headers,
    body: &[u8],
    request_id: Option<String>,
) -> Result<Taken> {
    let connection = connections::by_key(app, provider).await?;
    let adapter = app.adapter(&connection)?;
    let now = app.now();
    let (events, signature) = match adapter.verify(headers, body, now) {
        Ok(events) => (events, Signature::Valid),
        Err(rejection) => {
            if enforced(app, &connection).await? || rejection == Rejection::Malformed {
                count_rejection(provider, rejection);
                return Err(rejection.into());
            }
            count_rejection(provider, rejection);
            (adapter.read_unverified(headers, body)?, Signature::Unverified)
        }
    };
    let kept = kept_headers(headers);
    let rows: Vec<_> = events
        .iter()
        .map(|it| row(&connection, it, signature, &kept, request_id.as_deref(), now))
        .collect();
    let apply = signature == Signature::Valid || may_go_unverified(app, &connection);
    let (tenant, events) = (connection.tenant, rows);
    let Kept { stored, known } = app
        .intake
        .keep(Delivery {
            tenant,
            events,
            apply,
        })
        .await?;
    metrics::counter!("mizan_webhook_received_total", "provider" => provider.to_string(), "signature" => signature.as_str())
        .increment(stored as u64);
    if known > 0 {
        metrics::counter!("mizan_webhook_duplicate_total", "provider" => provider.to_string())
            .increment(known as u64);
    }
    Ok(Taken {
        stored,
        known,
        signature,
        acknowledgement: adapter.acknowledgement(),
    })
}

/// Whether an event without a valid signature is refused. The simulator's connection may go without one
/// outside production, where the flag is off; nothing else is ever applied unverified.
async fn enforced(app: &App, connection: &Connection) -> Result<bool> {
    let mut tx = app.store.read(connection.tenant).await?;
    let enforced = app.flag(&mut *tx, Flag::WebhookSignatureEnforced).await?;
    tx.rollback().await?;
    Ok(enforced)
}

fn count_rejection(provider: &ProviderKey, rejection: Rejection) {
    let code = rejection.code();
    metrics::counter!("mizan_webhook_rejected_total", "provider" => provider.to_string(), "error_code" => code)
        .increment(1);
    tracing::warn!(%provider, error_code = code, "webhook rejected: {rejection}");
}

fn kept_headers(headers: &Headers) -> String {
    let kept: serde_json::Map<_, _> = headers
        .0
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.chars().take(256).collect::<String>().into()))
        .collect();
    serde_json::Value::Object(kept).to_string()
}

fn row(
    connection: &Connection,
    event: &RawEvent,
    signature: Signature,
    headers: &str,
    request_id: Option<&str>,
    now: Timestamp,
) -> WebhookEvent {
    let state = match signature {
        Signature::Valid => EventState::Received,
        Signature::Unverified => EventState::Unverified,
    };
    WebhookEvent {
        id: WebhookEventId::new(),
        provider: connection.provider.clone(),
        provider_event_id: event.event_id.clone(),
        event_type: event.event_type.clone(),
        headers: headers.to_owned(),
        body: event.body.clone(),
        signature,
        state,
        parked_on: None,
        error: None,
        attempts: 0,
        request_id: request_id.map(str::to_owned),
        received_at: now,
        applied_at: None,
    }
}

/// The simulator outside production, and nothing else.
pub(crate) fn may_go_unverified(app: &App, connection: &Connection) -> bool {
    connection.kind == "mockpsp" && !app.settings.production && !app.settings.strict
}

pub(crate) async fn enqueue_apply(
    tx: &mut dyn Tx,
    event: WebhookEventId,
    request_id: Option<String>,
    now: Timestamp,
) -> Result<()> {
    let job = Job::ApplyWebhook { event };
    Ok(tx
        .enqueue(&NewJob {
            job,
            run_at: now,
            request_id,
            created_at: now,
        })
        .await?)
}

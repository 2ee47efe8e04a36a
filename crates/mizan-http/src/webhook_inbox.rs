//! The raw inbox of provider events, for people.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use mizan_core::WebhookEventId;
use mizan_flows::webhook_inbox::{self, ReplayView};
use mizan_store::webhooks::{WebhookEvent, WebhookFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::Signed;
use crate::body::MaybeSent;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, PageParams};
use crate::params::word;
use crate::shapes;
use crate::state::Edge;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    provider: Option<String>,
    /// `valid` or `unverified`
    signature: Option<String>,
    /// `received`, `applied`, `ignored`, `parked`, `failed` or `unverified`
    state: Option<String>,
}

/// A provider's event as it came.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub(crate) struct EventView {
    id: Uuid,
    provider: String,
    provider_event_id: String,
    event_type: String,
    /// `valid` or `unverified`
    signature: &'static str,
    state: &'static str,
    /// What a parked event waits for.
    parked_on: Option<String>,
    error: Option<String>,
    attempts: i32,
    request_id: Option<String>,
    received_at: DateTime<Utc>,
    applied_at: Option<DateTime<Utc>>,
}

/// A provider's event with its bytes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEventDetail)]
pub(crate) struct EventDetail {
    #[serde(flatten)]
    event: EventView,
    #[schema(value_type = Object)]
    headers: Value,
    /// The body as text; what is no UTF-8 is replaced.
    body: String,
}

impl From<&WebhookEvent> for EventView {
    fn from(it: &WebhookEvent) -> Self {
        Self {
            id: it.id.0,
            provider: it.provider.to_string(),
            provider_event_id: it.provider_event_id.clone(),
            event_type: it.event_type.clone(),
            signature: it.signature.as_str(),
            state: it.state.as_str(),
            parked_on: it.parked_on.clone(),
            error: it.error.clone(),
            attempts: it.attempts,
            request_id: it.request_id.clone(),
            received_at: it.received_at,
            applied_at: it.applied_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ReplayRequest)]
pub(crate) struct Replay {
    /// Only says what would happen.
    dry_run: bool,
}

/// Lists the raw inbox, newest first.
#[utoipa::path(get, path = "/payments/webhooks", tag = "webhooks", operation_id = "list_webhook_events", params(PageParams, Filter), responses((status = 200, body = Listed<EventView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<EventView>>, ApiError> {
    let filter = WebhookFilter {
        provider: word("provider", listing.filter.provider.as_deref())?,
        signature: word("signature", listing.filter.signature.as_deref())?,
        state: word("state", listing.filter.state.as_deref())?,
    };
    let page = listing.page.page()?;
    let found = webhook_inbox::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, |it| EventView::from(&it))))
}

/// Shows one event with its bytes.
#[utoipa::path(get, path = "/payments/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook_event", params(("id" = Uuid, Path)), responses((status = 200, body = EventDetail)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<WebhookEventId>,
) -> Result<Json<EventDetail>, ApiError> {
    let found = webhook_inbox::get(&edge.app, &signed.caller, id).await?;
    Ok(Json(EventDetail {
        event: EventView::from(&found),
        headers: serde_json::from_str(&found.headers).unwrap_or_default(),
        body: String::from_utf8_lossy(&found.body).into_owned(),
    }))
}

/// Applies a stored event again.
///
/// Its own id keeps it from having a second effect. An event that was never verified cannot be applied.
#[utoipa::path(post, path = "/payments/webhooks/{id}/replay", tag = "webhooks", operation_id = "replay_webhook_event", request_body = Option<Replay>, params(("id" = Uuid, Path)), responses((status = 200, body = shapes::Replay)))]
pub(crate) async fn replay(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<WebhookEventId>,
    body: MaybeSent<Replay>,
) -> Result<Json<ReplayView>, ApiError> {
    Ok(Json(
        webhook_inbox::replay(&edge.app, &signed.caller, id, body.value.dry_run).await?,
    ))
}

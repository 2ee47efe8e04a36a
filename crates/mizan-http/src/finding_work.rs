//! Working on findings: who has one, what is said of it, its timeline.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::FindingId;
use mizan_flows::finding_work;
use mizan_store::finding_events::FindingEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::findings::FindingView;
use crate::id::Id;
use crate::paging::{Listed, Listing, NoFilter, PageParams};
use crate::state::Edge;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssignFinding)]
pub(crate) struct Assign {
    /// A member of staff; `null` for nobody.
    staff_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FindingComment)]
pub(crate) struct Comment {
    /// 1 to 4 000 bytes.
    text: String,
}

/// One line of a finding's timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingEvent)]
pub(crate) struct EventView {
    id: i64,
    /// `comment`, `status`, `assignment` or `adjustment`
    kind: &'static str,
    /// `staff:…`, `service:…` or `system:…`
    actor: String,
    from: Option<String>,
    to: Option<String>,
    /// The comment, or the reason.
    text: Option<String>,
    at: DateTime<Utc>,
}

impl From<FindingEvent> for EventView {
    fn from(it: FindingEvent) -> Self {
        Self {
            id: it.id,
            kind: it.kind.as_str(),
            actor: it.actor,
            from: it.from,
            to: it.to,
            text: it.text,
            at: it.at,
        }
    }
}

/// Gives a finding to a member of staff, or to nobody.
#[utoipa::path(post, path = "/findings/{id}/assign", tag = "findings", operation_id = "assign_finding", request_body = Assign, params(("id" = Uuid, Path)), responses((status = 200, body = FindingView)))]
pub(crate) async fn assign(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: Sent<Assign>,
) -> Result<Json<FindingView>, ApiError> {
    let to = body.value.staff_id.map(Into::into);
    Ok(Json(
        finding_work::assign(&edge.app, &signed.caller, id, to)
            .await?
            .into(),
    ))
}

/// Says something about a finding; it stays on the timeline as it is.
#[utoipa::path(post, path = "/findings/{id}/comments", tag = "findings", operation_id = "comment_on_finding", request_body = Comment, params(("id" = Uuid, Path)), responses((status = 204)))]
pub(crate) async fn comment(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: Sent<Comment>,
) -> Result<StatusCode, ApiError> {
    finding_work::comment(&edge.app, &signed.caller, id, &body.value.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was said and done about a finding, newest first.
#[utoipa::path(get, path = "/findings/{id}/events", tag = "findings", operation_id = "list_finding_events", params(("id" = Uuid, Path), PageParams), responses((status = 200, body = Listed<EventView>)))]
pub(crate) async fn events(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    listing: Listing<NoFilter>,
) -> Result<Json<Listed<EventView>>, ApiError> {
    let page = listing.page.page()?;
    let found = finding_work::timeline(&edge.app, &signed.caller, id, &page).await?;
    Ok(Json(listing.page.listed(found, EventView::from)))
}

//! The audit log.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use mizan_flows::audit;
use mizan_store::audit::{AuditFilter, AuditRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::auth::Signed;
use crate::error::ApiError;
use crate::paging::{Listed, Listing, PageParams};
use crate::state::Edge;

/// Who changed what, from which state to which, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub(crate) struct AuditView {
    id: i64,
    at: DateTime<Utc>,
    /// `staff:<id>`, `player:<id>`, `service:<id>` or `system:<name>`
    actor: String,
    actor_role: Option<String>,
    /// `withdrawal.approve`
    action: String,
    subject_type: String,
    subject_id: String,
    from_state: Option<String>,
    to_state: Option<String>,
    reason: Option<String>,
    request_id: Option<String>,
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
}

impl From<AuditRow> for AuditView {
    fn from(it: AuditRow) -> Self {
        Self {
            id: it.id,
            at: it.at,
            actor: it.actor,
            actor_role: it.actor_role,
            action: it.action,
            subject_type: it.subject_type,
            subject_id: it.subject_id,
            from_state: it.from_state,
            to_state: it.to_state,
            reason: it.reason,
            request_id: it.request_id,
            details: it.details.and_then(|it| serde_json::from_str(&it).ok()),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `withdrawal`, `player`, `flag`, …
    subject_type: Option<String>,
    subject_id: Option<String>,
    actor: Option<String>,
    action: Option<String>,
}

/// Lists the audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "list_audit_rows", params(PageParams, Filter), responses((status = 200, body = Listed<AuditView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<AuditView>>, ApiError> {
    let asked = &listing.filter;
    let filter = AuditFilter {
        subject_type: asked.subject_type.clone(),
        subject_id: asked.subject_id.clone(),
        actor: asked.actor.clone(),
        action: asked.action.clone(),
    };
    let page = listing.page.page()?;
    let found = audit::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, AuditView::from)))
}

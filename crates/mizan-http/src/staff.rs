//! Staff of a tenant.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::StaffId;
use mizan_flows::staff;
use mizan_payments::Role;
use mizan_store::staff::Staff;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, NoFilter, PageParams};
use crate::state::Edge;

/// A member of staff.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Staff)]
pub(crate) struct StaffView {
    id: Uuid,
    email: String,
    /// `owner`, `finance`, `ops` or `auditor`
    role: &'static str,
    platform: bool,
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Staff> for StaffView {
    fn from(it: Staff) -> Self {
        Self {
            id: it.id.0,
            email: it.email,
            role: it.role.as_str(),
            platform: it.platform,
            disabled_at: it.disabled_at,
            created_at: it.created_at,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateStaff {
    email: String,
    /// 8 to 256 bytes.
    password: String,
    /// `owner`, `finance`, `ops` or `auditor`
    role: String,
}

/// The id of what was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedStaff)]
pub(crate) struct Created {
    id: Uuid,
}

/// Lists the staff, newest first.
#[utoipa::path(get, path = "/admin/staff", tag = "admin", operation_id = "list_staff", params(PageParams), responses((status = 200, body = Listed<StaffView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<NoFilter>,
) -> Result<Json<Listed<StaffView>>, ApiError> {
    let page = listing.page.page()?;
    let found = staff::list(&edge.app, &signed.caller, &page).await?;
    Ok(Json(listing.page.listed(found, StaffView::from)))
}

/// Makes a member of staff.
#[utoipa::path(post, path = "/admin/staff", tag = "admin", operation_id = "create_staff", request_body = CreateStaff, responses((status = 201, body = Created)))]
pub(crate) async fn create(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<CreateStaff>,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let form = body.value;
    let role: Role = form.role.parse().map_err(|it| ApiError::invalid("role", it))?;
    let id = staff::create(
        &edge.app,
        &signed.caller,
        &form.email,
        &form.password,
        role,
        false,
    )
    .await?;
    Ok((StatusCode::CREATED, Json(Created { id: id.0 })))
}

/// Disables a member of staff; open sessions end with it.
#[utoipa::path(post, path = "/admin/staff/{id}/disable", tag = "admin", operation_id = "disable_staff", params(("id" = Uuid, Path)), responses((status = 204)))]
pub(crate) async fn disable(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<StaffId>,
) -> Result<StatusCode, ApiError> {
    staff::set_disabled(&edge.app, &signed.caller, id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enables a member of staff again.
#[utoipa::path(post, path = "/admin/staff/{id}/enable", tag = "admin", operation_id = "enable_staff", params(("id" = Uuid, Path)), responses((status = 204)))]
pub(crate) async fn enable(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<StaffId>,
) -> Result<StatusCode, ApiError> {
    staff::set_disabled(&edge.app, &signed.caller, id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

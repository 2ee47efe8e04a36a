//! Tenants: the platform owner's list, and the settings of one's own.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::TenantKey;
use mizan_flows::tenants;
use mizan_store::tenants::Tenant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::paging::Listed;
use crate::state::Edge;

/// An operator.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantView {
    /// What `X-Tenant` and `tenant_id` name.
    key: String,
    name: String,
    /// Whether withdrawals need an approved review of documents.
    kyc_required: bool,
    created_at: DateTime<Utc>,
}

impl From<Tenant> for TenantView {
    fn from(it: Tenant) -> Self {
        Self {
            key: it.key.into(),
            name: it.name,
            kyc_required: it.kyc_required,
            created_at: it.created_at,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTenant {
    /// 1 to 63 of a-z, 0-9, `-` and `_`.
    #[schema(example = "acme-tr")]
    key: String,
    /// 1 to 100 characters.
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetKyc {
    required: bool,
}

/// Lists all tenants.
#[utoipa::path(get, path = "/admin/tenants", tag = "admin", operation_id = "list_tenants", responses((status = 200, body = Listed<TenantView>)))]
pub(crate) async fn list(State(edge): State<Edge>, _: Signed) -> Result<Json<Listed<TenantView>>, ApiError> {
    let all = tenants::list(&edge.app).await?;
    Ok(Json(Listed::whole(
        all.into_iter().map(TenantView::from).collect(),
    )))
}

/// Makes a tenant.
///
/// One that has the key already is found, with 200.
#[utoipa::path(post, path = "/admin/tenants", tag = "admin", operation_id = "create_tenant", request_body = CreateTenant, responses((status = 201, body = TenantView), (status = 200, body = TenantView, description = "It was there already")))]
pub(crate) async fn create(
    State(edge): State<Edge>,
    _: Signed,
    body: Sent<CreateTenant>,
) -> Result<(StatusCode, Json<TenantView>), ApiError> {
    let key: TenantKey = body
        .value
        .key
        .parse()
        .map_err(|it| ApiError::invalid("key", it))?;
    let name = body.value.name.trim();
    if !(1..=100).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(ApiError::invalid("name", "use 1 to 100 printable characters"));
    }
    let (tenant, made) = tenants::ensure(&edge.app, &key, name).await?;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(tenant.into())))
}

/// Says whether withdrawals of the tenant need an approved review of documents.
#[utoipa::path(put, path = "/admin/tenant/kyc", tag = "admin", operation_id = "set_kyc_required", request_body = SetKyc, responses((status = 200, body = TenantView)))]
pub(crate) async fn set_kyc(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<SetKyc>,
) -> Result<Json<TenantView>, ApiError> {
    Ok(Json(
        tenants::set_kyc_required(&edge.app, &signed.caller, body.value.required)
            .await?
            .into(),
    ))
}

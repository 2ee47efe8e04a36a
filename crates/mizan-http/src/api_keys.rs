//! API keys of services.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::ApiKeyId;
use mizan_flows::staff;
use mizan_store::api_keys::ApiKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, NoFilter, PageParams};
use crate::state::Edge;

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    id: Uuid,
    name: String,
    /// The part of the key that names it.
    prefix: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(it: ApiKey) -> Self {
        Self {
            id: it.id.0,
            name: it.name,
            prefix: it.prefix,
            scopes: it.scopes,
            created_at: it.created_at,
            revoked_at: it.revoked_at,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateApiKey {
    /// 1 to 100 characters.
    name: String,
    /// `ledger:read`, `ledger:write`, `recon:read`, `recon:write`
    scopes: Vec<String>,
}

/// A new API key. The key itself is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    #[serde(flatten)]
    about: ApiKeyView,
    /// Send it as `Authorization: Bearer …` or `X-Api-Key`.
    key: String,
}

/// Lists API keys, newest first.
#[utoipa::path(get, path = "/admin/api-keys", tag = "admin", operation_id = "list_api_keys", params(PageParams), responses((status = 200, body = Listed<ApiKeyView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<NoFilter>,
) -> Result<Json<Listed<ApiKeyView>>, ApiError> {
    let page = listing.page.page()?;
    let found = staff::api_keys(&edge.app, &signed.caller, &page).await?;
    Ok(Json(listing.page.listed(found, ApiKeyView::from)))
}

/// Makes an API key. It is shown once.
#[utoipa::path(post, path = "/admin/api-keys", tag = "admin", operation_id = "create_api_key", request_body = CreateApiKey, responses((status = 201, body = NewApiKey)))]
pub(crate) async fn create(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<CreateApiKey>,
) -> Result<(StatusCode, Json<NewApiKey>), ApiError> {
    let form = body.value;
    let (about, key) = staff::create_api_key(&edge.app, &signed.caller, &form.name, form.scopes).await?;
    let shown = NewApiKey {
        about: about.into(),
        key: key.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Revokes an API key.
#[utoipa::path(delete, path = "/admin/api-keys/{id}", tag = "admin", operation_id = "revoke_api_key", params(("id" = Uuid, Path)), responses((status = 204)))]
pub(crate) async fn revoke(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, ApiError> {
    staff::revoke_api_key(&edge.app, &signed.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

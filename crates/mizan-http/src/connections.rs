//! Provider connections of a tenant.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::ProviderKey;
use mizan_flows::connections;
use mizan_store::connections::Connection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::paging::Listed;
use crate::state::Edge;

/// A connection to a provider. Its secrets are settings, and never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionView {
    /// The key that paths, tables and findings name.
    provider: String,
    kind: String,
    merchant_account: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<Connection> for ConnectionView {
    fn from(it: Connection) -> Self {
        Self {
            provider: it.provider.to_string(),
            kind: it.kind,
            merchant_account: it.merchant_account,
            created_at: it.created_at,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateConnection {
    /// 1 to 63 of a-z, 0-9, `-` and `_`; unique in the installation.
    #[schema(example = "stripe-tr")]
    provider: String,
    /// The kind of adapter: `mockpsp`, `hmac`, `standard-webhooks`, …
    kind: String,
    merchant_account: Option<String>,
    /// Where the provider's API is.
    base_url: Option<String>,
}

/// Lists the connections, by key.
#[utoipa::path(get, path = "/admin/connections", tag = "admin", operation_id = "list_connections", responses((status = 200, body = Listed<ConnectionView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
) -> Result<Json<Listed<ConnectionView>>, ApiError> {
    let all = connections::list(&edge.app, &signed.caller).await?;
    Ok(Json(Listed::whole(
        all.into_iter().map(ConnectionView::from).collect(),
    )))
}

/// Sets up a connection.
#[utoipa::path(post, path = "/admin/connections", tag = "admin", operation_id = "create_connection", request_body = CreateConnection, responses((status = 201, body = ConnectionView)))]
pub(crate) async fn create(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<CreateConnection>,
) -> Result<(StatusCode, Json<ConnectionView>), ApiError> {
    let form = body.value;
    let key: ProviderKey = form
        .provider
        .parse()
        .map_err(|it| ApiError::invalid("provider", it))?;
    let long = |it: &Option<String>| {
        it.as_ref()
            .is_some_and(|it| it.len() > 500 || it.contains(char::is_control))
    };
    if long(&form.merchant_account) {
        return Err(ApiError::invalid(
            "merchant_account",
            "use at most 500 printable bytes",
        ));
    }
    let web = |it: &String| it.starts_with("https://") || it.starts_with("http://");
    if long(&form.base_url) || form.base_url.as_ref().is_some_and(|it| !web(it)) {
        return Err(ApiError::invalid("base_url", "use an http or https URL"));
    }
    let (account, url) = (form.merchant_account, form.base_url);
    let made = connections::create(&edge.app, &signed.caller, key, &form.kind, account, url).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

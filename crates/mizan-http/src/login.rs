//! Signing in and registering.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use mizan_core::{TenantId, TenantKey};
use mizan_flows::sessions::Token;
use mizan_flows::{FlowError, login, players, tenants};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Sent;
use crate::error::ApiError;
use crate::request_id::RequestId;
use crate::state::Edge;
use crate::throttle::Attempt;

/// The address of the other end of the connection.
pub(crate) struct Peer(pub(crate) IpAddr);

impl FromRequestParts<Edge> for Peer {
    type Rejection = ApiError;

    /// Without an address (a connection that is none of TCP) all share one count.
    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, ApiError> {
        let known = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|it| it.0.ip());
        Ok(Self(known.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    #[schema(example = "ada@example.com")]
    email: String,
    password: String,
}

/// An access token; send it as `Authorization: Bearer …`.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub(crate) struct SignedIn {
    access_token: String,
    /// `bearer`
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PlayerToken {
    #[serde(flatten)]
    token: SignedIn,
    player_id: Uuid,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    #[schema(example = "ada@example.com")]
    email: String,
    /// 8 to 256 bytes.
    password: String,
    /// 1 to 64 printable characters.
    username: String,
    /// The key of the operator; the installation's default if left out.
    tenant_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Registered {
    player_id: Uuid,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlayerLogin {
    email: String,
    password: String,
    /// Needed where several operators have the email.
    tenant_id: Option<String>,
}

impl From<Token> for SignedIn {
    fn from(token: Token) -> Self {
        Self {
            access_token: token.text.reveal().to_owned(),
            token_type: "bearer",
            expires_in: token.expires_in_s,
        }
    }
}

/// Signs a member of staff in.
///
/// After five failures in a minute for one account from one address, 429 with `Retry-After`.
#[utoipa::path(post, path = "/auth/login", tag = "auth", operation_id = "sign_in", request_body = Login, responses((status = 200, body = SignedIn)))]
pub(crate) async fn staff(
    State(edge): State<Edge>,
    Peer(address): Peer,
    body: Sent<Login>,
) -> Result<Json<SignedIn>, ApiError> {
    let attempt = Attempt::new("staff", &body.value.email, address);
    edge.sign_ins.check(&attempt, edge.app.now())?;
    let outcome = login::staff(&edge.app, &body.value.email, &body.value.password).await;
    let (token, _) = tell(&edge, &attempt, outcome)?;
    Ok(Json(token.into()))
}

/// Signs a player in.
///
/// After five failures in a minute for one account from one address, 429 with `Retry-After`.
#[utoipa::path(post, path = "/auth/player/login", tag = "auth", operation_id = "sign_in_player", request_body = PlayerLogin, responses((status = 200, body = PlayerToken)))]
pub(crate) async fn player(
    State(edge): State<Edge>,
    Peer(address): Peer,
    body: Sent<PlayerLogin>,
) -> Result<Json<PlayerToken>, ApiError> {
    let form = body.value;
    let tenant = tenant_key(form.tenant_id.as_deref())?;
    let attempt = Attempt::new("player", &form.email, address);
    edge.sign_ins.check(&attempt, edge.app.now())?;
    let outcome = login::player(&edge.app, &form.email, &form.password, tenant.as_ref()).await;
    let (token, id) = tell(&edge, &attempt, outcome)?;
    Ok(Json(PlayerToken {
        token: token.into(),
        player_id: id.0,
    }))
}

/// Registers a player with an operator.
#[utoipa::path(post, path = "/auth/player/register", tag = "auth", operation_id = "register_player", request_body = Register, responses((status = 201, body = Registered)))]
pub(crate) async fn register(
    State(edge): State<Edge>,
    request_id: RequestId,
    body: Sent<Register>,
) -> Result<(StatusCode, Json<Registered>), ApiError> {
    let form = body.value;
    let tenant = registering_with(&edge, form.tenant_id.as_deref()).await?;
    let (email, username, password) = (&form.email, &form.username, &form.password);
    let id = players::register(&edge.app, tenant, request_id.into(), email, username, password).await?;
    Ok((StatusCode::CREATED, Json(Registered { player_id: id.0 })))
}

async fn registering_with(edge: &Edge, key: Option<&str>) -> Result<TenantId, ApiError> {
    let key = tenant_key(key)?.unwrap_or_else(|| edge.app.settings.default_tenant.clone());
    match tenants::by_key(&edge.app, &key).await {
        Ok(tenant) => Ok(tenant.id),
        Err(FlowError::NotFound(_)) => Err(ApiError::invalid("tenant_id", "there is no such operator")),
        Err(error) => Err(error.into()),
    }
}

fn tenant_key(text: Option<&str>) -> Result<Option<TenantKey>, ApiError> {
    text.map(|it| it.parse().map_err(|error| ApiError::invalid("tenant_id", error)))
        .transpose()
}

/// Tells the outcome of an attempt, unless too many failed meanwhile.
fn tell<T>(edge: &Edge, attempt: &Attempt, outcome: Result<T, FlowError>) -> Result<T, ApiError> {
    let now = edge.app.now();
    edge.sign_ins.check(attempt, now)?;
    if matches!(outcome, Err(FlowError::BadCredentials)) {
        edge.sign_ins.failed(attempt, now);
    }
    Ok(outcome?)
}

//! Adjustments of a player's wallet by finance.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use mizan_flows::adjustments;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::amount::{Amount, currency};
use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::keyed;
use crate::shapes;
use crate::state::Edge;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adjust {
    player_id: Uuid,
    /// Added to what the player has available, or taken away if it is negative. Not zero.
    delta: Amount,
    /// 3 to 500 bytes.
    reason: String,
    /// ISO 4217; the installation's own if left out.
    currency: Option<String>,
}

/// Corrects a player's wallet, with a reason.
///
/// A wallet never goes below zero.
#[utoipa::path(
    post, path = "/admin/ledger/adjust", tag = "finance", operation_id = "adjust_wallet", request_body = Adjust,
    params(("Idempotency-Key" = String, Header, description = "The same on every repetition")),
    responses((status = 200, body = shapes::Adjustment))
)]
pub(crate) async fn adjust(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    body: Sent<Adjust>,
) -> Result<Response, ApiError> {
    let key = keyed::required(&headers, "POST /api/v1/admin/ledger/adjust", "", &body.bytes)?;
    let form = body.value;
    let currency = currency(form.currency.as_deref(), edge.app.settings.default_currency)?;
    let delta = form.delta.money("delta", currency)?;
    let player = form.player_id.into();
    Ok(keyed::answer(
        adjustments::adjust(&edge.app, &signed.caller, &key, player, delta, &form.reason).await?,
    ))
}

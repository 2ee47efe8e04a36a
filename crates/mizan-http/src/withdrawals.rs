//! Withdrawals: the list, and each step that finance or the player takes.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use mizan_core::{ProviderKey, WithdrawalId};
use mizan_flows::views::{AttemptView, PaymentView, WithdrawalView};
use mizan_flows::{payouts, withdrawals};
use mizan_payments::withdrawal::Command;
use mizan_store::withdrawals::WithdrawalFilter;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::auth::Signed;
use crate::body::{MaybeSent, Sent};
use crate::error::ApiError;
use crate::id::Id;
use crate::keyed;
use crate::paging::{Listed, Listing, NoFilter, PageParams};
use crate::params::word;
use crate::shapes;
use crate::state::Edge;
use crate::times;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `requested`, `approved`, `rejected`, `cancelled`, `payout_pending`, `payout_unknown`, `payout_failed`, `paid`
    state: Option<String>,
    provider: Option<String>,
    #[param(value_type = Option<uuid::Uuid>)]
    player_id: Option<String>,
    /// Asked for at or after.
    from: Option<String>,
    /// Asked for before.
    to: Option<String>,
}

impl Filter {
    fn read(&self) -> Result<WithdrawalFilter, ApiError> {
        Ok(WithdrawalFilter {
            state: word("state", self.state.as_deref())?,
            provider: word("provider", self.provider.as_deref())?,
            player: word("player_id", self.player_id.as_deref())?,
            from: times::maybe("from", self.from.as_deref())?,
            to: times::maybe("to", self.to.as_deref())?,
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReviewAction)]
pub(crate) enum Action {
    Approve,
    Reject,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawalReview)]
pub(crate) struct Review {
    action: Action,
    /// A rejection needs one.
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StartPayout {
    /// The key of a connection; the tenant's only one, or the one of the attempt before, if left out.
    provider: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = WithdrawalReason)]
pub(crate) struct Why {
    reason: Option<String>,
}

/// Lists withdrawals, newest first.
#[utoipa::path(get, path = "/finance/withdrawals", tag = "finance", operation_id = "list_withdrawals", params(PageParams, Filter), responses((status = 200, body = Listed<shapes::Withdrawal>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<WithdrawalView>>, ApiError> {
    let (filter, page) = (listing.filter.read()?, listing.page.page()?);
    let found = withdrawals::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, |it| WithdrawalView::from(&it))))
}

/// Lists the caller's own withdrawals, newest first.
#[utoipa::path(get, path = "/player/withdrawals", tag = "player", operation_id = "list_own_withdrawals", params(PageParams), responses((status = 200, body = Listed<shapes::Transaction>)))]
pub(crate) async fn list_own(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<NoFilter>,
) -> Result<Json<Listed<PaymentView>>, ApiError> {
    let filter = WithdrawalFilter {
        player: Some(signed.player()?),
        ..WithdrawalFilter::default()
    };
    let page = listing.page.page()?;
    let found = withdrawals::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, |it| PaymentView::from(&it))))
}

/// Shows one withdrawal.
#[utoipa::path(get, path = "/finance/withdrawals/{id}", tag = "finance", operation_id = "get_withdrawal", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<WithdrawalId>,
) -> Result<Json<WithdrawalView>, ApiError> {
    let found = withdrawals::get(&edge.app, &signed.caller, id).await?;
    Ok(Json(WithdrawalView::from(&found)))
}

/// Lists the payout attempts of a withdrawal, first one first.
#[utoipa::path(get, path = "/finance/withdrawals/{id}/attempts", tag = "finance", operation_id = "list_payout_attempts", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = Listed<shapes::Attempt>)))]
pub(crate) async fn attempts(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<WithdrawalId>,
) -> Result<Json<Listed<AttemptView>>, ApiError> {
    let found = payouts::attempts(&edge.app, &signed.caller, id).await?;
    Ok(Json(Listed::whole(found.iter().map(AttemptView::from).collect())))
}

/// Approves or rejects a withdrawal.
///
/// The one who asked for it may not approve it.
#[utoipa::path(post, path = "/finance/withdrawals/{id}/review", tag = "finance", operation_id = "review_withdrawal", request_body = Review, params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn review(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<WithdrawalId>,
    body: Sent<Review>,
) -> Result<Response, ApiError> {
    let key = keyed::optional(
        &headers,
        "POST /api/v1/finance/withdrawals/{id}/review",
        id,
        &body.bytes,
    )?;
    let command = match body.value.action {
        Action::Approve => Command::Approve,
        Action::Reject => Command::Reject,
    };
    let reason = body.value.reason.as_deref();
    Ok(keyed::answer(
        withdrawals::command(&edge.app, &signed.caller, &key, id, command, reason).await?,
    ))
}

/// Starts the payout of an approved withdrawal.
///
/// The provider is asked after the reply; the state then tells what became of it.
#[utoipa::path(post, path = "/finance/withdrawals/{id}/payout", tag = "finance", operation_id = "start_payout", request_body = Option<StartPayout>, params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn payout(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<WithdrawalId>,
    body: MaybeSent<StartPayout>,
) -> Result<Response, ApiError> {
    start(
        &edge,
        &signed,
        &headers,
        "POST /api/v1/finance/withdrawals/{id}/payout",
        id,
        body,
    )
    .await
}

/// Starts a new payout attempt after one that failed.
///
/// It has a provider key of its own.
#[utoipa::path(post, path = "/finance/withdrawals/{id}/retry", tag = "finance", operation_id = "retry_payout", request_body = Option<StartPayout>, params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn retry(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<WithdrawalId>,
    body: MaybeSent<StartPayout>,
) -> Result<Response, ApiError> {
    start(
        &edge,
        &signed,
        &headers,
        "POST /api/v1/finance/withdrawals/{id}/retry",
        id,
        body,
    )
    .await
}

/// Both routes do the same: a withdrawal has one open attempt at most, and the state says whether it may have one.
async fn start(
    edge: &Edge,
    signed: &Signed,
    headers: &HeaderMap,
    route: &str,
    id: WithdrawalId,
    body: MaybeSent<StartPayout>,
) -> Result<Response, ApiError> {
    let key = keyed::optional(headers, route, id, &body.bytes)?;
    let provider: Option<ProviderKey> = word("provider", body.value.provider.as_deref())?;
    let reply = payouts::start(&edge.app, &signed.caller, &key, id, provider.as_ref()).await?;
    Ok(keyed::answer(reply))
}

/// A step that takes nothing but a reason.
async fn step(
    edge: &Edge,
    signed: &Signed,
    headers: &HeaderMap,
    route: &str,
    id: WithdrawalId,
    body: MaybeSent<Why>,
    command: Command,
) -> Result<Response, ApiError> {
    let key = keyed::optional(headers, route, id, &body.bytes)?;
    let reason = body.value.reason.as_deref();
    let reply = withdrawals::command(&edge.app, &signed.caller, &key, id, command, reason).await?;
    Ok(keyed::answer(reply))
}

/// Records that an approved withdrawal was paid by hand.
#[utoipa::path(post, path = "/finance/withdrawals/{id}/mark-paid", tag = "finance", operation_id = "mark_withdrawal_paid", request_body = Option<Why>, params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn mark_paid(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<WithdrawalId>,
    body: MaybeSent<Why>,
) -> Result<Response, ApiError> {
    let route = "POST /api/v1/finance/withdrawals/{id}/mark-paid";
    step(&edge, &signed, &headers, route, id, body, Command::MarkPaid).await
}

/// Cancels a withdrawal that nobody has reviewed.
#[utoipa::path(post, path = "/finance/withdrawals/{id}/cancel", tag = "finance", operation_id = "cancel_withdrawal", request_body = Option<Why>, params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn cancel(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<WithdrawalId>,
    body: MaybeSent<Why>,
) -> Result<Response, ApiError> {
    let route = "POST /api/v1/finance/withdrawals/{id}/cancel";
    step(&edge, &signed, &headers, route, id, body, Command::Cancel).await
}

/// Cancels an own withdrawal that nobody has reviewed.
#[utoipa::path(post, path = "/player/withdrawals/{id}/cancel", tag = "player", operation_id = "cancel_own_withdrawal", request_body = Option<Why>, params(("id" = uuid::Uuid, Path)), responses((status = 200, body = shapes::Withdrawal)))]
pub(crate) async fn cancel_own(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    Id(id): Id<WithdrawalId>,
    body: MaybeSent<Why>,
) -> Result<Response, ApiError> {
    let route = "POST /api/v1/player/withdrawals/{id}/cancel";
    step(&edge, &signed, &headers, route, id, body, Command::Cancel).await
}

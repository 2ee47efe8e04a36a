//! A player's own wallet: looking, depositing, withdrawing.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use mizan_flows::deposits::NewDeposit;
use mizan_flows::views::WalletView;
use mizan_flows::withdrawals::NewWithdrawal;
use mizan_flows::{deposits, wallets, withdrawals};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::amount::{Amount, currency};
use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::keyed;
use crate::shapes;
use crate::state::Edge;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DepositRequest)]
pub(crate) struct Deposit {
    amount: Amount,
    /// `test`, outside production; real money comes in by a provider's event.
    #[schema(example = "test")]
    method: String,
    /// ISO 4217; the installation's own if left out.
    #[schema(example = "TRY")]
    currency: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawRequest)]
pub(crate) struct Withdraw {
    amount: Amount,
    /// 1 to 32 visible ASCII characters.
    #[schema(example = "iban")]
    method: String,
    /// An IBAN or a wallet address, 4 to 128 characters; shown shortened from then on.
    address: String,
    /// ISO 4217; the installation's own if left out.
    #[schema(example = "TRY")]
    currency: Option<String>,
}

/// Shows the caller's own wallet.
#[utoipa::path(get, path = "/player/wallet", tag = "player", operation_id = "get_own_wallet", responses((status = 200, body = shapes::Wallet)))]
pub(crate) async fn show(State(edge): State<Edge>, signed: Signed) -> Result<Json<WalletView>, ApiError> {
    Ok(Json(
        wallets::show(&edge.app, &signed.caller, signed.player()?).await?,
    ))
}

/// Deposits into the caller's own wallet.
#[utoipa::path(
    post, path = "/player/wallet/deposit", tag = "player", operation_id = "deposit", request_body = Deposit,
    params(("Idempotency-Key" = String, Header, description = "The same on every repetition")),
    responses((status = 200, body = shapes::Payment))
)]
pub(crate) async fn deposit(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    body: Sent<Deposit>,
) -> Result<Response, ApiError> {
    let player = signed.player()?;
    let key = keyed::required(
        &headers,
        "POST /api/v1/player/wallet/deposit",
        player,
        &body.bytes,
    )?;
    let form = body.value;
    let currency = currency(form.currency.as_deref(), edge.app.settings.default_currency)?;
    let new = NewDeposit {
        player,
        amount: form.amount.money("amount", currency)?,
        method: form.method,
    };
    Ok(keyed::answer(
        deposits::deposit(&edge.app, &signed.caller, &key, &new).await?,
    ))
}

/// Asks for a withdrawal.
///
/// The amount is held until finance has decided and the money is paid, or given back.
#[utoipa::path(
    post, path = "/player/wallet/withdraw", tag = "player", operation_id = "request_withdrawal", request_body = Withdraw,
    params(("Idempotency-Key" = String, Header, description = "The same on every repetition")),
    responses((status = 200, body = shapes::Payment))
)]
pub(crate) async fn withdraw(
    State(edge): State<Edge>,
    signed: Signed,
    headers: HeaderMap,
    body: Sent<Withdraw>,
) -> Result<Response, ApiError> {
    let player = signed.player()?;
    let key = keyed::required(
        &headers,
        "POST /api/v1/player/wallet/withdraw",
        player,
        &body.bytes,
    )?;
    let form = body.value;
    let currency = currency(form.currency.as_deref(), edge.app.settings.default_currency)?;
    let amount = form.amount.money("amount", currency)?;
    let new = NewWithdrawal {
        player,
        amount,
        method: form.method,
        address: form.address,
    };
    Ok(keyed::answer(
        withdrawals::request(&edge.app, &signed.caller, &key, &new).await?,
    ))
}

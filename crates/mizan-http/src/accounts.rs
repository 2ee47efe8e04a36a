//! Ledger accounts: opening the operator's own, reading balances and history.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::{AccountId, Money};
use mizan_flows::accounts;
use mizan_ledger::AccountCode;
use mizan_store::accounts::{AccountFilter, AccountWithBalance, Entry};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::amount::currency;
use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, NoFilter, PageParams};
use crate::params::{Params, word};
use crate::state::Edge;
use crate::times;

/// A ledger account with its balance now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    id: i64,
    /// `psp_clearing:mockpsp`, `wallet:<player>:available`, or the operator's own.
    code: String,
    kind: &'static str,
    currency: String,
    player_id: Option<Uuid>,
    may_go_negative: bool,
    /// Credits less debits, in major units.
    balance: String,
    /// Grows with every batch that changed the balance.
    version: i64,
}

impl From<AccountWithBalance> for AccountView {
    fn from(it: AccountWithBalance) -> Self {
        Self {
            id: it.account.id.0,
            code: it.account.code.to_string(),
            kind: it.account.kind.as_str(),
            currency: it.account.currency.to_string(),
            player_id: it.account.player.map(|it| it.0),
            may_go_negative: it.account.may_go_negative,
            balance: Money::new(it.posted, it.account.currency).major(),
            version: it.version,
        }
    }
}

/// One entry of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryView {
    seq: i64,
    transaction_id: Uuid,
    /// Which transfer of the transaction, from 0.
    leg: i16,
    kind: String,
    /// Negative when the account was debited; in major units.
    amount: String,
    currency: String,
    /// What the account held after it, where that was known.
    balance_after: Option<String>,
    /// The other account.
    counterpart_id: i64,
    reference: Option<String>,
    posted_at: DateTime<Utc>,
}

impl From<Entry> for EntryView {
    fn from(it: Entry) -> Self {
        let show = |minor| Money::new(minor, it.currency).major();
        Self {
            seq: it.seq,
            transaction_id: it.transaction.0,
            leg: it.leg,
            kind: it.kind.as_str().to_owned(),
            amount: show(it.amount),
            currency: it.currency.to_string(),
            balance_after: it.balance_after.map(show),
            counterpart_id: it.counterpart.0,
            reference: it.reference,
            posted_at: it.posted_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `available`, `held`, `psp_clearing`, `payouts_in_transit`, `fees`, `adjustments`, `custom`, …
    kind: Option<String>,
    /// ISO 4217.
    currency: Option<String>,
    #[param(value_type = Option<Uuid>)]
    player_id: Option<String>,
    /// Codes that begin so.
    code_prefix: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenAccount {
    /// 1 to 128 of A-Z, a-z, 0-9, `_`, `-`, `.` and `:`.
    #[schema(example = "float:tr")]
    code: String,
    /// ISO 4217; the installation's own if left out.
    currency: Option<String>,
    /// Whether it may be debited beyond its balance.
    #[serde(default)]
    may_go_negative: bool,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct When {
    /// RFC 3339; now if left out. Everything posted up to and at this time counts.
    at: Option<String>,
}

/// What an account held at a time, in major units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountBalanceAt {
    account_id: i64,
    code: String,
    currency: String,
    balance: String,
    at: DateTime<Utc>,
}

/// Lists accounts, newest first.
#[utoipa::path(get, path = "/ledger/accounts", tag = "ledger", operation_id = "list_accounts", params(PageParams, Filter), responses((status = 200, body = Listed<AccountView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<AccountView>>, ApiError> {
    let filter = AccountFilter {
        kind: word("kind", listing.filter.kind.as_deref())?,
        currency: word("currency", listing.filter.currency.as_deref())?,
        player: word("player_id", listing.filter.player_id.as_deref())?,
        code_prefix: listing.filter.code_prefix.clone(),
    };
    let page = listing.page.page()?;
    let found = accounts::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, AccountView::from)))
}

/// Opens an account of the operator's own.
///
/// Opening it again with the same rule is 200 and finds it.
#[utoipa::path(post, path = "/ledger/accounts", tag = "ledger", operation_id = "open_account", request_body = OpenAccount, responses((status = 201, body = AccountView), (status = 200, body = AccountView, description = "It was open already")))]
pub(crate) async fn open(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<OpenAccount>,
) -> Result<(StatusCode, Json<AccountView>), ApiError> {
    let form = body.value;
    let code: AccountCode = form.code.parse().map_err(|it| ApiError::invalid("code", it))?;
    let currency = currency(form.currency.as_deref(), edge.app.settings.default_currency)?;
    let negative = form.may_go_negative;
    let (account, created) = accounts::open(&edge.app, &signed.caller, code, currency, negative).await?;
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(account.into())))
}

/// Shows one account with its balance.
#[utoipa::path(get, path = "/ledger/accounts/{id}", tag = "ledger", operation_id = "get_account", params(("id" = i64, Path)), responses((status = 200, body = AccountView)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<AccountId>,
) -> Result<Json<AccountView>, ApiError> {
    Ok(Json(accounts::get(&edge.app, &signed.caller, id).await?.into()))
}

/// Lists the entries of an account, newest first.
#[utoipa::path(get, path = "/ledger/accounts/{id}/entries", tag = "ledger", operation_id = "list_account_entries", params(("id" = i64, Path), PageParams), responses((status = 200, body = Listed<EntryView>)))]
pub(crate) async fn entries(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<AccountId>,
    listing: Listing<NoFilter>,
) -> Result<Json<Listed<EntryView>>, ApiError> {
    let page = listing.page.page()?;
    let (_, found) = accounts::entries(&edge.app, &signed.caller, id, &page).await?;
    Ok(Json(listing.page.listed(found, EntryView::from)))
}

/// Shows what an account held at a time.
#[utoipa::path(get, path = "/ledger/accounts/{id}/balance", tag = "ledger", operation_id = "get_account_balance", params(("id" = i64, Path), When), responses((status = 200, body = AccountBalanceAt)))]
pub(crate) async fn balance(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<AccountId>,
    Params(when): Params<When>,
) -> Result<Json<AccountBalanceAt>, ApiError> {
    let at = times::maybe("at", when.at.as_deref())?.unwrap_or_else(|| edge.app.now());
    let (account, posted) = accounts::balance_at(&edge.app, &signed.caller, id, at).await?;
    Ok(Json(AccountBalanceAt {
        account_id: id.0,
        code: account.account.code.to_string(),
        currency: account.account.currency.to_string(),
        balance: Money::new(posted, account.account.currency).major(),
        at,
    }))
}

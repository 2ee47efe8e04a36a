//! Players as staff sees them: their data, their wallets, their documents.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::money::major;
use mizan_core::{AccountId, Currency, PlayerId, Timestamp};
use mizan_flows::views::WalletView;
use mizan_flows::{Caller, FlowError, accounts, players, wallets};
use mizan_ledger::{AccountCode, AccountKind};
use mizan_payments::kyc::KycStatus;
use mizan_store::Paged;
use mizan_store::accounts::Entry;
use mizan_store::players::{Player, PlayerFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::accounts::EntryView;
use crate::amount::currency;
use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, PageParams};
use crate::params::{Params, word};
use crate::shapes;
use crate::state::Edge;
use crate::times;

/// A player.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Player)]
pub(crate) struct PlayerView {
    id: Uuid,
    email: String,
    username: String,
    /// `none`, `pending`, `approved` or `rejected`
    kyc_status: &'static str,
    kyc_reviewed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Player> for PlayerView {
    fn from(it: Player) -> Self {
        Self {
            id: it.id.0,
            email: it.email,
            username: it.username,
            kyc_status: it.kyc.as_str(),
            kyc_reviewed_at: it.kyc_reviewed_at,
            created_at: it.created_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Exact.
    email: Option<String>,
    /// `none`, `pending`, `approved` or `rejected`
    kyc_status: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePlayer {
    email: String,
    /// 8 to 256 bytes.
    password: String,
    /// 1 to 64 printable characters.
    username: String,
}

/// The id of a new player.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedPlayer {
    player_id: Uuid,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KycReviewed {
    /// `none`, `pending`, `approved` or `rejected`
    status: String,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichWallet {
    /// ISO 4217; the installation's own if left out.
    currency: Option<String>,
    /// `available` (if left out) or `held`
    kind: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct When {
    /// RFC 3339; now if left out. Everything posted up to and at this time counts.
    at: Option<String>,
    /// ISO 4217; the installation's own if left out.
    currency: Option<String>,
}

/// What a wallet held at a time, in major units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BalanceAt {
    player_id: Uuid,
    currency: String,
    available: String,
    held: String,
    total: String,
    at: DateTime<Utc>,
}

/// Lists players, newest first.
#[utoipa::path(get, path = "/players", tag = "players", operation_id = "list_players", params(PageParams, Filter), responses((status = 200, body = Listed<PlayerView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<PlayerView>>, ApiError> {
    let filter = PlayerFilter {
        email: listing.filter.email.as_deref().map(|it| it.trim().to_lowercase()),
        kyc: word("kyc_status", listing.filter.kyc_status.as_deref())?,
    };
    let page = listing.page.page()?;
    let found = players::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, PlayerView::from)))
}

/// Registers a player of the caller's own tenant.
#[utoipa::path(post, path = "/players", tag = "players", operation_id = "create_player", request_body = CreatePlayer, responses((status = 201, body = CreatedPlayer)))]
pub(crate) async fn create(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<CreatePlayer>,
) -> Result<(StatusCode, Json<CreatedPlayer>), ApiError> {
    let (
        form,
        Caller {
            tenant, request_id, ..
        },
    ) = (body.value, signed.caller);
    let (email, username, password) = (&form.email, &form.username, &form.password);
    let id = players::register(&edge.app, tenant, request_id, email, username, password).await?;
    Ok((StatusCode::CREATED, Json(CreatedPlayer { player_id: id.0 })))
}

/// Shows one player.
#[utoipa::path(get, path = "/players/{id}", tag = "players", operation_id = "get_player", params(("id" = Uuid, Path)), responses((status = 200, body = PlayerView)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<PlayerId>,
) -> Result<Json<PlayerView>, ApiError> {
    Ok(Json(players::get(&edge.app, &signed.caller, id).await?.into()))
}

/// Shows a player's wallet.
#[utoipa::path(get, path = "/players/{id}/wallet", tag = "players", operation_id = "get_wallet", params(("id" = Uuid, Path)), responses((status = 200, body = shapes::Wallet)))]
pub(crate) async fn wallet(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<PlayerId>,
) -> Result<Json<WalletView>, ApiError> {
    Ok(Json(wallets::show(&edge.app, &signed.caller, id).await?))
}

/// Lists the entries of a wallet account, newest first.
#[utoipa::path(get, path = "/players/{id}/entries", tag = "players", operation_id = "list_wallet_entries", params(("id" = Uuid, Path), PageParams, WhichWallet), responses((status = 200, body = Listed<EntryView>)))]
pub(crate) async fn entries(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<PlayerId>,
    listing: Listing<WhichWallet>,
) -> Result<Json<Listed<EntryView>>, ApiError> {
    let kind = match listing.filter.kind.as_deref() {
        None | Some("available") => AccountKind::Available,
        Some("held") => AccountKind::Held,
        Some(_) => return Err(ApiError::invalid("kind", "use available or held")),
    };
    let currency = currency(
        listing.filter.currency.as_deref(),
        edge.app.settings.default_currency,
    )?;
    let page = listing.page.page()?;
    let Some(account) = account(&edge, &signed.caller, id, kind, currency).await? else {
        let none = Paged {
            items: Vec::<Entry>::new(),
            next: None::<i64>,
            total: Some(0),
        };
        return Ok(Json(listing.page.listed(none, EntryView::from)));
    };
    let (_, found) = accounts::entries(&edge.app, &signed.caller, account, &page).await?;
    Ok(Json(listing.page.listed(found, EntryView::from)))
}

/// Shows what a wallet held at a time.
#[utoipa::path(get, path = "/players/{id}/balance", tag = "players", operation_id = "get_wallet_balance", params(("id" = Uuid, Path), When), responses((status = 200, body = BalanceAt)))]
pub(crate) async fn balance(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<PlayerId>,
    Params(when): Params<When>,
) -> Result<Json<BalanceAt>, ApiError> {
    let at = times::maybe("at", when.at.as_deref())?.unwrap_or_else(|| edge.app.now());
    let currency = currency(when.currency.as_deref(), edge.app.settings.default_currency)?;
    let available = held_at(&edge, &signed.caller, id, AccountKind::Available, currency, at).await?;
    let held = held_at(&edge, &signed.caller, id, AccountKind::Held, currency, at).await?;
    Ok(Json(BalanceAt {
        player_id: id.0,
        currency: currency.to_string(),
        available: major(available, currency),
        held: major(held, currency),
        total: major(available + held, currency),
        at,
    }))
}

/// The account of a wallet; `None` where the wallet was never used.
async fn account(
    edge: &Edge,
    caller: &Caller,
    player: PlayerId,
    kind: AccountKind,
    currency: Currency,
) -> Result<Option<AccountId>, ApiError> {
    let code = AccountCode::wallet(player, kind);
    match accounts::by_code(&edge.app, caller, &code, currency).await {
        Ok(found) => Ok(Some(found.account.id)),
        Err(FlowError::NotFound(_)) => known(edge, caller, player).await.map(|()| None),
        Err(error) => Err(error.into()),
    }
}

async fn known(edge: &Edge, caller: &Caller, player: PlayerId) -> Result<(), ApiError> {
    players::get(&edge.app, caller, player).await?;
    Ok(())
}

async fn held_at(
    edge: &Edge,
    caller: &Caller,
    player: PlayerId,
    kind: AccountKind,
    currency: Currency,
    at: Timestamp,
) -> Result<i128, ApiError> {
    let Some(id) = account(edge, caller, player, kind, currency).await? else {
        return Ok(0);
    };
    Ok(accounts::balance_at(&edge.app, caller, id, at).await?.1.into())
}

/// Records the result of a review of a player's documents.
#[utoipa::path(post, path = "/kyc/documents/{player_id}/review", tag = "players", operation_id = "review_kyc", request_body = KycReviewed, params(("player_id" = Uuid, Path)), responses((status = 200, body = PlayerView)))]
pub(crate) async fn review_kyc(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<PlayerId>,
    body: Sent<KycReviewed>,
) -> Result<Json<PlayerView>, ApiError> {
    let status: KycStatus = body
        .value
        .status
        .parse()
        .map_err(|it| ApiError::invalid("status", it))?;
    Ok(Json(
        players::review_kyc(&edge.app, &signed.caller, id, status)
            .await?
            .into(),
    ))
}

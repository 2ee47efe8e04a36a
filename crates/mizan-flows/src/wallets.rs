//! The accounts of a player's wallet and of the tenant, opened when they are first needed.

use mizan_core::{Currency, PlayerId, ProviderKey, Timestamp};
use mizan_ledger::{Account, AccountCode, AccountKind};
use mizan_store::accounts::{NewAccount, WalletBalance};
use mizan_store::{StoreError, Tx};

use crate::views::{BalanceView, WalletView};
use crate::{App, Caller, FlowError, Result};

/// Opens or finds one account of a player's wallet.
pub(crate) async fn of_player(
    tx: &mut dyn Tx,
    player: PlayerId,
    kind: AccountKind,
    currency: Currency,
    now: Timestamp,
) -> Result<Account, StoreError> {
    let account = NewAccount {
        code: AccountCode::wallet(player, kind),
        kind,
        currency,
        player: Some(player),
        may_go_negative: kind.may_go_negative(),
        created_at: now,
    };
    Ok(tx.open_account(&account).await?.0)
}

/// Opens or finds the clearing account of a provider.
pub(crate) async fn psp_clearing(
    tx: &mut dyn Tx,
    provider: &ProviderKey,
    currency: Currency,
    now: Timestamp,
) -> Result<Account, StoreError> {
    of_tenant(
        tx,
        AccountCode::psp_clearing(provider),
        AccountKind::PspClearing,
        currency,
        now,
    )
    .await
}

/// Opens or finds an account of the tenant.
pub(crate) async fn of_tenant(
    tx: &mut dyn Tx,
    code: AccountCode,
    kind: AccountKind,
    currency: Currency,
    now: Timestamp,
) -> Result<Account, StoreError> {
    let may_go_negative = kind.may_go_negative();
    let account = NewAccount {
        code,
        kind,
        currency,
        player: None,
        may_go_negative,
        created_at: now,
    };
    Ok(tx.open_account(&account).await?.0)
}

/// What a wallet holds in one currency; zeros where it was never used.
pub(crate) async fn balance(
    tx: &mut dyn Tx,
    player: PlayerId,
    currency: Currency,
) -> Result<WalletBalance, StoreError> {
    let found = tx
        .wallet(player)
        .await?
        .into_iter()
        .find(|it| it.currency == currency);
    Ok(found.unwrap_or(WalletBalance {
        currency,
        available: 0,
        held: 0,
        version: 0,
    }))
}

/// All wallets of a player.
pub async fn show(app: &App, caller: &Caller, player: PlayerId) -> Result<WalletView> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.player(player).await?.ok_or(FlowError::NotFound("player"))?;
    let balances = tx.wallet(player).await?;
    Ok(WalletView {
        player_id: player,
        balances: balances.iter().map(BalanceView::of).collect(),
    })
}

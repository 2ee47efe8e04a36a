//! Ledger accounts: opening the operator's own, reading balances and history.

use mizan_core::{AccountId, Currency, Minor, Timestamp};
use mizan_ledger::{AccountCode, AccountKind};
use mizan_store::accounts::{AccountFilter, AccountWithBalance, Entry, NewAccount};
use mizan_store::{Page, Paged};

use crate::{App, Caller, FlowError, Result};

/// Opens an account of the operator's own, or finds it if it is there already with the same rule.
pub async fn open(
    app: &App,
    caller: &Caller,
    code: AccountCode,
    currency: Currency,
    may_go_negative: bool,
) -> Result<(AccountWithBalance, bool)> {
    if code.is_reserved() {
        return Err(FlowError::invalid(
            "code",
            "Mizan opens accounts with such a code by itself",
        ));
    }
    let mut tx = app.store.begin(caller.tenant).await?;
    let kind = AccountKind::Custom;
    let new = NewAccount {
        code,
        kind,
        currency,
        player: None,
        may_go_negative,
        created_at: app.now(),
    };
    let (account, created) = tx.open_account(&new).await?;
    if account.may_go_negative != may_go_negative {
        return Err(FlowError::Taken("code"));
    }
    let found = tx
        .account(account.id)
        .await?
        .ok_or(FlowError::NotFound("account"))?;
    tx.commit().await?;
    Ok((found, created))
}

pub async fn get(app: &App, caller: &Caller, id: AccountId) -> Result<AccountWithBalance> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.account(id).await?.ok_or(FlowError::NotFound("account"))
}

pub async fn by_code(
    app: &App,
    caller: &Caller,
    code: &AccountCode,
    currency: Currency,
) -> Result<AccountWithBalance> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.account_by_code(code, currency)
        .await?
        .ok_or(FlowError::NotFound("account"))
}

pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &AccountFilter,
    page: &Page<AccountId>,
) -> Result<Paged<AccountWithBalance, AccountId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.accounts(filter, page).await?)
}

/// The history of an account, newest entry first.
pub async fn entries(
    app: &App,
    caller: &Caller,
    id: AccountId,
    page: &Page<i64>,
) -> Result<(AccountWithBalance, Paged<Entry, i64>)> {
    let mut tx = app.store.read(caller.tenant).await?;
    let account = tx.account(id).await?.ok_or(FlowError::NotFound("account"))?;
    let entries = tx.entries(id, page).await?;
    Ok((account, entries))
}

/// What an account held at a time, with everything posted up to and at it.
pub async fn balance_at(
    app: &App,
    caller: &Caller,
    id: AccountId,
    at: Timestamp,
) -> Result<(AccountWithBalance, Minor)> {
    let mut tx = app.store.read(caller.tenant).await?;
    let account = tx.account(id).await?.ok_or(FlowError::NotFound("account"))?;
    let posted = tx.balance_at(id, at).await?;
    Ok((account, posted))
}

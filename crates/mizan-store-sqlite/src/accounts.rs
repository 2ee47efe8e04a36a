//! Ledger accounts: opening them, finding them, listing them with their balances.

pub(crate) mod history;

use async_trait::async_trait;
use mizan_core::{AccountId, Currency, Minor, PlayerId, Timestamp};
use mizan_ledger::{Account, AccountCode, AccountKind};
use mizan_store::accounts::{AccountFilter, AccountWithBalance, Accounts, Entry, NewAccount, WalletBalance};
use mizan_store::{Page, Paged, Result, StoreError};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp};
use crate::paging::by_number;
use crate::statement::{all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_ACCOUNT = "
        INSERT INTO accounts (tenant_id, code, kind, currency, player_id, may_go_negative, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (tenant_id, code, currency) DO NOTHING";

    INSERT_BALANCE = "INSERT INTO balances (account_id, tenant_id, may_go_negative) VALUES (?1, ?2, ?3)";

    ACCOUNT = "
        SELECT a.id, a.code, a.kind, a.currency, a.player_id, a.may_go_negative, b.posted, b.version
        FROM accounts a JOIN balances b ON b.account_id = a.id
        WHERE a.id = ?1 AND a.tenant_id = ?2";

    ACCOUNT_BY_CODE = "
        SELECT a.id, a.code, a.kind, a.currency, a.player_id, a.may_go_negative, b.posted, b.version
        FROM accounts a JOIN balances b ON b.account_id = a.id
        WHERE a.tenant_id = ?1 AND a.code = ?2 AND a.currency = ?3";

    /// Walks down the ids; the plus keeps it from sorting what the unique key finds. A prefix is compared as it
    /// is: LIKE and GLOB have characters that mean more than themselves.
    LIST_ACCOUNTS = "
        SELECT a.id, a.code, a.kind, a.currency, a.player_id, a.may_go_negative, b.posted, b.version
        FROM accounts a JOIN balances b ON b.account_id = a.id
        WHERE +a.tenant_id = ?1 AND a.id < ?2
          AND (?3 IS NULL OR a.kind = ?3)
          AND (?4 IS NULL OR a.currency = ?4)
          AND (?5 IS NULL OR a.player_id = ?5)
          AND (?6 IS NULL OR substr(a.code, 1, length(?6)) = ?6)
        ORDER BY a.id DESC LIMIT ?7 OFFSET ?8";

    /// The few accounts of a player have an index of their own.
    LIST_ACCOUNTS_OF_PLAYER = "
        SELECT a.id, a.code, a.kind, a.currency, a.player_id, a.may_go_negative, b.posted, b.version
        FROM accounts a JOIN balances b ON b.account_id = a.id
        WHERE +a.tenant_id = ?1 AND a.player_id = ?5 AND a.id < ?2
          AND (?3 IS NULL OR a.kind = ?3)
          AND (?4 IS NULL OR a.currency = ?4)
          AND (?6 IS NULL OR substr(a.code, 1, length(?6)) = ?6)
        ORDER BY a.id DESC LIMIT ?7 OFFSET ?8";

    COUNT_ACCOUNTS = "
        SELECT count(*)
        FROM accounts a
        WHERE a.tenant_id = ?1
          AND (?2 IS NULL OR a.kind = ?2)
          AND (?3 IS NULL OR a.currency = ?3)
          AND (?4 IS NULL OR a.player_id = ?4)
          AND (?5 IS NULL OR substr(a.code, 1, length(?5)) = ?5)";

    WALLET = "
        SELECT player_id, currency, available, held, version
        FROM wallet_balances
        WHERE tenant_id = ?1 AND player_id = ?2
        ORDER BY currency";
}

#[async_trait]
impl Accounts for SqliteTx {
    async fn open_account(&mut self, account: &NewAccount) -> Result<(Account, bool)> {
        let account = account.clone();
        self.within(move |db, tenant| open(db, tenant, &account)).await
    }

    async fn account(&mut self, id: AccountId) -> Result<Option<AccountWithBalance>> {
        self.within(move |db, tenant| first(db, &ACCOUNT, params![id.0, tenant], "accounts", with_balance))
            .await
    }

    async fn account_by_code(
        &mut self,
        code: &AccountCode,
        currency: Currency,
    ) -> Result<Option<AccountWithBalance>> {
        let code = code.clone();
        self.within(move |db, tenant| by_code(db, tenant, &code, currency))
            .await
    }

    async fn accounts_by_code(&mut self, codes: &[(AccountCode, Currency)]) -> Result<Vec<Account>> {
        let codes = codes.to_vec();
        self.within(move |db, tenant| {
            let found = codes
                .iter()
                .map(|(code, currency)| by_code(db, tenant, code, *currency));
            found
                .filter_map(Result::transpose)
                .map(|it| it.map(|it| it.account))
                .collect()
        })
        .await
    }

    async fn accounts(
        &mut self,
        filter: &AccountFilter,
        page: &Page<AccountId>,
    ) -> Result<Paged<AccountWithBalance, AccountId>> {
        let (filter, page) = (filter.clone(), *page);
        self.within(move |db, tenant| {
            let at = by_number(&page, |it| it.0);
            let kind = filter.kind.map(AccountKind::as_str);
            let currency = filter.currency.map(|it| it.to_string());
            let player = filter.player.map(|it| id_text(it.0));
            let prefix = filter.code_prefix;
            let params = params![
                tenant, at.before, kind, currency, player, prefix, at.limit, at.offset
            ];
            let list = if player.is_some() {
                &LIST_ACCOUNTS_OF_PLAYER
            } else {
                &LIST_ACCOUNTS
            };
            let rows = all(db, list, params, "accounts", with_balance)?;
            let params = params![tenant, kind, currency, player, prefix];
            let counted = || count(db, &COUNT_ACCOUNTS, params);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.account.id))
        })
        .await
    }

    async fn wallet(&mut self, player: PlayerId) -> Result<Vec<WalletBalance>> {
        self.within(move |db, tenant| {
            let params = params![tenant, id_text(player.0)];
            all(db, &WALLET, params, "wallet_balances", |row| {
                row.id::<PlayerId>("player_id")?;
                Ok(WalletBalance {
                    currency: row.parsed("currency")?,
                    available: row.get("available")?,
                    held: row.get("held")?,
                    version: row.get("version")?,
                })
            })
        })
        .await
    }

    async fn balance_at(&mut self, account: AccountId, at: Timestamp) -> Result<Minor> {
        self.within(move |db, tenant| history::balance_at(db, tenant, account, at))
            .await
    }

    async fn entries(&mut self, account: AccountId, page: &Page<i64>) -> Result<Paged<Entry, i64>> {
        let page = *page;
        self.within(move |db, tenant| history::entries(db, tenant, account, &page))
            .await
    }
}

fn open(db: &Connection, tenant: i32, account: &NewAccount) -> Result<(Account, bool)> {
    let params = params![
        tenant,
        account.code.as_str(),
        account.kind.as_str(),
        account.currency.code(),
        account.player.map(|it| id_text(it.0)),
        account.may_go_negative,
        stamp(account.created_at)
    ];
    let opened = execute(db, &INSERT_ACCOUNT, params)? == 1;
    if opened {
        let params = params![db.last_insert_rowid(), tenant, account.may_go_negative];
        execute_one(db, &INSERT_BALANCE, params)?;
    }
    let found = by_code(db, tenant, &account.code, account.currency)?.ok_or_else(|| {
        StoreError::corrupt(
            "balances",
            "account_id",
            &account.code,
            "an account has no balance",
        )
    })?;
    Ok((found.account, opened))
}

fn by_code(
    db: &Connection,
    tenant: i32,
    code: &AccountCode,
    currency: Currency,
) -> Result<Option<AccountWithBalance>> {
    let params = params![tenant, code.as_str(), currency.code()];
    first(db, &ACCOUNT_BY_CODE, params, "accounts", with_balance)
}

/// Reads `id, code, kind, currency, player_id, may_go_negative, posted, version`.
fn with_balance(row: &mut Cells<'_>) -> Result<AccountWithBalance> {
    Ok(AccountWithBalance {
        account: Account {
            id: AccountId(row.get("id")?),
            code: row.parsed("code")?,
            kind: row.parsed("kind")?,
            currency: row.parsed("currency")?,
            player: row.id_opt("player_id")?,
            may_go_negative: row.get("may_go_negative")?,
        },
        posted: row.get("posted")?,
        version: row.get("version")?,
    })
}

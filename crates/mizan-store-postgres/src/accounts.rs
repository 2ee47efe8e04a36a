//! Ledger accounts and their balances. Entries are read from the journal: see [`crate::journal`].

use async_trait::async_trait;
use mizan_core::{AccountId, Currency, PlayerId, Timestamp};
use mizan_ledger::{Account, AccountCode, AccountKind};
use mizan_store::accounts::{AccountFilter, AccountWithBalance, Accounts, Entry, NewAccount, WalletBalance};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! account_columns {
    () => {
        "a.id, a.code, a.kind, a.currency, a.player_id, a.may_go_negative"
    };
}
macro_rules! account_filter {
    () => {
        "FROM accounts a JOIN balances b ON b.account_id = a.id
         WHERE a.tenant_id = $1
           AND ($2::text IS NULL OR a.kind = $2)
           AND ($3::text IS NULL OR a.currency = $3)
           AND ($4::uuid IS NULL OR a.player_id = $4)
           AND ($5::text IS NULL OR starts_with(a.code, $5))"
    };
}

statements! {
    /// Waits for a rival that is opening the same account, and then does nothing.
    OPEN = "WITH opened AS (
             INSERT INTO accounts (tenant_id, code, kind, currency, player_id, may_go_negative, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT ON CONSTRAINT uq_accounts_code DO NOTHING
             RETURNING id, tenant_id, may_go_negative
         )
         INSERT INTO balances (account_id, tenant_id, may_go_negative)
         SELECT id, tenant_id, may_go_negative FROM opened";
    BY_ID = concat!("SELECT ", account_columns!(), ", b.posted, b.version
         FROM accounts a JOIN balances b ON b.account_id = a.id
         WHERE a.tenant_id = $1 AND a.id = $2");
    BY_CODE = concat!("SELECT ", account_columns!(), ", b.posted, b.version
         FROM accounts a JOIN balances b ON b.account_id = a.id
         WHERE a.tenant_id = $1 AND a.code = $2 AND a.currency = $3");
    BY_CODES = concat!("SELECT ", account_columns!(), " FROM accounts a
         WHERE a.tenant_id = $1 AND (a.code, a.currency) IN (SELECT * FROM unnest($2::text[], $3::text[]))");
    LIST = concat!("SELECT ", account_columns!(), ", b.posted, b.version ", account_filter!(), "
           AND ($6::bigint IS NULL OR a.id < $6)
         ORDER BY a.id DESC LIMIT $7 OFFSET $8");
    COUNT = concat!("SELECT count(*) ", account_filter!());
    WALLET = "SELECT currency, available, held, version FROM wallet_balances
         WHERE tenant_id = $1 AND player_id = $2 ORDER BY currency";
}

pub(crate) fn account(row: &Row) -> Result<Account> {
    let record = Record::new(row, "accounts", "id");
    Ok(Account {
        id: AccountId(record.get("id")?),
        code: record.word("code")?,
        kind: record.word("kind")?,
        currency: record.word("currency")?,
        player: record.maybe_id("player_id")?,
        may_go_negative: record.get("may_go_negative")?,
    })
}

fn with_balance(row: &Row) -> Result<AccountWithBalance> {
    let record = Record::new(row, "balances", "id");
    Ok(AccountWithBalance {
        account: account(row)?,
        posted: record.get("posted")?,
        version: record.get("version")?,
    })
}

fn wallet(row: &Row) -> Result<WalletBalance> {
    let record = Record::new(row, "wallet_balances", "currency");
    Ok(WalletBalance {
        currency: record.word("currency")?,
        available: record.get("available")?,
        held: record.get("held")?,
        version: record.get("version")?,
    })
}

#[async_trait]
impl Accounts for PgTx {
    async fn open_account(&mut self, new: &NewAccount) -> Result<(Account, bool)> {
        let (code, currency) = (new.code.as_str(), new.currency.code());
        let player = new.player.map(|it| it.0);
        let opened = self
            .session
            .execute(
                OPEN,
                &[
                    &self.tenant,
                    &code,
                    &new.kind.as_str(),
                    &currency,
                    &player,
                    &new.may_go_negative,
                    &new.created_at,
                ],
            )
            .await?;
        // A later statement: it sees what a rival has committed meanwhile.
        let row = self
            .session
            .row(BY_CODE, &[&self.tenant, &code, &currency])
            .await?;
        let row = row.ok_or_else(|| StoreError::Collision {
            what: "uq_accounts_code".to_owned(),
        })?;
        Ok((account(&row)?, opened == 1))
    }

    async fn account(&mut self, id: AccountId) -> Result<Option<AccountWithBalance>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(with_balance).transpose()
    }

    async fn account_by_code(
        &mut self,
        code: &AccountCode,
        currency: Currency,
    ) -> Result<Option<AccountWithBalance>> {
        let row = self
            .session
            .row(BY_CODE, &[&self.tenant, &code.as_str(), &currency.code()])
            .await?;
        row.as_ref().map(with_balance).transpose()
    }

    async fn accounts_by_code(&mut self, codes: &[(AccountCode, Currency)]) -> Result<Vec<Account>> {
        let (names, currencies): (Vec<&str>, Vec<&str>) = codes
            .iter()
            .map(|(code, currency)| (code.as_str(), currency.code()))
            .unzip();
        let rows = self
            .session
            .rows(BY_CODES, &[&self.tenant, &names, &currencies])
            .await?;
        rows.iter().map(account).collect()
    }

    async fn accounts(
        &mut self,
        filter: &AccountFilter,
        page: &Page<AccountId>,
    ) -> Result<Paged<AccountWithBalance, AccountId>> {
        let kind = filter.kind.map(AccountKind::as_str);
        let currency = filter.currency.as_ref().map(Currency::code);
        let player = filter.player.map(|it| it.0);
        let filters: [(crate::session::Param<'_>, Type); 5] = [
            (&self.tenant, Type::INT4),
            (&kind, Type::TEXT),
            (&currency, Type::TEXT),
            (&player, Type::UUID),
            (&filter.code_prefix, Type::TEXT),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, with_balance, |it| it.account.id)
            .await
    }

    async fn wallet(&mut self, player: PlayerId) -> Result<Vec<WalletBalance>> {
        let rows = self.session.rows(WALLET, &[&self.tenant, &player.0]).await?;
        rows.iter().map(wallet).collect()
    }

    async fn balance_at(&mut self, account: AccountId, at: Timestamp) -> Result<i64> {
        self.journal_balance_at(account, at).await
    }

    async fn entries(&mut self, account: AccountId, page: &Page<i64>) -> Result<Paged<Entry, i64>> {
        self.journal_entries(account, page).await
    }
}

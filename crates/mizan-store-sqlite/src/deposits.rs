//! Deposits.

use async_trait::async_trait;
use mizan_core::{DepositId, PlayerId, ProviderKey};
use mizan_payments::deposit::Deposit;
use mizan_store::deposits::Deposits;
use mizan_store::{Page, Paged, Result};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_DEPOSIT = "
        INSERT INTO deposits (id, tenant_id, player_id, amount, currency, method, provider, provider_ref, state,
                              refunded, charged_back, created_at, captured_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        ON CONFLICT (provider, provider_ref) DO NOTHING";

    DEPOSIT = "
        SELECT id, player_id, amount, currency, method, provider, provider_ref, state, refunded, charged_back,
               created_at, captured_at, updated_at
        FROM deposits
        WHERE id = ?1 AND tenant_id = ?2";

    /// The transaction holds the lock of the file, so the row is locked as well.
    DEPOSIT_BY_REF = "
        SELECT id, player_id, amount, currency, method, provider, provider_ref, state, refunded, charged_back,
               created_at, captured_at, updated_at
        FROM deposits
        WHERE provider = ?1 AND provider_ref = ?2 AND tenant_id = ?3";

    UPDATE_DEPOSIT = "
        UPDATE deposits
        SET state = ?3, refunded = ?4, charged_back = ?5, captured_at = ?6, updated_at = ?7
        WHERE id = ?1 AND tenant_id = ?2";

    /// Walks down the ids of all tenants; the plus keeps it from sorting what the index of players finds.
    LIST_DEPOSITS = "
        SELECT id, player_id, amount, currency, method, provider, provider_ref, state, refunded, charged_back,
               created_at, captured_at, updated_at
        FROM deposits
        WHERE +tenant_id = ?1 AND id < ?2
        ORDER BY id DESC LIMIT ?3 OFFSET ?4";

    LIST_DEPOSITS_OF_PLAYER = "
        SELECT id, player_id, amount, currency, method, provider, provider_ref, state, refunded, charged_back,
               created_at, captured_at, updated_at
        FROM deposits
        WHERE tenant_id = ?1 AND player_id = ?2 AND id < ?3
        ORDER BY id DESC LIMIT ?4 OFFSET ?5";

    COUNT_DEPOSITS = "SELECT count(*) FROM deposits WHERE tenant_id = ?1 AND (?2 IS NULL OR player_id = ?2)";
}

#[async_trait]
impl Deposits for SqliteTx {
    async fn insert_deposit(&mut self, deposit: &Deposit) -> Result<bool> {
        Ok(self.insert_deposits(&[deposit]).await? == 1)
    }

    async fn insert_deposits(&mut self, deposits: &[&Deposit]) -> Result<u64> {
        let deposits: Vec<_> = deposits.iter().map(|it| (*it).clone()).collect();
        self.within(move |db, tenant| {
            let mut inserted = 0;
            for it in &deposits {
                inserted += insert(db, tenant, it)?;
            }
            Ok(inserted)
        })
        .await
    }

    async fn deposit(&mut self, id: DepositId) -> Result<Option<Deposit>> {
        self.within(move |db, tenant| {
            first(
                db,
                &DEPOSIT,
                params![id_text(id.0), tenant],
                "deposits",
                deposit_row,
            )
        })
        .await
    }

    async fn lock_deposit_by_ref(
        &mut self,
        provider: &ProviderKey,
        provider_ref: &str,
    ) -> Result<Option<Deposit>> {
        let (provider, provider_ref) = (provider.clone(), provider_ref.to_owned());
        self.within(move |db, tenant| {
            let params = params![provider.as_str(), provider_ref, tenant];
            first(db, &DEPOSIT_BY_REF, params, "deposits", deposit_row)
        })
        .await
    }

    async fn lock_deposits_by_ref(&mut self, wanted: &[(ProviderKey, String)]) -> Result<Vec<Deposit>> {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        self.within(move |db, tenant| {
            let mut found = Vec::new();
            for (provider, reference) in wanted {
                let params = params![provider.as_str(), reference, tenant];
                found.extend(first(db, &DEPOSIT_BY_REF, params, "deposits", deposit_row)?);
            }
            Ok(found)
        })
        .await
    }

    async fn update_deposit(&mut self, deposit: &Deposit) -> Result<()> {
        self.update_deposits(&[deposit]).await
    }

    async fn update_deposits(&mut self, deposits: &[&Deposit]) -> Result<()> {
        let deposits: Vec<_> = deposits.iter().map(|it| (*it).clone()).collect();
        self.within(move |db, tenant| deposits.iter().try_for_each(|it| update(db, tenant, it)))
            .await
    }

    async fn deposits(
        &mut self,
        player: Option<PlayerId>,
        page: &Page<DepositId>,
    ) -> Result<Paged<Deposit, DepositId>> {
        let page = *page;
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let player = player.map(|it| id_text(it.0));
            let rows = if player.is_some() {
                let params = params![tenant, player, at.before, at.limit, at.offset];
                all(db, &LIST_DEPOSITS_OF_PLAYER, params, "deposits", deposit_row)?
            } else {
                let params = params![tenant, at.before, at.limit, at.offset];
                all(db, &LIST_DEPOSITS, params, "deposits", deposit_row)?
            };
            let counted = || count(db, &COUNT_DEPOSITS, params![tenant, player]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn insert(db: &Connection, tenant: i32, it: &Deposit) -> Result<u64> {
    let params = params![
        id_text(it.id.0),
        tenant,
        id_text(it.player.0),
        it.amount.minor,
        it.amount.currency.code(),
        it.method,
        it.provider.as_ref().map(ProviderKey::as_str),
        it.provider_ref,
        it.state.as_str(),
        it.refunded,
        it.charged_back,
        stamp(it.created_at),
        stamp_opt(it.captured_at),
        stamp(it.updated_at)
    ];
    execute(db, &INSERT_DEPOSIT, params)
}

fn update(db: &Connection, tenant: i32, it: &Deposit) -> Result<()> {
    let params = params![
        id_text(it.id.0),
        tenant,
        it.state.as_str(),
        it.refunded,
        it.charged_back,
        stamp_opt(it.captured_at),
        stamp(it.updated_at)
    ];
    execute_one(db, &UPDATE_DEPOSIT, params)
}

fn deposit_row(row: &mut Cells<'_>) -> Result<Deposit> {
    Ok(Deposit {
        id: row.id("id")?,
        player: row.id("player_id")?,
        amount: row.money("amount")?,
        method: row.get("method")?,
        provider: row.parsed_opt("provider")?,
        provider_ref: row.get("provider_ref")?,
        state: row.parsed("state")?,
        refunded: row.get("refunded")?,
        charged_back: row.get("charged_back")?,
        created_at: row.time("created_at")?,
        captured_at: row.time_opt("captured_at")?,
        updated_at: row.time("updated_at")?,
    })
}

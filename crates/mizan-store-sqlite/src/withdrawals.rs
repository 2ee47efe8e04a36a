//! Withdrawals. A transaction that writes holds the lock of the file, so reading a row locks it.

use async_trait::async_trait;
use mizan_core::{ProviderKey, WithdrawalId};
use mizan_payments::withdrawal::{Withdrawal, WithdrawalState};
use mizan_store::withdrawals::{WithdrawalFilter, Withdrawals};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_WITHDRAWAL = "
        INSERT INTO withdrawals (id, tenant_id, player_id, amount, currency, method, address, state, provider,
                                 balance_after, requested_by, reviewed_by, reviewed_at, reason, paid_at,
                                 created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";

    WITHDRAWAL = "
        SELECT id, player_id, amount, currency, method, address, state, provider, balance_after, requested_by,
               reviewed_by, reviewed_at, reason, paid_at, created_at, updated_at
        FROM withdrawals
        WHERE id = ?1 AND tenant_id = ?2";

    UPDATE_WITHDRAWAL = "
        UPDATE withdrawals
        SET state = ?3, provider = ?4, reviewed_by = ?5, reviewed_at = ?6, reason = ?7, paid_at = ?8,
            updated_at = ?9
        WHERE id = ?1 AND tenant_id = ?2";

    LIST_WITHDRAWALS = "
        SELECT id, player_id, amount, currency, method, address, state, provider, balance_after, requested_by,
               reviewed_by, reviewed_at, reason, paid_at, created_at, updated_at
        FROM withdrawals
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR state = ?3)
          AND (?4 IS NULL OR provider = ?4)
          AND (?5 IS NULL OR player_id = ?5)
          AND (?6 IS NULL OR created_at >= ?6)
          AND (?7 IS NULL OR created_at < ?7)
        ORDER BY id DESC LIMIT ?8 OFFSET ?9";

    COUNT_WITHDRAWALS = "
        SELECT count(*)
        FROM withdrawals
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR state = ?2)
          AND (?3 IS NULL OR provider = ?3)
          AND (?4 IS NULL OR player_id = ?4)
          AND (?5 IS NULL OR created_at >= ?5)
          AND (?6 IS NULL OR created_at < ?6)";
}

#[async_trait]
impl Withdrawals for SqliteTx {
    async fn insert_withdrawal(&mut self, withdrawal: &Withdrawal) -> Result<()> {
        let it = withdrawal.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                id_text(it.player.0),
                it.amount.minor,
                it.amount.currency.code(),
                it.method,
                it.address,
                it.state.as_str(),
                it.provider.as_ref().map(ProviderKey::as_str),
                it.balance_after,
                it.requested_by,
                it.reviewed_by,
                stamp_opt(it.reviewed_at),
                it.reason,
                stamp_opt(it.paid_at),
                stamp(it.created_at),
                stamp(it.updated_at)
            ];
            execute_one(db, &INSERT_WITHDRAWAL, params)
        })
        .await
    }

    async fn withdrawal(&mut self, id: WithdrawalId) -> Result<Option<Withdrawal>> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant];
            first(db, &WITHDRAWAL, params, "withdrawals", withdrawal_row)
        })
        .await
    }

    async fn lock_withdrawal(&mut self, id: WithdrawalId) -> Result<Option<Withdrawal>> {
        self.withdrawal(id).await
    }

    async fn update_withdrawal(&mut self, withdrawal: &Withdrawal) -> Result<()> {
        let it = withdrawal.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                it.state.as_str(),
                it.provider.as_ref().map(ProviderKey::as_str),
                it.reviewed_by,
                stamp_opt(it.reviewed_at),
                it.reason,
                stamp_opt(it.paid_at),
                stamp(it.updated_at)
            ];
            execute_one(db, &UPDATE_WITHDRAWAL, params)
        })
        .await
    }

    async fn withdrawals(
        &mut self,
        filter: &WithdrawalFilter,
        page: &Page<WithdrawalId>,
    ) -> Result<Paged<Withdrawal, WithdrawalId>> {
        let (filter, page) = (filter.clone(), *page);
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let state = filter.state.map(WithdrawalState::as_str);
            let provider = filter.provider.as_ref().map(ProviderKey::as_str);
            let player = filter.player.map(|it| id_text(it.0));
            let (from, to) = (stamp_opt(filter.from), stamp_opt(filter.to));
            let params = params![
                tenant, at.before, state, provider, player, from, to, at.limit, at.offset
            ];
            let rows = all(db, &LIST_WITHDRAWALS, params, "withdrawals", withdrawal_row)?;
            let params = params![tenant, state, provider, player, from, to];
            let counted = || count(db, &COUNT_WITHDRAWALS, params);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn withdrawal_row(row: &mut Cells<'_>) -> Result<Withdrawal> {
    Ok(Withdrawal {
        id: row.id("id")?,
        player: row.id("player_id")?,
        amount: row.money("amount")?,
        method: row.get("method")?,
        address: row.get("address")?,
        state: row.parsed("state")?,
        provider: row.parsed_opt("provider")?,
        balance_after: row.get("balance_after")?,
        requested_by: row.get("requested_by")?,
        reviewed_by: row.get("reviewed_by")?,
        reviewed_at: row.time_opt("reviewed_at")?,
        reason: row.get("reason")?,
        paid_at: row.time_opt("paid_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

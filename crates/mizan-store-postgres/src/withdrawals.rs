//! Withdrawals.

use async_trait::async_trait;
use mizan_core::{ProviderKey, WithdrawalId};
use mizan_payments::withdrawal::{Withdrawal, WithdrawalState};
use mizan_store::withdrawals::{WithdrawalFilter, Withdrawals};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! withdrawal_columns {
    () => {
        "id, player_id, amount, currency, method, address, state, provider, balance_after, requested_by, \
         reviewed_by, reviewed_at, reason, paid_at, created_at, updated_at"
    };
}
macro_rules! withdrawal_filter {
    () => {
        "FROM withdrawals
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR state = $2)
           AND ($3::text IS NULL OR provider = $3)
           AND ($4::uuid IS NULL OR player_id = $4)
           AND ($5::timestamptz IS NULL OR created_at >= $5)
           AND ($6::timestamptz IS NULL OR created_at < $6)"
    };
}

statements! {
    INSERT = concat!("INSERT INTO withdrawals (tenant_id, ", withdrawal_columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)");
    BY_ID = concat!("SELECT ", withdrawal_columns!(), " FROM withdrawals WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", withdrawal_columns!(), " FROM withdrawals
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE");
    UPDATE = "UPDATE withdrawals
         SET state = $3, provider = $4, reviewed_by = $5, reviewed_at = $6, reason = $7, paid_at = $8, updated_at = $9
         WHERE tenant_id = $1 AND id = $2";
    LIST = concat!("SELECT ", withdrawal_columns!(), " ", withdrawal_filter!(), "
           AND ($7::uuid IS NULL OR id < $7)
         ORDER BY id DESC LIMIT $8 OFFSET $9");
    COUNT = concat!("SELECT count(*) ", withdrawal_filter!());
}

fn withdrawal(row: &Row) -> Result<Withdrawal> {
    let record = Record::new(row, "withdrawals", "id");
    Ok(Withdrawal {
        id: record.id("id")?,
        player: record.id("player_id")?,
        amount: record.money()?,
        method: record.get("method")?,
        address: record.get("address")?,
        state: record.word("state")?,
        provider: record.maybe_word("provider")?,
        balance_after: record.get("balance_after")?,
        requested_by: record.get("requested_by")?,
        reviewed_by: record.get("reviewed_by")?,
        reviewed_at: record.get("reviewed_at")?,
        reason: record.get("reason")?,
        paid_at: record.get("paid_at")?,
        created_at: record.get("created_at")?,
        updated_at: record.get("updated_at")?,
    })
}

#[async_trait]
impl Withdrawals for PgTx {
    async fn insert_withdrawal(&mut self, new: &Withdrawal) -> Result<()> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.id.0,
                    &new.player.0,
                    &new.amount.minor,
                    &new.amount.currency.code(),
                    &new.method,
                    &new.address,
                    &new.state.as_str(),
                    &new.provider.as_ref().map(ProviderKey::as_str),
                    &new.balance_after,
                    &new.requested_by,
                    &new.reviewed_by,
                    &new.reviewed_at,
                    &new.reason,
                    &new.paid_at,
                    &new.created_at,
                    &new.updated_at,
                ],
            )
            .await?;
        StoreError::expect_rows("withdrawals::INSERT", 1, inserted)
    }

    async fn withdrawal(&mut self, id: WithdrawalId) -> Result<Option<Withdrawal>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(withdrawal).transpose()
    }

    async fn lock_withdrawal(&mut self, id: WithdrawalId) -> Result<Option<Withdrawal>> {
        let row = self.session.row(LOCK, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(withdrawal).transpose()
    }

    async fn update_withdrawal(&mut self, it: &Withdrawal) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE,
                &[
                    &self.tenant,
                    &it.id.0,
                    &it.state.as_str(),
                    &it.provider.as_ref().map(ProviderKey::as_str),
                    &it.reviewed_by,
                    &it.reviewed_at,
                    &it.reason,
                    &it.paid_at,
                    &it.updated_at,
                ],
            )
            .await?;
        StoreError::expect_rows("withdrawals::UPDATE", 1, updated)
    }

    async fn withdrawals(
        &mut self,
        filter: &WithdrawalFilter,
        page: &Page<WithdrawalId>,
    ) -> Result<Paged<Withdrawal, WithdrawalId>> {
        let state = filter.state.map(WithdrawalState::as_str);
        let provider = filter.provider.as_ref().map(ProviderKey::as_str);
        let player = filter.player.map(|it| it.0);
        let filters: [(Param<'_>, Type); 6] = [
            (&self.tenant, Type::INT4),
            (&state, Type::TEXT),
            (&provider, Type::TEXT),
            (&player, Type::UUID),
            (&filter.from, Type::TIMESTAMPTZ),
            (&filter.to, Type::TIMESTAMPTZ),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, withdrawal, |it| it.id)
            .await
    }
}

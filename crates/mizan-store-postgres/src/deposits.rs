//! Deposits.

use async_trait::async_trait;
use mizan_core::{DepositId, PlayerId, ProviderKey};
use mizan_payments::deposit::Deposit;
use mizan_store::deposits::Deposits;
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::{Record, column};
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! deposit_columns {
    () => {
        "id, player_id, amount, currency, method, provider, provider_ref, state, refunded, charged_back, \
         created_at, captured_at, updated_at"
    };
}

statements! {
    INSERT = concat!("INSERT INTO deposits (tenant_id, ", deposit_columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT ON CONSTRAINT uq_deposits_provider_ref DO NOTHING");
    INSERT_ALL = concat!("INSERT INTO deposits (tenant_id, ", deposit_columns!(), ")
         SELECT $1, rows.* FROM unnest(
             $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
             $10::bigint[], $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[]) AS rows
         ON CONFLICT ON CONSTRAINT uq_deposits_provider_ref DO NOTHING");
    BY_ID = concat!("SELECT ", deposit_columns!(), " FROM deposits WHERE tenant_id = $1 AND id = $2");
    LOCK_BY_REF = concat!("SELECT ", deposit_columns!(), " FROM deposits
         WHERE tenant_id = $1 AND provider = $2 AND provider_ref = $3 FOR NO KEY UPDATE");
    LOCK_ALL_BY_REF = concat!("SELECT ", deposit_columns!(), " FROM deposits
         WHERE tenant_id = $1 AND (provider, provider_ref) IN (SELECT * FROM unnest($2::text[], $3::text[]))
         ORDER BY provider, provider_ref FOR NO KEY UPDATE");
    UPDATE_ALL = "UPDATE deposits d
         SET state = n.state, refunded = n.refunded, charged_back = n.charged_back, captured_at = n.captured_at,
             updated_at = n.updated_at
         FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
             AS n (id, state, refunded, charged_back, captured_at, updated_at)
         WHERE d.tenant_id = $1 AND d.id = n.id";
    UPDATE = "UPDATE deposits
         SET state = $3, refunded = $4, charged_back = $5, captured_at = $6, updated_at = $7
         WHERE tenant_id = $1 AND id = $2";
    LIST = concat!("SELECT ", deposit_columns!(), " FROM deposits
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR player_id = $2) AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4 OFFSET $5");
    COUNT = "SELECT count(*) FROM deposits WHERE tenant_id = $1 AND ($2::uuid IS NULL OR player_id = $2)";
}

fn deposit(row: &Row) -> Result<Deposit> {
    let record = Record::new(row, "deposits", "id");
    Ok(Deposit {
        id: record.id("id")?,
        player: record.id("player_id")?,
        amount: record.money()?,
        method: record.get("method")?,
        provider: record.maybe_word("provider")?,
        provider_ref: record.get("provider_ref")?,
        state: record.word("state")?,
        refunded: record.get("refunded")?,
        charged_back: record.get("charged_back")?,
        created_at: record.get("created_at")?,
        captured_at: record.get("captured_at")?,
        updated_at: record.get("updated_at")?,
    })
}

#[async_trait]
impl Deposits for PgTx {
    async fn insert_deposit(&mut self, new: &Deposit) -> Result<bool> {
        let provider = new.provider.as_ref().map(ProviderKey::as_str);
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
                    &provider,
                    &new.provider_ref,
                    &new.state.as_str(),
                    &new.refunded,
                    &new.charged_back,
                    &new.created_at,
                    &new.captured_at,
                    &new.updated_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn insert_deposits(&mut self, new: &[&Deposit]) -> Result<u64> {
        self.session
            .execute(
                INSERT_ALL,
                &[
                    &self.tenant,
                    &column(new, |it| it.id.0),
                    &column(new, |it| it.player.0),
                    &column(new, |it| it.amount.minor),
                    &column(new, |it| it.amount.currency.code()),
                    &column(new, |it| it.method.as_str()),
                    &column(new, |it| it.provider.as_ref().map(ProviderKey::as_str)),
                    &column(new, |it| it.provider_ref.as_deref()),
                    &column(new, |it| it.state.as_str()),
                    &column(new, |it| it.refunded),
                    &column(new, |it| it.charged_back),
                    &column(new, |it| it.created_at),
                    &column(new, |it| it.captured_at),
                    &column(new, |it| it.updated_at),
                ],
            )
            .await
    }

    async fn lock_deposits_by_ref(&mut self, wanted: &[(ProviderKey, String)]) -> Result<Vec<Deposit>> {
        let providers = column(wanted, |it| it.0.as_str());
        let references = column(wanted, |it| it.1.as_str());
        let rows = self
            .session
            .rows(LOCK_ALL_BY_REF, &[&self.tenant, &providers, &references])
            .await?;
        rows.iter().map(deposit).collect()
    }

    async fn update_deposits(&mut self, deposits: &[&Deposit]) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE_ALL,
                &[
                    &self.tenant,
                    &column(deposits, |it| it.id.0),
                    &column(deposits, |it| it.state.as_str()),
                    &column(deposits, |it| it.refunded),
                    &column(deposits, |it| it.charged_back),
                    &column(deposits, |it| it.captured_at),
                    &column(deposits, |it| it.updated_at),
                ],
            )
            .await?;
        StoreError::expect_rows("deposits::UPDATE_ALL", deposits.len() as u64, updated)
    }

    async fn deposit(&mut self, id: DepositId) -> Result<Option<Deposit>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(deposit).transpose()
    }

    async fn lock_deposit_by_ref(
        &mut self,
        provider: &ProviderKey,
        provider_ref: &str,
    ) -> Result<Option<Deposit>> {
        let row = self
            .session
            .row(LOCK_BY_REF, &[&self.tenant, &provider.as_str(), &provider_ref])
            .await?;
        row.as_ref().map(deposit).transpose()
    }

    async fn update_deposit(&mut self, it: &Deposit) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE,
                &[
                    &self.tenant,
                    &it.id.0,
                    &it.state.as_str(),
                    &it.refunded,
                    &it.charged_back,
                    &it.captured_at,
                    &it.updated_at,
                ],
            )
            .await?;
        StoreError::expect_rows("deposits::UPDATE", 1, updated)
    }

    async fn deposits(
        &mut self,
        player: Option<PlayerId>,
        page: &Page<DepositId>,
    ) -> Result<Paged<Deposit, DepositId>> {
        let player = player.map(|it| it.0);
        let filters: [(Param<'_>, Type); 2] = [(&self.tenant, Type::INT4), (&player, Type::UUID)];
        self.session
            .page(LIST, COUNT, &filters, page, deposit, |it| it.id)
            .await
    }
}

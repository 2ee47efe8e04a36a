//! Payout attempts.

use async_trait::async_trait;
use mizan_core::WithdrawalId;
use mizan_payments::payout::Attempt;
use mizan_store::payouts::Payouts;
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::record::Record;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! attempt_columns {
    () => {
        "id, withdrawal_id, number, provider, provider_key, provider_ref, state, error, created_at, updated_at"
    };
}

statements! {
    /// Only an attempt that is open already turns this into nothing; any other conflict is an error.
    INSERT = concat!("INSERT INTO payout_attempts (tenant_id, ", attempt_columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (withdrawal_id) WHERE state = 'open' DO NOTHING");
    OPEN = concat!("SELECT ", attempt_columns!(), " FROM payout_attempts
         WHERE tenant_id = $1 AND withdrawal_id = $2 AND state = 'open'");
    OF_WITHDRAWAL = concat!("SELECT ", attempt_columns!(), " FROM payout_attempts
         WHERE tenant_id = $1 AND withdrawal_id = $2 ORDER BY number");
    UPDATE = "UPDATE payout_attempts SET provider_ref = $3, state = $4, error = $5, updated_at = $6
         WHERE tenant_id = $1 AND id = $2";
}

fn attempt(row: &Row) -> Result<Attempt> {
    let record = Record::new(row, "payout_attempts", "id");
    Ok(Attempt {
        id: record.id("id")?,
        withdrawal: record.id("withdrawal_id")?,
        number: record.get("number")?,
        provider: record.word("provider")?,
        provider_key: record.get("provider_key")?,
        provider_ref: record.get("provider_ref")?,
        state: record.word("state")?,
        error: record.get("error")?,
        created_at: record.get("created_at")?,
        updated_at: record.get("updated_at")?,
    })
}

#[async_trait]
impl Payouts for PgTx {
    async fn insert_attempt(&mut self, new: &Attempt) -> Result<bool> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.id.0,
                    &new.withdrawal.0,
                    &new.number,
                    &new.provider.as_str(),
                    &new.provider_key,
                    &new.provider_ref,
                    &new.state.as_str(),
                    &new.error,
                    &new.created_at,
                    &new.updated_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn open_attempt(&mut self, withdrawal: WithdrawalId) -> Result<Option<Attempt>> {
        let row = self.session.row(OPEN, &[&self.tenant, &withdrawal.0]).await?;
        row.as_ref().map(attempt).transpose()
    }

    async fn attempts(&mut self, withdrawal: WithdrawalId) -> Result<Vec<Attempt>> {
        let rows = self
            .session
            .rows(OF_WITHDRAWAL, &[&self.tenant, &withdrawal.0])
            .await?;
        rows.iter().map(attempt).collect()
    }

    async fn update_attempt(&mut self, it: &Attempt) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE,
                &[
                    &self.tenant,
                    &it.id.0,
                    &it.provider_ref,
                    &it.state.as_str(),
                    &it.error,
                    &it.updated_at,
                ],
            )
            .await?;
        StoreError::expect_rows("payouts::UPDATE", 1, updated)
    }
}

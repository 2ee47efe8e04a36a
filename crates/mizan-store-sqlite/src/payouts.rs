//! Payout attempts.

use async_trait::async_trait;
use mizan_core::WithdrawalId;
use mizan_payments::payout::Attempt;
use mizan_store::Result;
use mizan_store::payouts::Payouts;
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp};
use crate::statement::{all, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_ATTEMPT = "
        INSERT INTO payout_attempts (id, tenant_id, withdrawal_id, number, provider, provider_key, provider_ref,
                                     state, error, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (withdrawal_id) WHERE state = 'open' DO NOTHING";

    OPEN_ATTEMPT = "
        SELECT id, withdrawal_id, number, provider, provider_key, provider_ref, state, error, created_at, updated_at
        FROM payout_attempts
        WHERE withdrawal_id = ?1 AND state = 'open' AND tenant_id = ?2";

    ATTEMPTS = "
        SELECT id, withdrawal_id, number, provider, provider_key, provider_ref, state, error, created_at, updated_at
        FROM payout_attempts
        WHERE withdrawal_id = ?1 AND tenant_id = ?2
        ORDER BY number";

    UPDATE_ATTEMPT = "
        UPDATE payout_attempts SET provider_ref = ?3, state = ?4, error = ?5, updated_at = ?6
        WHERE id = ?1 AND tenant_id = ?2";
}

#[async_trait]
impl Payouts for SqliteTx {
    async fn insert_attempt(&mut self, attempt: &Attempt) -> Result<bool> {
        let it = attempt.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                id_text(it.withdrawal.0),
                it.number,
                it.provider.as_str(),
                it.provider_key,
                it.provider_ref,
                it.state.as_str(),
                it.error,
                stamp(it.created_at),
                stamp(it.updated_at)
            ];
            Ok(execute(db, &INSERT_ATTEMPT, params)? == 1)
        })
        .await
    }

    async fn open_attempt(&mut self, withdrawal: WithdrawalId) -> Result<Option<Attempt>> {
        self.within(move |db, tenant| {
            let params = params![id_text(withdrawal.0), tenant];
            first(db, &OPEN_ATTEMPT, params, "payout_attempts", attempt_row)
        })
        .await
    }

    async fn attempts(&mut self, withdrawal: WithdrawalId) -> Result<Vec<Attempt>> {
        self.within(move |db, tenant| {
            let params = params![id_text(withdrawal.0), tenant];
            all(db, &ATTEMPTS, params, "payout_attempts", attempt_row)
        })
        .await
    }

    async fn update_attempt(&mut self, attempt: &Attempt) -> Result<()> {
        let it = attempt.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                it.provider_ref,
                it.state.as_str(),
                it.error,
                stamp(it.updated_at)
            ];
            execute_one(db, &UPDATE_ATTEMPT, params)
        })
        .await
    }
}

fn attempt_row(row: &mut Cells<'_>) -> Result<Attempt> {
    Ok(Attempt {
        id: row.id("id")?,
        withdrawal: row.id("withdrawal_id")?,
        number: row.get("number")?,
        provider: row.parsed("provider")?,
        provider_key: row.get("provider_key")?,
        provider_ref: row.get("provider_ref")?,
        state: row.parsed("state")?,
        error: row.get("error")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

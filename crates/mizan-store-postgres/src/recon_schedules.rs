//! Schedules of reconciliation runs.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, Timestamp};
use mizan_store::recon_schedules::{ReconSchedule, ReconSchedules};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! columns {
    () => {
        "provider, cron, time_zone, settlement_lag_s, catch_up, done_until, next_due_at, created_by, created_at, updated_at"
    };
}

statements! {
    LIST = concat!("SELECT ", columns!(), " FROM recon_schedules WHERE tenant_id = $1 ORDER BY provider");
    LOCK = concat!("SELECT ", columns!(), " FROM recon_schedules WHERE tenant_id = $1 AND provider = $2 FOR UPDATE");
    PUT = concat!("INSERT INTO recon_schedules (tenant_id, ", columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (provider)
         DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone,
                       settlement_lag_s = excluded.settlement_lag_s, catch_up = excluded.catch_up,
                       done_until = excluded.done_until, next_due_at = excluded.next_due_at,
                       updated_at = excluded.updated_at
         WHERE recon_schedules.tenant_id = excluded.tenant_id");
    DELETE = "DELETE FROM recon_schedules WHERE tenant_id = $1 AND provider = $2";
    DUE = "SELECT tenant_id, provider FROM recon_schedules WHERE next_due_at <= $1 ORDER BY next_due_at LIMIT 100";
}

fn schedule(row: &Row) -> Result<ReconSchedule> {
    let record = Record::new(row, "recon_schedules", "provider");
    Ok(ReconSchedule {
        provider: record.word("provider")?,
        cron: record.get("cron")?,
        time_zone: record.get("time_zone")?,
        settlement_lag_s: record.get("settlement_lag_s")?,
        catch_up: record.get("catch_up")?,
        done_until: record.get("done_until")?,
        next_due_at: record.get("next_due_at")?,
        created_by: record.get("created_by")?,
        created_at: record.get("created_at")?,
        updated_at: record.get("updated_at")?,
    })
}

#[async_trait]
impl ReconSchedules for PgTx {
    async fn schedules(&mut self) -> Result<Vec<ReconSchedule>> {
        let rows = self.session.rows(LIST, &[&self.tenant]).await?;
        rows.iter().map(schedule).collect()
    }

    async fn lock_schedule(&mut self, provider: &ProviderKey) -> Result<Option<ReconSchedule>> {
        let row = self
            .session
            .row(LOCK, &[&self.tenant, &provider.as_str()])
            .await?;
        row.as_ref().map(schedule).transpose()
    }

    async fn put_schedule(&mut self, it: &ReconSchedule) -> Result<()> {
        let put = self
            .session
            .execute(
                PUT,
                &[
                    &self.tenant,
                    &it.provider.as_str(),
                    &it.cron,
                    &it.time_zone,
                    &it.settlement_lag_s,
                    &it.catch_up,
                    &it.done_until,
                    &it.next_due_at,
                    &it.created_by,
                    &it.created_at,
                    &it.updated_at,
                ],
            )
            .await?;
        StoreError::expect_rows("recon_schedules::PUT", 1, put)
    }

    async fn delete_schedule(&mut self, provider: &ProviderKey) -> Result<bool> {
        let deleted = self
            .session
            .execute(DELETE, &[&self.tenant, &provider.as_str()])
            .await?;
        Ok(deleted == 1)
    }
}

pub(crate) async fn due(session: &Session, now: Timestamp) -> Result<Vec<(TenantId, ProviderKey)>> {
    let rows = session.rows(DUE, &[&now]).await?;
    rows.iter()
        .map(|row| {
            let record = Record::new(row, "recon_schedules", "provider");
            Ok((TenantId(record.get("tenant_id")?), record.word("provider")?))
        })
        .collect()
}

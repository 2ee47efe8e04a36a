//! Schedules of reconciliation runs.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, Timestamp};
use mizan_store::Result;
use mizan_store::recon_schedules::{ReconSchedule, ReconSchedules};
use rusqlite::{Connection, params};

use crate::cells::{Cells, stamp};
use crate::statement::{all, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    SCHEDULES = "
        SELECT provider, cron, time_zone, settlement_lag_s, catch_up, done_until, next_due_at, created_by, created_at,
               updated_at
        FROM recon_schedules
        WHERE tenant_id = ?1
        ORDER BY provider";

    SCHEDULE = "
        SELECT provider, cron, time_zone, settlement_lag_s, catch_up, done_until, next_due_at, created_by, created_at,
               updated_at
        FROM recon_schedules
        WHERE tenant_id = ?1 AND provider = ?2";

    PUT_SCHEDULE = "
        INSERT INTO recon_schedules (tenant_id, provider, cron, time_zone, settlement_lag_s, catch_up, done_until,
                                     next_due_at, created_by, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (provider) DO UPDATE
        SET cron = excluded.cron, time_zone = excluded.time_zone, settlement_lag_s = excluded.settlement_lag_s,
            catch_up = excluded.catch_up, done_until = excluded.done_until, next_due_at = excluded.next_due_at,
            updated_at = excluded.updated_at
        WHERE recon_schedules.tenant_id = excluded.tenant_id";

    DELETE_SCHEDULE = "DELETE FROM recon_schedules WHERE tenant_id = ?1 AND provider = ?2";

    DUE_SCHEDULES = "
        SELECT provider, tenant_id FROM recon_schedules WHERE next_due_at <= ?1 ORDER BY next_due_at LIMIT 100";
}

#[async_trait]
impl ReconSchedules for SqliteTx {
    async fn schedules(&mut self) -> Result<Vec<ReconSchedule>> {
        self.within(|db, tenant| all(db, &SCHEDULES, [tenant], "recon_schedules", schedule_row))
            .await
    }

    async fn lock_schedule(&mut self, provider: &ProviderKey) -> Result<Option<ReconSchedule>> {
        let provider = provider.clone();
        self.within(move |db, tenant| {
            let params = params![tenant, provider.as_str()];
            first(db, &SCHEDULE, params, "recon_schedules", schedule_row)
        })
        .await
    }

    async fn put_schedule(&mut self, schedule: &ReconSchedule) -> Result<()> {
        let it = schedule.clone();
        self.within(move |db, tenant| {
            let params = params![
                tenant,
                it.provider.as_str(),
                it.cron,
                it.time_zone,
                it.settlement_lag_s,
                it.catch_up,
                stamp(it.done_until),
                stamp(it.next_due_at),
                it.created_by,
                stamp(it.created_at),
                stamp(it.updated_at)
            ];
            execute_one(db, &PUT_SCHEDULE, params)
        })
        .await
    }

    async fn delete_schedule(&mut self, provider: &ProviderKey) -> Result<bool> {
        let provider = provider.clone();
        self.within(move |db, tenant| {
            let deleted = execute(db, &DELETE_SCHEDULE, params![tenant, provider.as_str()])?;
            Ok(deleted == 1)
        })
        .await
    }
}

pub(crate) fn due(db: &Connection, now: Timestamp) -> Result<Vec<(TenantId, ProviderKey)>> {
    all(db, &DUE_SCHEDULES, [stamp(now)], "recon_schedules", |row| {
        let provider = row.parsed("provider")?;
        Ok((TenantId(row.get("tenant_id")?), provider))
    })
}

fn schedule_row(row: &mut Cells<'_>) -> Result<ReconSchedule> {
    Ok(ReconSchedule {
        provider: row.parsed("provider")?,
        cron: row.get("cron")?,
        time_zone: row.get("time_zone")?,
        settlement_lag_s: row.get("settlement_lag_s")?,
        catch_up: row.get("catch_up")?,
        done_until: row.time("done_until")?,
        next_due_at: row.time("next_due_at")?,
        created_by: row.get("created_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

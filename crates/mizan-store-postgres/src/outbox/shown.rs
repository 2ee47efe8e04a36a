//! Jobs as people see them, and what they do about dead letters.

use async_trait::async_trait;
use mizan_core::{TenantId, Timestamp};
use mizan_store::Result;
use mizan_store::queued_jobs::{DeadLetters, JobFilter, JobState, QueuedJob};
use tokio_postgres::Row;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    DEAD = "SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0) AS lost, worker, lease_until,
                error, request_id, created_at, finished_at
         FROM outbox
         WHERE state = 'dead' AND ($1::text IS NULL OR kind = $1) AND ($2::int IS NULL OR tenant_id = $2)
         ORDER BY id LIMIT $3";
    RUNNING = "SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0) AS lost, worker,
                lease_until, error, request_id, created_at, finished_at
         FROM outbox
         WHERE state = 'ready' AND lease_until >= $4 AND ($1::text IS NULL OR kind = $1)
           AND ($2::int IS NULL OR tenant_id = $2)
         ORDER BY id LIMIT $3";
    WAITING = "SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0) AS lost, worker,
                lease_until, error, request_id, created_at, finished_at
         FROM outbox
         WHERE state = 'ready' AND (lease_until IS NULL OR lease_until < $4) AND ($1::text IS NULL OR kind = $1)
           AND ($2::int IS NULL OR tenant_id = $2)
         ORDER BY run_at, id LIMIT $3";
    ONE = "SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0) AS lost, worker, lease_until,
                error, request_id, created_at, finished_at
         FROM outbox
         WHERE id = $1 AND state <> 'done'";
    REQUEUE = "UPDATE outbox
         SET state = 'ready', run_at = $3, attempts = 0, lost = 0, lease_until = NULL, relayed_at = NULL,
             finished_at = NULL
         WHERE tenant_id = $1 AND id = $2 AND state = 'dead'";
    DROP_DEAD = "DELETE FROM outbox WHERE tenant_id = $1 AND id = $2 AND state = 'dead'";
}

#[async_trait]
impl DeadLetters for PgTx {
    async fn requeue_dead_job(&mut self, id: i64, at: Timestamp) -> Result<bool> {
        let touched = self.session.execute(REQUEUE, &[&self.tenant, &id, &at]).await?;
        Ok(touched == 1)
    }

    async fn drop_dead_job(&mut self, id: i64) -> Result<bool> {
        let touched = self.session.execute(DROP_DEAD, &[&self.tenant, &id]).await?;
        Ok(touched == 1)
    }
}

pub(crate) async fn list(session: &Session, filter: &JobFilter, now: Timestamp) -> Result<Vec<QueuedJob>> {
    let tenant = filter.tenant.map(|it| it.0);
    let limit = i64::from(filter.limit);
    let rows = match filter.state {
        JobState::Dead => session.rows(DEAD, &[&filter.kind, &tenant, &limit]).await?,
        JobState::Running => {
            session
                .rows(RUNNING, &[&filter.kind, &tenant, &limit, &now])
                .await?
        }
        JobState::Waiting => {
            session
                .rows(WAITING, &[&filter.kind, &tenant, &limit, &now])
                .await?
        }
    };
    rows.iter().map(|it| queued(it, now)).collect()
}

pub(crate) async fn one(session: &Session, id: i64, now: Timestamp) -> Result<Option<QueuedJob>> {
    let row = session.row(ONE, &[&id]).await?;
    row.map(|it| queued(&it, now)).transpose()
}

fn queued(row: &Row, now: Timestamp) -> Result<QueuedJob> {
    let record = Record::new(row, "outbox", "id");
    let lease_until: Option<Timestamp> = record.get("lease_until")?;
    Ok(QueuedJob {
        id: record.get("id")?,
        tenant: TenantId(record.get("tenant_id")?),
        kind: record.get("kind")?,
        job: record.get("job")?,
        state: JobState::of(record.get("state")?, lease_until, now),
        run_at: record.get("run_at")?,
        attempts: record.get("attempts")?,
        lost: record.get("lost")?,
        worker: record.get("worker")?,
        lease_until,
        error: record.get("error")?,
        request_id: record.get("request_id")?,
        created_at: record.get("created_at")?,
        finished_at: record.get("finished_at")?,
    })
}

//! Jobs as people see them, and what they do about dead letters.

use async_trait::async_trait;
use mizan_core::{TenantId, Timestamp};
use mizan_store::Result;
use mizan_store::queued_jobs::{DeadLetters, JobFilter, JobState, QueuedJob};
use rusqlite::{Connection, params};

use crate::cells::{Cells, stamp};
use crate::statement::{all, execute, first, statements};
use crate::tx::SqliteTx;

statements! {
    DEAD = "
        SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0), worker, lease_until, error,
            request_id, created_at, finished_at
        FROM outbox
        WHERE state = 'dead' AND (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR tenant_id = ?2)
        ORDER BY id LIMIT ?3";

    RUNNING = "
        SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0), worker, lease_until, error,
            request_id, created_at, finished_at
        FROM outbox
        WHERE state = 'ready' AND lease_until >= ?4 AND (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR tenant_id = ?2)
        ORDER BY id LIMIT ?3";

    WAITING = "
        SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0), worker, lease_until, error,
            request_id, created_at, finished_at
        FROM outbox
        WHERE state = 'ready' AND (lease_until IS NULL OR lease_until < ?4) AND (?1 IS NULL OR kind = ?1)
          AND (?2 IS NULL OR tenant_id = ?2)
        ORDER BY run_at, id LIMIT ?3";

    ONE = "
        SELECT id, tenant_id, kind, job, state, run_at, attempts, coalesce(lost, 0), worker, lease_until, error,
            request_id, created_at, finished_at
        FROM outbox
        WHERE id = ?1 AND state <> 'done'";

    REQUEUE = "
        UPDATE outbox
        SET state = 'ready', run_at = ?3, attempts = 0, lost = 0, lease_until = NULL, relayed_at = NULL,
            finished_at = NULL
        WHERE tenant_id = ?1 AND id = ?2 AND state = 'dead'";

    DROP_DEAD = "DELETE FROM outbox WHERE tenant_id = ?1 AND id = ?2 AND state = 'dead'";
}

#[async_trait]
impl DeadLetters for SqliteTx {
    async fn requeue_dead_job(&mut self, id: i64, at: Timestamp) -> Result<bool> {
        self.within(move |db, tenant| Ok(execute(db, &REQUEUE, params![tenant, id, stamp(at)])? == 1))
            .await
    }

    async fn drop_dead_job(&mut self, id: i64) -> Result<bool> {
        self.within(move |db, tenant| Ok(execute(db, &DROP_DEAD, params![tenant, id])? == 1))
            .await
    }
}

pub(super) fn list(db: &Connection, filter: &JobFilter, now: Timestamp) -> Result<Vec<QueuedJob>> {
    let (kind, tenant, limit) = (&filter.kind, filter.tenant.map(|it| it.0), filter.limit);
    let read = |row: &mut Cells<'_>| queued(row, now);
    match filter.state {
        JobState::Dead => all(db, &DEAD, params![kind, tenant, limit], "outbox", read),
        JobState::Running => all(
            db,
            &RUNNING,
            params![kind, tenant, limit, stamp(now)],
            "outbox",
            read,
        ),
        JobState::Waiting => all(
            db,
            &WAITING,
            params![kind, tenant, limit, stamp(now)],
            "outbox",
            read,
        ),
    }
}

pub(super) fn one(db: &Connection, id: i64, now: Timestamp) -> Result<Option<QueuedJob>> {
    first(db, &ONE, [id], "outbox", |row| queued(row, now))
}

fn queued(row: &mut Cells<'_>, now: Timestamp) -> Result<QueuedJob> {
    let (id, tenant) = (row.get("id")?, TenantId(row.get("tenant_id")?));
    let (kind, job, state) = (row.get("kind")?, row.get("job")?, row.get::<String>("state")?);
    let (run_at, attempts, lost) = (row.time("run_at")?, row.get("attempts")?, row.get("lost")?);
    let (worker, lease_until) = (row.get("worker")?, row.time_opt("lease_until")?);
    let state = JobState::of(&state, lease_until, now);
    Ok(QueuedJob {
        id,
        tenant,
        kind,
        job,
        state,
        run_at,
        attempts,
        lost,
        worker,
        lease_until,
        error: row.get("error")?,
        request_id: row.get("request_id")?,
        created_at: row.time("created_at")?,
        finished_at: row.time_opt("finished_at")?,
    })
}

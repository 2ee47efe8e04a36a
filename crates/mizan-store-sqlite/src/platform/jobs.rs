//! The worker's side of the outbox: claiming, prolonging and ending jobs. A job is held while its lease runs
//! and its token is the last one given out.

use mizan_core::{Job, TenantId, Timestamp};
use mizan_store::Result;
use mizan_store::outbox::{ClaimedJob, JobEnd, QueueDepth};
use rusqlite::{Connection, params};

use crate::cells::{Cells, stamp};
use crate::statement::{all, count, execute, execute_one, first, statements, value};

statements! {
    ANY_DUE = "
        SELECT EXISTS (
            SELECT 1 FROM outbox
            WHERE state = 'ready' AND run_at <= ?1 AND (lease_until IS NULL OR lease_until < ?1))";

    CLAIM_JOBS = "
        UPDATE outbox
        SET attempts = attempts + 1, token = token + 1, lost = coalesce(lost, 0) + (lease_until IS NOT NULL), lease_until = ?2,
            worker = ?3
        WHERE id IN (
            SELECT id FROM outbox
            WHERE state = 'ready' AND run_at <= ?1 AND (lease_until IS NULL OR lease_until < ?1)
            ORDER BY run_at, id LIMIT ?4)
        RETURNING id, tenant_id, attempts, token, request_id, created_at, run_at, lost, job";

    /// What the relay found due is due, also where this machine's clock is behind the relay's.
    CLAIM_LISTED = "
        UPDATE outbox
        SET attempts = attempts + 1, token = token + 1, lost = coalesce(lost, 0) + (lease_until IS NOT NULL), lease_until = ?2,
            worker = ?3
        WHERE id IN (SELECT value FROM json_each(?4))
          AND state = 'ready' AND (run_at <= ?1 OR relayed_at >= run_at) AND (lease_until IS NULL OR lease_until < ?1)
        RETURNING id, tenant_id, attempts, token, request_id, created_at, run_at, lost, job";

    CLAIM_JOBS_OF = "
        UPDATE outbox
        SET attempts = attempts + 1, token = token + 1, lost = coalesce(lost, 0) + (lease_until IS NOT NULL),
            lease_until = ?2, worker = ?3
        WHERE id IN (
            SELECT id FROM outbox
            WHERE state = 'ready' AND run_at <= ?1 AND (lease_until IS NULL OR lease_until < ?1) AND kind = ?5
            ORDER BY run_at, id LIMIT ?4)
        RETURNING id, tenant_id, attempts, token, request_id, created_at, run_at, lost, job";

    RENEW_JOB = "
        UPDATE outbox SET lease_until = ?3
        WHERE id = ?1 AND token = ?2 AND state = 'ready' AND lease_until IS NOT NULL";

    JOB_DONE = "
        UPDATE outbox SET state = 'done', finished_at = ?3, lease_until = NULL, worker = NULL, error = NULL
        WHERE id = ?1 AND token = ?2 AND state = 'ready' AND lease_until IS NOT NULL";

    JOB_AGAIN = "
        UPDATE outbox SET run_at = ?3, error = ?4, lease_until = NULL, worker = NULL, relayed_at = NULL
        WHERE id = ?1 AND token = ?2 AND state = 'ready' AND lease_until IS NOT NULL";

    HAND_BACK = "
        UPDATE outbox
        SET run_at = ?3, lease_until = NULL, worker = NULL, relayed_at = NULL, attempts = attempts - 1
        WHERE id = ?1 AND token = ?2 AND state = 'ready' AND lease_until IS NOT NULL";

    JOB_DEAD = "
        UPDATE outbox SET state = 'dead', finished_at = ?3, error = ?4, lease_until = NULL, worker = NULL
        WHERE id = ?1 AND token = ?2 AND state = 'ready' AND lease_until IS NOT NULL";

    /// Waiting work only: what a worker holds is not ready.
    READY_JOBS = "
        SELECT count(*), min(run_at)
        FROM outbox
        WHERE state = 'ready' AND run_at <= ?1 AND (lease_until IS NULL OR lease_until < ?1)";

    RUNNING_JOBS = "SELECT count(*) FROM outbox WHERE state = 'ready' AND lease_until >= ?1";

    DEAD_JOBS = "SELECT count(*) FROM outbox WHERE state = 'dead'";

    NEXT_JOB_AT = "SELECT min(run_at) FROM outbox WHERE state = 'ready' AND lease_until IS NULL";

    DELETE_DONE_JOBS = "
        DELETE FROM outbox
        WHERE id IN (SELECT id FROM outbox WHERE state = 'done' AND finished_at < ?1 ORDER BY finished_at LIMIT ?2)";
}

pub(super) fn any_due(db: &Connection, now: Timestamp) -> Result<bool> {
    value(db, &ANY_DUE, [stamp(now)])
}

/// A claimed row. `job` is the text that cannot be read where it is no job.
struct Claimed {
    run_at: Timestamp,
    claim: Result<ClaimedJob, (i64, i64, String)>,
}

/// Claims jobs. One that cannot be read is put with the dead at once, so that it does not hold up the others.
pub(super) fn claim(
    db: &Connection,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedJob>> {
    let params = params![stamp(now), stamp(lease_until), worker, limit];
    let rows = all(db, &CLAIM_JOBS, params, "outbox", claimed_row)?;
    readable(db, now, rows)
}

pub(super) fn claim_of(
    db: &Connection,
    kind: &str,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedJob>> {
    let params = params![stamp(now), stamp(lease_until), worker, limit, kind];
    let rows = all(db, &CLAIM_JOBS_OF, params, "outbox", claimed_row)?;
    readable(db, now, rows)
}

/// Claims those of these jobs that are due and that nobody holds.
pub(super) fn claim_listed(
    db: &Connection,
    worker: &str,
    ids: &[i64],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<ClaimedJob>> {
    let params = params![stamp(now), stamp(lease_until), worker, listed(ids)];
    let rows = all(db, &CLAIM_LISTED, params, "outbox", claimed_row)?;
    readable(db, now, rows)
}

/// Ids as a JSON array, for `json_each`.
pub(super) fn listed(ids: &[i64]) -> String {
    let texts: Vec<_> = ids.iter().map(i64::to_string).collect();
    format!("[{}]", texts.join(","))
}

fn readable(db: &Connection, now: Timestamp, mut rows: Vec<Claimed>) -> Result<Vec<ClaimedJob>> {
    rows.sort_by_key(|it| (it.run_at, it.id()));
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        match row.claim {
            Ok(job) => jobs.push(job),
            Err((id, token, problem)) => {
                tracing::error!(job = id, problem, "a job of the outbox cannot be read");
                execute_one(db, &JOB_DEAD, params![id, token, stamp(now), problem])?;
            }
        }
    }
    Ok(jobs)
}

impl Claimed {
    fn id(&self) -> i64 {
        match &self.claim {
            Ok(job) => job.id,
            Err((id, ..)) => *id,
        }
    }
}

fn claimed_row(row: &mut Cells<'_>) -> Result<Claimed> {
    let (id, tenant) = (row.get("id")?, TenantId(row.get("tenant_id")?));
    let (attempt, token) = (row.get("attempts")?, row.get("token")?);
    let (request_id, created_at) = (row.get("request_id")?, row.time("created_at")?);
    let (run_at, lost) = (row.time("run_at")?, row.get("lost")?);
    let job = row.read("job", |json: String| serde_json::from_str::<Job>(&json));
    let claim = match job {
        Ok(job) => Ok(ClaimedJob {
            id,
            tenant,
            job,
            attempt,
            token,
            request_id,
            created_at,
            run_at,
            lost,
        }),
        Err(error) => Err((id, token, error.to_string())),
    };
    Ok(Claimed { run_at, claim })
}

pub(super) fn renew(db: &Connection, id: i64, token: i64, lease_until: Timestamp) -> Result<bool> {
    Ok(execute(db, &RENEW_JOB, params![id, token, stamp(lease_until)])? == 1)
}

pub(super) fn end(db: &Connection, id: i64, token: i64, end: &JobEnd, at: Timestamp) -> Result<bool> {
    let touched = match end {
        JobEnd::Done => execute(db, &JOB_DONE, params![id, token, stamp(at)])?,
        JobEnd::Again { at, error } => execute(db, &JOB_AGAIN, params![id, token, stamp(*at), error])?,
        JobEnd::HandedBack => execute(db, &HAND_BACK, params![id, token, stamp(at)])?,
        JobEnd::Dead { error } => execute(db, &JOB_DEAD, params![id, token, stamp(at), error])?,
    };
    Ok(touched == 1)
}

pub(super) fn depth(db: &Connection, now: Timestamp) -> Result<QueueDepth> {
    let ready = first(db, &READY_JOBS, [stamp(now)], "outbox", |row| {
        Ok((row.get::<i64>("count")?.unsigned_abs(), row.time_opt("run_at")?))
    })?;
    let (ready, oldest) = ready.unwrap_or_default();
    let waited = oldest.map_or(0, |it| (now - it).num_seconds());
    Ok(QueueDepth {
        ready,
        running: count(db, &RUNNING_JOBS, [stamp(now)])?,
        dead: count(db, &DEAD_JOBS, [])?,
        oldest_ready_s: u64::try_from(waited).unwrap_or(0),
    })
}

pub(super) fn next_at(db: &Connection) -> Result<Option<Timestamp>> {
    let next = first(db, &NEXT_JOB_AT, [], "outbox", |row| row.time_opt("run_at"))?;
    Ok(next.flatten())
}

pub(super) fn delete_done(db: &Connection, before: Timestamp, limit: u32) -> Result<u64> {
    execute(db, &DELETE_DONE_JOBS, params![stamp(before), limit])
}

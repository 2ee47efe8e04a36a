//! The outbox: jobs as rows, claimed with a lease and a fencing token.

pub(crate) mod relay;
pub(crate) mod shown;

use async_trait::async_trait;
use mizan_core::{Job, TenantId, Timestamp};
use mizan_store::outbox::{ClaimedJob, Held, JobEnd, NewJob, Outbox, QueueDepth};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::record::{Record, column};
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    ENQUEUE = "INSERT INTO outbox (tenant_id, kind, job, run_at, request_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)";
    ENQUEUE_ALL = "INSERT INTO outbox (tenant_id, kind, job, run_at, request_id, created_at)
         SELECT $1, rows.* FROM unnest(
             $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::timestamptz[]) AS rows";
    /// Rivals skip each other's rows. The rows are picked once, before any of them is changed.
    CLAIM = "WITH due AS MATERIALIZED (
             SELECT id FROM outbox
             WHERE state = 'ready' AND run_at <= $2 AND (lease_until IS NULL OR lease_until < $2)
             ORDER BY run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED
         ), claimed AS (
             UPDATE outbox o
             SET worker = $1, lease_until = $3, token = o.token + 1, attempts = o.attempts + 1,
                 lost = coalesce(o.lost, 0) + (o.lease_until IS NOT NULL)::int
             FROM due WHERE o.id = due.id
             RETURNING o.id, o.tenant_id, o.job, o.attempts, o.token, o.request_id, o.created_at, o.run_at, o.lost
         )
         SELECT * FROM claimed ORDER BY run_at, id";
    CLAIM_OF = "WITH due AS MATERIALIZED (
             SELECT id FROM outbox
             WHERE state = 'ready' AND run_at <= $2 AND (lease_until IS NULL OR lease_until < $2) AND kind = $5
             ORDER BY run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED
         ), claimed AS (
             UPDATE outbox o
             SET worker = $1, lease_until = $3, token = o.token + 1, attempts = o.attempts + 1,
                 lost = coalesce(o.lost, 0) + (o.lease_until IS NOT NULL)::int
             FROM due WHERE o.id = due.id
             RETURNING o.id, o.tenant_id, o.job, o.attempts, o.token, o.request_id, o.created_at, o.run_at, o.lost
         )
         SELECT * FROM claimed ORDER BY run_at, id";
    DONE_ALL = "UPDATE outbox o SET state = 'done', lease_until = NULL, error = NULL, finished_at = $4
         FROM unnest($2::bigint[], $3::bigint[]) AS held (id, token)
         WHERE o.id = held.id AND o.token = held.token AND o.tenant_id = $1 AND o.state = 'ready'
           AND o.lease_until IS NOT NULL";
    /// What the relay found due is due, also where this machine's clock is behind the relay's.
    CLAIM_LISTED = "WITH due AS MATERIALIZED (
             SELECT id FROM outbox
             WHERE id = ANY($4) AND state = 'ready' AND (run_at <= $2 OR relayed_at >= run_at)
               AND (lease_until IS NULL OR lease_until < $2)
             ORDER BY id FOR UPDATE SKIP LOCKED
         ), claimed AS (
             UPDATE outbox o
             SET worker = $1, lease_until = $3, token = o.token + 1, attempts = o.attempts + 1,
                 lost = coalesce(o.lost, 0) + (o.lease_until IS NOT NULL)::int
             FROM due WHERE o.id = due.id
             RETURNING o.id, o.tenant_id, o.job, o.attempts, o.token, o.request_id, o.created_at, o.run_at, o.lost
         )
         SELECT * FROM claimed ORDER BY run_at, id";
    HOLD = "SELECT id FROM outbox
         WHERE tenant_id = $1 AND id = $2 AND token = $3 AND state = 'ready' AND lease_until IS NOT NULL
         FOR NO KEY UPDATE";
    RENEW = "UPDATE outbox SET lease_until = $3
         WHERE id = $1 AND token = $2 AND state = 'ready' AND lease_until IS NOT NULL";
    DONE = "UPDATE outbox SET state = 'done', lease_until = NULL, error = NULL, finished_at = $3
         WHERE id = $1 AND token = $2 AND state = 'ready' AND lease_until IS NOT NULL";
    AGAIN = "UPDATE outbox SET run_at = $3, lease_until = NULL, error = $4, relayed_at = NULL
         WHERE id = $1 AND token = $2 AND state = 'ready' AND lease_until IS NOT NULL";
    HAND_BACK = "UPDATE outbox SET run_at = $3, lease_until = NULL, relayed_at = NULL, attempts = attempts - 1
         WHERE id = $1 AND token = $2 AND state = 'ready' AND lease_until IS NOT NULL";
    DEAD = "UPDATE outbox SET state = 'dead', lease_until = NULL, error = $4, finished_at = $3
         WHERE id = $1 AND token = $2 AND state = 'ready' AND lease_until IS NOT NULL";
    DEPTH = "SELECT (SELECT count(*) FROM outbox
                 WHERE state = 'ready' AND run_at <= $1 AND (lease_until IS NULL OR lease_until < $1)) AS ready,
                (SELECT count(*) FROM outbox WHERE state = 'ready' AND lease_until >= $1) AS running,
                (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead,
                (SELECT min(run_at) FROM outbox
                 WHERE state = 'ready' AND run_at <= $1 AND (lease_until IS NULL OR lease_until < $1)) AS oldest";
    NEXT = "SELECT min(run_at) AS next FROM outbox WHERE state = 'ready' AND lease_until IS NULL";
    DELETE_DONE = "DELETE FROM outbox WHERE id IN (
             SELECT id FROM outbox WHERE state = 'done' AND finished_at < $1 ORDER BY finished_at LIMIT $2)";
}

#[async_trait]
impl Outbox for PgTx {
    async fn enqueue(&mut self, new: &NewJob) -> Result<()> {
        let job = serde_json::to_string(&new.job).map_err(|error| StoreError::Database(Box::new(error)))?;
        let inserted = self
            .session
            .execute(
                ENQUEUE,
                &[
                    &self.tenant,
                    &new.job.kind(),
                    &job,
                    &new.run_at,
                    &new.request_id,
                    &new.created_at,
                ],
            )
            .await?;
        StoreError::expect_rows("outbox::ENQUEUE", 1, inserted)
    }

    async fn enqueue_all(&mut self, new: &[NewJob]) -> Result<()> {
        let jobs = new
            .iter()
            .map(|it| serde_json::to_string(&it.job))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        let inserted = self
            .session
            .execute(
                ENQUEUE_ALL,
                &[
                    &self.tenant,
                    &column(new, |it| it.job.kind()),
                    &jobs,
                    &column(new, |it| it.run_at),
                    &column(new, |it| it.request_id.as_deref()),
                    &column(new, |it| it.created_at),
                ],
            )
            .await?;
        StoreError::expect_rows("outbox::ENQUEUE_ALL", new.len() as u64, inserted)
    }

    async fn end_done(&mut self, held: &[Held], at: Timestamp) -> Result<u64> {
        let (ids, tokens) = (column(held, |it| it.id), column(held, |it| it.token));
        self.session
            .execute(DONE_ALL, &[&self.tenant, &ids, &tokens, &at])
            .await
    }

    async fn hold_job(&mut self, id: i64, token: i64) -> Result<bool> {
        let held = self.session.row(HOLD, &[&self.tenant, &id, &token]).await?;
        Ok(held.is_some())
    }
}

/// A claimed row, or what is needed to bury it if its job cannot be read.
enum Claimed {
    Job(ClaimedJob),
    Unreadable { id: i64, token: i64, error: String },
}

fn claimed(row: &Row) -> Result<Claimed> {
    let record = Record::new(row, "outbox", "id");
    let (id, token) = (record.get("id")?, record.get("token")?);
    let job: Job = match serde_json::from_str(record.get("job")?) {
        Ok(job) => job,
        Err(error) => {
            let error = record.corrupt("job", &error).to_string();
            return Ok(Claimed::Unreadable { id, token, error });
        }
    };
    Ok(Claimed::Job(ClaimedJob {
        id,
        tenant: TenantId(record.get("tenant_id")?),
        job,
        attempt: record.get("attempts")?,
        token,
        request_id: record.get("request_id")?,
        created_at: record.get("created_at")?,
        run_at: record.get("run_at")?,
        lost: record.get("lost")?,
    }))
}

pub(crate) async fn claim(
    session: &Session,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedJob>> {
    let rows = session
        .rows(CLAIM, &[&worker, &now, &lease_until, &i64::from(limit)])
        .await?;
    readable(session, now, &rows).await
}

pub(crate) async fn claim_of(
    session: &Session,
    kind: &'static str,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
    limit: u32,
) -> Result<Vec<ClaimedJob>> {
    let rows = session
        .rows(CLAIM_OF, &[&worker, &now, &lease_until, &i64::from(limit), &kind])
        .await?;
    readable(session, now, &rows).await
}

pub(crate) async fn claim_listed(
    session: &Session,
    worker: &str,
    ids: &[i64],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<ClaimedJob>> {
    let rows = session
        .rows(CLAIM_LISTED, &[&worker, &now, &lease_until, &ids])
        .await?;
    readable(session, now, &rows).await
}

async fn readable(session: &Session, now: Timestamp, rows: &[Row]) -> Result<Vec<ClaimedJob>> {
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        match claimed(row)? {
            Claimed::Job(job) => jobs.push(job),
            // One job that nobody can read must not hold up all that come after it.
            Claimed::Unreadable { id, token, error } => {
                tracing::error!(job = id, %error, "job is unreadable and goes to the dead letters");
                session.execute(DEAD, &[&id, &token, &now, &error]).await?;
            }
        }
    }
    Ok(jobs)
}

pub(crate) async fn renew(session: &Session, id: i64, token: i64, lease_until: Timestamp) -> Result<bool> {
    Ok(session.execute(RENEW, &[&id, &token, &lease_until]).await? == 1)
}

pub(crate) async fn end(session: &Session, id: i64, token: i64, end: &JobEnd, at: Timestamp) -> Result<bool> {
    let ended = match end {
        JobEnd::Done => session.execute(DONE, &[&id, &token, &at]).await?,
        JobEnd::Again { at: next, error } => session.execute(AGAIN, &[&id, &token, next, error]).await?,
        JobEnd::HandedBack => session.execute(HAND_BACK, &[&id, &token, &at]).await?,
        JobEnd::Dead { error } => session.execute(DEAD, &[&id, &token, &at, error]).await?,
    };
    Ok(ended == 1)
}

pub(crate) async fn depth(session: &Session, now: Timestamp) -> Result<QueueDepth> {
    let row = session.one(DEPTH, &[&now]).await?;
    let record = Record::new(&row, "outbox", "id");
    let oldest: Option<Timestamp> = record.get("oldest")?;
    let age = oldest.map_or(0, |it| (now - it).num_seconds());
    Ok(QueueDepth {
        ready: record.get::<i64>("ready")?.unsigned_abs(),
        running: record.get::<i64>("running")?.unsigned_abs(),
        dead: record.get::<i64>("dead")?.unsigned_abs(),
        oldest_ready_s: u64::try_from(age).unwrap_or(0),
    })
}

pub(crate) async fn next_at(session: &Session) -> Result<Option<Timestamp>> {
    let row = session.one(NEXT, &[]).await?;
    Record::new(&row, "outbox", "id").get("next")
}

pub(crate) async fn delete_done(session: &Session, before: Timestamp, limit: u32) -> Result<u64> {
    session.execute(DELETE_DONE, &[&before, &i64::from(limit)]).await
}

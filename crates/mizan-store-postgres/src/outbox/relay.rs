//! Which jobs are given to the queue, and given again when their message must be lost.

use mizan_core::Timestamp;
use mizan_store::Result;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;

/// A mark that a crash undoes costs a second message, which does no harm: the commit need not wait for the disk.
const NO_WAIT: &str = "SET LOCAL synchronous_commit = off";

statements! {
    RELAY = "WITH due AS MATERIALIZED (
             SELECT id FROM outbox
             WHERE state = 'ready' AND relayed_at IS NULL AND run_at <= $1 AND (lease_until IS NULL OR lease_until < $1)
             ORDER BY run_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
         )
         UPDATE outbox o SET relayed_at = $1 FROM due WHERE o.id = due.id RETURNING o.id, o.run_at";
    RELAY_LOST = "WITH due AS MATERIALIZED (
             SELECT id FROM outbox
             WHERE state = 'ready' AND run_at <= $1
               AND ((lease_until IS NULL AND relayed_at < $2)
                 OR (lease_until < $1 AND (relayed_at < lease_until OR relayed_at < $2)))
             ORDER BY run_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         UPDATE outbox o SET relayed_at = $1 FROM due WHERE o.id = due.id RETURNING o.id";
    UNRELAY = "UPDATE outbox SET relayed_at = NULL WHERE id = ANY($1) AND state = 'ready'";
}

pub(crate) async fn new(session: &Session, now: Timestamp, limit: u32) -> Result<Vec<(i64, Timestamp)>> {
    session.run(session.client().batch_execute(NO_WAIT)).await?;
    let rows = session.rows(RELAY, &[&now, &i64::from(limit)]).await?;
    let read = rows.iter().map(|row| {
        let record = Record::new(row, "outbox", "id");
        Ok((record.get("id")?, record.get("run_at")?))
    });
    let mut jobs = read.collect::<Result<Vec<_>>>()?;
    jobs.sort_unstable();
    Ok(jobs)
}

pub(crate) async fn lost(
    session: &Session,
    now: Timestamp,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<i64>> {
    session.run(session.client().batch_execute(NO_WAIT)).await?;
    let rows = session
        .rows(RELAY_LOST, &[&now, &before, &i64::from(limit)])
        .await?;
    let read = rows.iter().map(|row| Record::new(row, "outbox", "id").get("id"));
    let mut ids = read.collect::<Result<Vec<i64>>>()?;
    ids.sort_unstable();
    Ok(ids)
}

pub(crate) async fn take_back(session: &Session, ids: &[i64]) -> Result<u64> {
    session.execute(UNRELAY, &[&ids]).await
}

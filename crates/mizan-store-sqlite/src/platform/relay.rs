//! Which jobs are given to the queue, and given again when their message must be lost.

use mizan_core::Timestamp;
use mizan_store::Result;
use rusqlite::{Connection, params};

use super::jobs::listed;
use crate::cells::stamp;
use crate::statement::{all, execute, statements, value};

statements! {
    /// A relay that finds nothing must not stand in the way of those who write.
    ANY_TO_RELAY = "
        SELECT EXISTS (
            SELECT 1 FROM outbox
            WHERE state = 'ready' AND relayed_at IS NULL AND run_at <= ?1 AND (lease_until IS NULL OR lease_until < ?1))";

    ANY_LOST = "
        SELECT EXISTS (
            SELECT 1 FROM outbox
            WHERE state = 'ready' AND run_at <= ?1
              AND ((lease_until IS NULL AND relayed_at < ?2)
                OR (lease_until < ?1 AND (relayed_at < lease_until OR relayed_at < ?2))))";

    RELAY = "
        UPDATE outbox SET relayed_at = ?1
        WHERE id IN (
            SELECT id FROM outbox
            WHERE state = 'ready' AND relayed_at IS NULL AND run_at <= ?1 AND (lease_until IS NULL OR lease_until < ?1)
            ORDER BY run_at, id LIMIT ?2)
        RETURNING id, run_at";

    RELAY_LOST = "
        UPDATE outbox SET relayed_at = ?1
        WHERE id IN (
            SELECT id FROM outbox
            WHERE state = 'ready' AND run_at <= ?1
              AND ((lease_until IS NULL AND relayed_at < ?2)
                OR (lease_until < ?1 AND (relayed_at < lease_until OR relayed_at < ?2)))
            ORDER BY run_at, id LIMIT ?3)
        RETURNING id";

    UNRELAY = "UPDATE outbox SET relayed_at = NULL WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'ready'";
}

pub(super) fn any_new(db: &Connection, now: Timestamp) -> Result<bool> {
    value(db, &ANY_TO_RELAY, [stamp(now)])
}

pub(super) fn any_lost(db: &Connection, now: Timestamp, before: Timestamp) -> Result<bool> {
    value(db, &ANY_LOST, params![stamp(now), stamp(before)])
}

pub(super) fn new(db: &Connection, now: Timestamp, limit: u32) -> Result<Vec<(i64, Timestamp)>> {
    let params = params![stamp(now), limit];
    let mut jobs = all(db, &RELAY, params, "outbox", |row| {
        Ok((row.get("id")?, row.time("run_at")?))
    })?;
    jobs.sort_unstable();
    Ok(jobs)
}

pub(super) fn lost(db: &Connection, now: Timestamp, before: Timestamp, limit: u32) -> Result<Vec<i64>> {
    let params = params![stamp(now), stamp(before), limit];
    let mut ids = all(db, &RELAY_LOST, params, "outbox", |row| row.get("id"))?;
    ids.sort_unstable();
    Ok(ids)
}

pub(super) fn take_back(db: &Connection, ids: &[i64]) -> Result<u64> {
    execute(db, &UNRELAY, params![listed(ids)])
}

//! The run lock: one advisory lock for each database, held by the session that migrates.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use mizan_store::migrate::MigrateError;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::refused;

/// `mizan` in ASCII.
pub(super) const KEY: i64 = 0x6d_69_7a_61_6e;

const BETWEEN_TRIES: Duration = Duration::from_millis(100);

const TRY: &str = "SELECT pg_try_advisory_lock($1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";
const HOLDER: &str = "\
SELECT a.pid, a.application_name, a.usename::text, a.client_addr::text, a.backend_start
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.objsubid = 1
  AND l.classid = (($1::bigint >> 32) & 4294967295)::oid
  AND l.objid = ($1::bigint & 4294967295)::oid";
const STILL_MINE: &str = "\
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory'
      AND granted
      AND pid = pg_backend_pid()
      AND objsubid = 1
      AND classid = (($1::bigint >> 32) & 4294967295)::oid
      AND objid = ($1::bigint & 4294967295)::oid)";

/// Asks again and again, so that the wait ends at the deadline and can say who is in the way.
pub(super) async fn take(client: &Client, deadline: Duration) -> Result<(), MigrateError> {
    let until = Instant::now() + deadline;
    loop {
        let row = client.query_one(TRY, &[&KEY]).await.map_err(refused)?;
        if row.get(0) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(MigrateError::LockHeld {
                holder: holder(client).await?,
                waited: deadline,
            });
        }
        sleep(BETWEEN_TRIES.min(until - Instant::now())).await;
    }
}

pub(super) async fn give_back(client: &Client) -> Result<(), MigrateError> {
    let row = client.query_one(UNLOCK, &[&KEY]).await.map_err(refused)?;
    if !row.get::<_, bool>(0) {
        tracing::warn!("the migration lock was gone before it was given back");
    }
    Ok(())
}

/// Whether the session that answers is the one that took the lock: a pooler may have changed it.
pub(super) async fn check_still_mine(client: &Client) -> Result<(), MigrateError> {
    let row = client.query_one(STILL_MINE, &[&KEY]).await.map_err(refused)?;
    if row.get(0) {
        Ok(())
    } else {
        Err(MigrateError::LockLost)
    }
}

/// `pid 4711, mizan-migrate, user mizan at 10.0.0.7, connected since 2026-01-02T03:04:05Z`.
async fn holder(client: &Client) -> Result<String, MigrateError> {
    let Some(row) = client.query_opt(HOLDER, &[&KEY]).await.map_err(refused)? else {
        return Ok("a session that ended at this moment".to_owned());
    };
    let text = |index| row.get::<_, Option<String>>(index).filter(|it| !it.is_empty());
    let (pid, name) = (row.get::<_, i32>(0), text(1));
    // Without the right to see other users' sessions, PostgreSQL tells only the pid and the user.
    let since = row.get::<_, Option<DateTime<Utc>>>(4);
    let words = [
        Some(format!(
            "pid {pid}, {}",
            name.as_deref().unwrap_or("no application name")
        )),
        text(2).map(|it| format!(", user {it}")),
        text(3).map(|it| format!(" at {it}")),
        since.map(|it| {
            format!(
                ", connected since {}",
                it.to_rfc3339_opts(SecondsFormat::Secs, true)
            )
        }),
    ];
    Ok(words.into_iter().flatten().collect())
}

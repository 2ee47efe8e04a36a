//! The log lines of state changes: `db connected`, `redis ping ok`, `redis ping failed`, each once, with the masked
//! target and the kind of error.

use super::readiness::Probe;
use super::report::{Check, Checks, Report};

/// Logs what is not as it was at the check before; everything at the first one.
pub(super) fn log_changes(
    db_probe: &dyn Probe,
    redis_probe: Option<&dyn Probe>,
    before: Option<&Report>,
    now: &Report,
) {
    let changed = |pick: fn(&Checks) -> &Check| {
        let seen = pick(&now.checks);
        (before.map(|it| pick(&it.checks).detail) != Some(seen.detail)).then_some(seen)
    };
    if let Some(db) = changed(|it| &it.db) {
        let (target, error_kind) = (db_probe.target(), db.detail.as_str());
        if db.ok {
            tracing::info!(event = "db.connected", target_masked = target, "db connected");
        } else {
            tracing::error!(
                event = "db.failed",
                target_masked = target,
                error_kind,
                "db connection failed"
            );
        }
    }
    if let (Some(redis), Some(probe)) = (changed(|it| &it.redis), redis_probe) {
        let (target, error_kind) = (probe.target(), redis.detail.as_str());
        if redis.ok {
            tracing::info!(event = "redis.ping", target_masked = target, "redis ping ok");
        } else {
            tracing::error!(
                event = "redis.ping",
                target_masked = target,
                error_kind,
                "redis ping failed"
            );
        }
    }
    if let Some(migrations) = changed(|it| &it.migrations) {
        let detail = migrations.detail.as_str();
        if migrations.ok {
            tracing::info!(event = "migrations.state", detail, "migrations are at head");
        } else {
            tracing::error!(event = "migrations.state", detail, "migrations are not at head");
        }
    }
}

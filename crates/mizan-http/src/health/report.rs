//! What a check of everything found, and the two forms in which it is told.

use mizan_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::readiness::Detail;
use crate::state::VersionInfo;

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReadyCheck)]
pub struct Check {
    pub ok: bool,
    /// `connected`, `unreachable`, `timeout`, `auth_failed`, `not_configured`; of migrations `head`, `behind`,
    /// `ahead`, `diverged`, `unknown`.
    #[schema(value_type = String)]
    pub detail: Detail,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// The revisions that are applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Vec<String>>,
    /// The newest revision of this build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReadyChecks)]
pub struct Checks {
    pub db: Check,
    pub redis: Check,
    pub migrations: Check,
}

/// What one run of the checks found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub ok: bool,
    pub checks: Checks,
}

/// The reply of `/api/ready`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ok` or `fail`
    status: &'static str,
    checks: Checks,
    dependencies: Dependencies,
    version: String,
    git_sha: String,
}

/// The same in fewer words: `connected`, `unreachable` or `not_configured`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadyDependencies)]
pub struct Dependencies {
    database: &'static str,
    redis: &'static str,
    migrations: &'static str,
}

impl Report {
    pub(crate) fn ready(&self, ok: bool, version: &VersionInfo) -> Ready {
        Ready {
            status: if ok { "ok" } else { "fail" },
            checks: self.checks.clone(),
            dependencies: Dependencies {
                database: dependency(self.checks.db.detail),
                redis: dependency(self.checks.redis.detail),
                migrations: self.checks.migrations.detail.as_str(),
            },
            version: version.version.clone(),
            git_sha: version.git_sha.clone(),
        }
    }

    pub(crate) fn health_json(&self, ok: bool, version: &VersionInfo, now: Timestamp) -> Value {
        let pass = |ok: bool| if ok { "pass" } else { "fail" };
        let store = |id: &str, it: &Check| {
            json!([{
                "componentId": id, "componentType": "datastore", "status": pass(it.ok), "output": it.detail.as_str(),
                "observedValue": it.latency_ms, "observedUnit": "ms", "time": now,
            }])
        };
        let migrations = &self.checks.migrations;
        json!({
            "status": pass(ok),
            "version": version.version,
            "releaseId": version.git_sha,
            "serviceId": "mizan",
            "checks": {
                "db:responseTime": store("db", &self.checks.db),
                "redis:responseTime": store("redis", &self.checks.redis),
                "migrations:revision": [{
                    "componentId": "migrations", "componentType": "component", "status": pass(migrations.ok),
                    "output": migrations.detail.as_str(), "observedValue": migrations.current, "time": now,
                }],
            },
        })
    }
}

fn dependency(detail: Detail) -> &'static str {
    match detail {
        Detail::Connected => "connected",
        Detail::NotConfigured => "not_configured",
        _ => "unreachable",
    }
}

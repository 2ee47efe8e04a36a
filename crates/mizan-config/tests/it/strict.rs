//! Strict mode: each rule alone, then all of them at once.

use crate::{STAGING, check, over, settings};

/// One variable over the four of a release.
#[track_caller]
fn staging_with(name: &str, value: &str, expected: &[&str]) {
    check(&over(STAGING, &[(name, value)]), expected);
}

#[test]
fn what_is_missing_is_named_with_the_reason() {
    let database = "config error: DATABASE_URL is not set (required because ENV=staging)";
    let redis = "config error: REDIS_URL is not set (required because ENV=staging)";
    check(&[("ENV", "staging")], &[database, redis]);
    staging_with("DATABASE_URL", "", &[database]);
    staging_with("REDIS_URL", "   ", &[redis]);
    check(
        &[("ENV", "prod")],
        &[
            "config error: DATABASE_URL is not set (required because ENV=prod)",
            "config error: REDIS_URL is not set (required because ENV=prod)",
        ],
    );
    for on in ["1", "true", "TRUE", "True"] {
        check(
            &[("ENV", "dev"), ("CI_STRICT", on)],
            &[
                "config error: DATABASE_URL is not set (required because CI_STRICT=1)",
                "config error: REDIS_URL is not set (required because CI_STRICT=1)",
            ],
        );
    }
}

#[test]
fn only_staging_prod_and_ci_strict_are_strict() {
    for env in ["dev", "local", "test", "ci"] {
        assert!(
            !settings(&[("ENV", env), ("CI_STRICT", "0")]).mode.strict,
            "{env}"
        );
    }
    check(
        &[("ENV", "production")],
        &["config error: ENV must be one of dev, local, test, ci, staging, prod"],
    );
    check(
        &[("ENV", "PROD")],
        &["config error: ENV must be one of dev, local, test, ci, staging, prod"],
    );
    check(
        &[("CI_STRICT", "maybe")],
        &["config error: CI_STRICT must be true or false"],
    );
}

#[test]
fn a_database_of_its_own_or_a_made_up_one_is_refused() {
    let sqlite = "config error: DATABASE_URL names SQLite, which replicas cannot share \
                  (PostgreSQL is required because ENV=staging)";
    for url in [
        "sqlite://mizan.db",
        "sqlite:///srv/mizan.db",
        "sqlite+aiosqlite:///mizan.db",
        "SQLite:x",
    ] {
        staging_with("DATABASE_URL", url, &[sqlite]);
    }
    let filler =
        "config error: DATABASE_URL holds a placeholder (a real value is required because ENV=staging)";
    for url in [
        "postgresql+asyncpg://user:***@host:5432/db",
        "postgres://app:ChangeMe@db/mizan",
    ] {
        staging_with("DATABASE_URL", url, &[filler]);
    }
    staging_with("DATABASE_URL", "postgresql+asyncpg://...", &[filler]);
    staging_with(
        "DATABASE_URL",
        "mysql://db/mizan",
        &["config error: DATABASE_URL is neither a SQLite nor a PostgreSQL URL"],
    );
    staging_with(
        "DATABASE_URL",
        "nonsense",
        &["config error: DATABASE_URL is not a URL"],
    );
}

#[test]
fn a_made_up_redis_is_refused_but_the_masked_one_of_release_checks_starts() {
    let filler = "config error: REDIS_URL holds a placeholder (a real value is required because ENV=staging)";
    staging_with("REDIS_URL", "redis://...", &[filler]);
    staging_with("REDIS_URL", "redis://:changeme@cache:6379/0", &[filler]);
    staging_with("REDIS_URL", "redis://:***@127.0.0.1:1/0", &[]);
    staging_with(
        "REDIS_URL",
        "amqp://cache",
        &["config error: REDIS_URL is not a Redis URL"],
    );
}

#[test]
fn every_other_rule_names_its_variable_once() {
    staging_with(
        "RECON_RUNNER",
        "inline",
        &["config error: RECON_RUNNER is not queue (required because ENV=staging)"],
    );
    staging_with(
        "JWT_SECRET",
        "0123456789abcdef0123456789abcde",
        &["config error: JWT_SECRET is shorter than 32 bytes (not allowed because ENV=staging)"],
    );
    staging_with("JWT_SECRET", "0123456789abcdef0123456789abcdef", &[]);
    let long_filler = "changeme-changeme-changeme-changeme";
    staging_with(
        "JWT_SECRET",
        long_filler,
        &["config error: JWT_SECRET holds a placeholder (a real value is required because ENV=staging)"],
    );
    staging_with(
        "PORT",
        "0",
        &["config error: PORT must be from 1 to 65535 (required because ENV=staging)"],
    );
    staging_with(
        "MIZAN_ADMIN_PASSWORD",
        "changeme",
        &[
            "config error: MIZAN_ADMIN_PASSWORD holds a placeholder (a real value is required because ENV=staging)",
        ],
    );
    staging_with(
        "WEBHOOK_SECRET_STRIPE",
        "whsec_...",
        &[
            "config error: WEBHOOK_SECRET_STRIPE holds a placeholder (a real value is required because ENV=staging)",
        ],
    );
    let both = format!("real-secret,{}", mizan_config::MOCKPSP_TEST_SECRET);
    staging_with(
        "WEBHOOK_SECRET_MOCKPSP",
        &both,
        &[
            "config error: WEBHOOK_SECRET_MOCKPSP holds the public test secret (not allowed because ENV=staging)",
        ],
    );
}

#[test]
fn all_the_problems_are_reported_together_in_the_order_of_the_sections() {
    let vars = [
        ("ENV", "prod"),
        ("CI_STRICT", "perhaps"),
        ("DATABASE_URL", "sqlite://x.db"),
        ("RECON_RUNNER", "cron"),
        ("READY_TIMEOUT_MS", "50"),
        ("PORT", "70000"),
        ("CORS_ORIGINS", "*"),
        ("JWT_SECRET", "short"),
        ("LEDGER_SHADOW_WRITE", "2"),
        ("LEGACY_WALLET", "players"),
    ];
    check(
        &vars,
        &[
            "config error: CI_STRICT must be true or false",
            "config error: RECON_RUNNER must be one of inline, queue",
            "config error: READY_TIMEOUT_MS must be a whole number from 100 to 2000",
            "config error: PORT must be a whole number from 0 to 65535",
            "config error: CORS_ORIGINS has an item (number 1) that is not http(s)://host[:port]",
            "config error: LEGACY_WALLET names a legacy wallet, which is not available in this version",
            "config error: LEDGER_SHADOW_WRITE must be true or false",
            "config error: DATABASE_URL names SQLite, which replicas cannot share (PostgreSQL is required because ENV=prod)",
            "config error: REDIS_URL is not set (required because ENV=prod)",
            "config error: JWT_SECRET is shorter than 32 bytes (not allowed because ENV=prod)",
        ],
    );
    assert_eq!(mizan_config::Problems::EXIT_STATUS, 78);
}

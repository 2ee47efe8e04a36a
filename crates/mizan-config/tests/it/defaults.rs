//! What holds when nothing is set, and when only the four release variables are.

use std::time::Duration;

use mizan_config::{Database, Env, FirstOwner, LogFormat, MOCKPSP_TEST_SECRET, ReconRunner};

use crate::{STAGING, check_warnings, settings};

#[test]
fn an_empty_environment_is_a_working_development_setup() {
    let it = settings(&[]);
    assert_eq!((it.mode.env, it.mode.strict), (Env::Dev, false));
    assert!(matches!(&it.database, Database::Sqlite { path } if path.as_os_str() == "mizan.db"));
    assert!(it.redis.is_none());
    assert_eq!(it.recon.runner, ReconRunner::Inline);
    assert_eq!(it.ready.timeout, Duration::from_millis(800));
    assert_eq!(
        (it.listen.host.as_str(), it.listen.port, it.listen.metrics_port),
        ("127.0.0.1", 8001, None)
    );
    assert!(matches!(&it.admin.first_owner, FirstOwner::Generate { email } if email == "admin@example.com"));
    assert_eq!(it.admin.default_tenant.as_str(), "default");
    assert!(it.auth.jwt_secret.is_none());
    assert_eq!(
        it.cors.origins,
        ["http://localhost:3000", "http://localhost:3001"]
    );
    assert_eq!(it.webhooks.secrets("mockpsp")[0].reveal(), MOCKPSP_TEST_SECRET);
    assert!(it.webhooks.secrets("stripe").is_empty());
    assert_eq!(it.log.format, LogFormat::ByTerminal);
    assert!(it.log.is_json(false) && !it.log.is_json(true));
}

#[test]
fn the_four_release_variables_are_enough_and_bring_no_fallback() {
    let it = settings(STAGING);
    assert_eq!((it.mode.env, it.mode.strict), (Env::Staging, true));
    assert_eq!(
        it.database.masked(),
        "postgresql://app:***@db.internal:5432/mizan"
    );
    assert_eq!(
        it.redis.as_ref().map(mizan_config::Redis::masked),
        Some("redis://:***@cache.internal:6379/0")
    );
    assert_eq!(it.recon.runner, ReconRunner::Queue);
    assert!(matches!(it.admin.first_owner, FirstOwner::None));
    assert!(it.cors.origins.is_empty());
    assert!(it.webhooks.secrets("mockpsp").is_empty());
    assert!(it.log.is_json(true));
    check_warnings(
        STAGING,
        &[
            "config warning: WEBHOOK_SECRET_<PROVIDER> is not set for any provider: every webhook event is refused",
        ],
    );
}

#[test]
fn the_workers_three_variables_are_enough() {
    assert!(settings(&[STAGING[0], STAGING[2], STAGING[3]]).mode.strict);
}

#[test]
fn blank_counts_as_not_set_and_the_last_value_counts() {
    let it = settings(&[
        ("ENV", "  "),
        ("PORT", ""),
        ("HOST", "\t"),
        ("READY_TIMEOUT_MS", "100"),
        ("READY_TIMEOUT_MS", " 900 "),
    ]);
    assert_eq!(
        (it.mode.env, it.listen.port, it.listen.host.as_str()),
        (Env::Dev, 8001, "127.0.0.1")
    );
    assert_eq!(it.ready.timeout, Duration::from_millis(900));
}

#[test]
fn the_snapshot_shows_what_is_in_force_and_no_secret() {
    let vars = crate::over(
        STAGING,
        &[
            ("JWT_SECRET", "an-hmac-key-that-is-long-enough-x1"),
            ("WEBHOOK_SECRET_STRIPE_TR", "whsec_one,whsec_two"),
            ("MIZAN_ADMIN_EMAIL", "owner@acme.test"),
            ("MIZAN_ADMIN_PASSWORD", "correct horse"),
        ],
    );
    let shown = format!("{:?} {:?}", settings(&vars).snapshot(), settings(&vars));
    for secret in ["pa55", "an-hmac-key", "whsec_", "correct horse"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    for fact in [
        "(\"jwt_secret\", \"set\")",
        "WEBHOOK_SECRET_STRIPE_TR",
        "(\"strict\", \"true\")",
        "(\"port\", \"8001\")",
    ] {
        assert!(shown.contains(fact), "{fact} not in {shown}");
    }
}

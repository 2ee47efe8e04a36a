//! Strict start: every problem at once, exit 78 within a second, no value printed, and the port was never open.

use std::time::Duration;

use mizan_testkit::{Finished, MizanCommand, port};
use tokio::net::TcpStream;

use crate::harness::BINARY;

/// Values that would start, if nothing were wrong with the others. Nothing listens there.
const DATABASE: &str = "postgresql+asyncpg://mizan:pg-Secret-4711@127.0.0.1:1/mizan";
const REDIS: &str = "redis://:redis-Secret-4711@127.0.0.1:1/0";
const A_SECOND: Duration = Duration::from_secs(1);

/// Runs a command that must end within a second, while somebody knocks at its port all the time.
async fn start(args: &[&str], env: &[(&str, &str)]) -> Finished {
    let port = port::free_port().expect("a free port");
    let mut command = MizanCommand::new(BINARY).args(args).env("PORT", port.to_string());
    for (name, value) in env {
        command = command.env(name, value);
    }
    let knocking = async {
        loop {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = command.run(A_SECOND) => ended.unwrap_or_else(|error| panic!("{env:?}: {error:#}")),
        () = knocking => panic!("{env:?}: the port was open"),
    }
}

/// Expects these variables, and no others, to be complained about, in this order.
async fn check(env: &[(&str, &str)], expected: &[&str]) {
    let ended = start(&["serve"], env).await;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (78, ""),
        "{env:?}: {}",
        ended.stderr
    );
    let named: Vec<_> = ended
        .stderr
        .lines()
        .map(|it| {
            it.strip_prefix("config error: ")
                .unwrap_or_else(|| panic!("{env:?}: a line of another kind: {it}"))
        })
        .map(|it| it.split(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(named, expected, "{env:?}: {}", ended.stderr);
    for (name, value) in env
        .iter()
        .filter(|(name, value)| value.len() > 3 && *name != "ENV")
    {
        assert!(
            !ended.stderr.contains(value),
            "the value of {name} is shown: {}",
            ended.stderr
        );
    }
    assert!(
        !ended.stderr.contains("4711"),
        "a password is shown: {}",
        ended.stderr
    );
}

#[tokio::test]
async fn failfast_without_redis_no_listener() {
    let env = [("ENV", "staging"), ("CI_STRICT", "1"), ("DATABASE_URL", DATABASE)];
    check(&env, &["REDIS_URL"]).await;
    let ended = start(&["serve"], &env).await;
    assert_eq!(
        ended.stderr,
        "config error: REDIS_URL is not set (required because ENV=staging)\n"
    );
}

#[tokio::test]
async fn failfast_without_database_no_listener() {
    check(&[("ENV", "prod"), ("REDIS_URL", REDIS)], &["DATABASE_URL"]).await;
    check(
        &[("ENV", "dev"), ("CI_STRICT", "true"), ("REDIS_URL", REDIS)],
        &["DATABASE_URL"],
    )
    .await;
}

#[tokio::test]
async fn failfast_says_all_problems_at_once_and_no_value() {
    check(&[("ENV", "staging")], &["DATABASE_URL", "REDIS_URL"]).await;
    check(
        &[("ENV", "staging"), ("DATABASE_URL", ""), ("REDIS_URL", "  ")],
        &["DATABASE_URL", "REDIS_URL"],
    )
    .await;
    let mut named = start(
        &["serve"],
        &[
            ("ENV", "staging"),
            ("DATABASE_URL", "sqlite://secret-4711.db"),
            ("REDIS_URL", "http://secret-4711"),
            ("RECON_RUNNER", "inline"),
            ("JWT_SECRET", "short-4711"),
            ("READY_TIMEOUT_MS", "99"),
            ("LEDGER_ENFORCE_BALANCE", "perhaps"),
            ("WEBHOOK_SECRET_MOCKPSP", "changeme"),
            ("MIZAN_ADMIN_PASSWORD", "changeme"),
        ],
    )
    .await;
    assert_eq!(named.code, 78, "{}", named.stderr);
    named.stderr.make_ascii_lowercase();
    for variable in [
        "database_url",
        "redis_url",
        "recon_runner",
        "jwt_secret",
        "ready_timeout_ms",
        "ledger_enforce_balance",
        "webhook_secret_mockpsp",
        "mizan_admin_password",
    ] {
        assert!(
            named.stderr.contains(&format!("config error: {variable} ")),
            "{variable}: {}",
            named.stderr
        );
    }
    assert!(
        !named.stderr.contains("4711") && !named.stderr.contains("perhaps"),
        "{}",
        named.stderr
    );
}

#[tokio::test]
async fn failfast_on_every_bad_variable() {
    let strict = |name: &'static str, value: &'static str| {
        let all = [
            ("ENV", "staging"),
            ("DATABASE_URL", DATABASE),
            ("REDIS_URL", REDIS),
        ];
        let mut all: Vec<_> = all.into_iter().filter(|it| it.0 != name).collect();
        all.push((name, value));
        all
    };
    for (name, value) in [
        ("DATABASE_URL", "sqlite://mizan.db"),
        ("DATABASE_URL", "mysql://root:Secret4711@db/mizan"),
        ("DATABASE_URL", "no url at all"),
        ("DATABASE_URL", "postgresql://mizan:***@db/mizan"),
        ("DATABASE_URL", "postgresql://mizan:changeme@db/mizan"),
        ("REDIS_URL", "amqp://guest:Secret4711@mq"),
        ("REDIS_URL", "redis://:changeme@cache/0"),
        ("RECON_RUNNER", "inline"),
        ("RECON_RUNNER", "somewhere"),
        ("JWT_SECRET", "31-bytes-are-not-enough-4711-00"),
        (
            "WEBHOOK_SECRET_MOCKPSP",
            "mockpsp-test-secret-which-protects-nothing",
        ),
        ("READY_TIMEOUT_MS", "50"),
        ("READY_TIMEOUT_MS", "2001"),
        ("LEDGER_SHADOW_WRITE", "maybe"),
        ("LEGACY_WALLET", "elsewhere"),
        ("LOG_FORMAT", "xml"),
        ("CI_STRICT", "perhaps"),
    ] {
        check(&strict(name, value), &[name]).await;
    }
    check(&[("ENV", "production")], &["ENV"]).await;
    check(
        &[
            ("ENV", "dev"),
            ("DATABASE_URL", "mysql://root:Secret4711@db/mizan"),
        ],
        &["DATABASE_URL"],
    )
    .await;
}

#[tokio::test]
async fn failfast_holds_for_every_command_that_reads_the_environment() {
    for args in [
        &["start"][..],
        &["migrate", "current"],
        &["migrate", "upgrade", "head"],
        &["ledger", "verify"],
        &["admin", "rotate-keys"],
        &["doctor"],
        &[
            "recon",
            "run",
            "--provider",
            "mockpsp",
            "--window-start",
            "2026-01-01T00:00:00Z",
            "--window-end",
            "2026-01-02T00:00:00Z",
        ],
    ] {
        let ended = start(args, &[("ENV", "staging")]).await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (78, ""),
            "{args:?}: {}",
            ended.stderr
        );
        assert_eq!(ended.stderr.lines().count(), 2, "{args:?}: {}", ended.stderr);
    }
}

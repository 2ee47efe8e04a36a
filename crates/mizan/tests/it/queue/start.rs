//! How a worker starts, what it says first, and how it is asked whether it lives.

use mizan_testkit::{MizanCommand, eventually};
use serde_json::Value;

use super::{Floor, saw, stopped, strict_worker};
use crate::harness::{BINARY, PATIENCE};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_variables_are_enough_and_the_first_lines_say_what_it_works_with() {
    let floor = Floor::start().await;
    let mut worker = strict_worker(&floor.app.home.url(), &floor.redis.url())
        .args(["--concurrency", "3"])
        .spawn()
        .expect("it starts");
    saw(&worker, "taking jobs from queue").await;
    let lines = worker.stderr();
    let first: Vec<Value> = lines
        .lines()
        .take(20)
        .map(|it| serde_json::from_str(it).expect("JSON in strict mode"))
        .collect();
    let at = |message: &str| {
        let found = first
            .iter()
            .position(|it| it["message"].as_str().is_some_and(|it| it.contains(message)));
        found.unwrap_or_else(|| panic!("{message} is not in the first lines: {lines}"))
    };
    let version = at(&format!("mizan worker {} starting", env!("CARGO_PKG_VERSION")));
    assert!(version < at("redis ping ok") && at("redis ping ok") < at("taking jobs from queue"));
    let targets = &first[at("database postgresql://")];
    assert!(
        targets["redis"]
            .as_str()
            .is_some_and(|it| it.starts_with("redis://:***@127.0.0.1")),
        "{targets}"
    );
    assert!(
        targets["database"]
            .as_str()
            .is_some_and(|it| it.contains(":***@")),
        "{targets}"
    );
    let queue = &first[at("taking jobs from queue")];
    assert_eq!(
        (&queue["queue"], &queue["concurrency"]),
        (&"mizan:{jobs}:stream".into(), &3.into())
    );
    for url in [floor.app.home.url(), floor.redis.url()] {
        let password = url
            .rsplit(':')
            .nth(1)
            .and_then(|it| it.split('@').next())
            .expect("a password");
        assert!(!lines.contains(password), "a password is logged");
    }
    stopped(&mut worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_said_at_once_and_nothing_is_opened() {
    let check = async |env: &[(&str, &str)], expected: &str| {
        let mut command = MizanCommand::new(BINARY).arg("worker");
        for (name, value) in env {
            command = command.env(name, value);
        }
        let done = command.run(PATIENCE).await.expect("it ends");
        assert_eq!(done.code, 78, "{env:?}: {}", done.stderr);
        assert!(done.stderr.contains(expected), "{env:?}: {}", done.stderr);
    };
    let database = ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none");
    let redis = ("REDIS_URL", "redis://127.0.0.1:9/0");
    check(
        &[("ENV", "staging"), database],
        "config error: REDIS_URL is not set",
    )
    .await;
    check(
        &[("ENV", "staging"), redis],
        "config error: DATABASE_URL is not set",
    )
    .await;
    check(&[("ENV", "test"), database], "config error: REDIS_URL is not set").await;
    check(
        &[("ENV", "test"), database, redis, ("RECON_RUNNER", "inline")],
        "config error: RECON_RUNNER is inline",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_says_yes_while_a_worker_lives_and_no_when_none_does() {
    let floor = Floor::start().await;
    let check = async || {
        floor
            .command(&["--check", "--json"])
            .run(PATIENCE)
            .await
            .expect("it ends")
    };
    let none = check().await;
    assert_eq!(none.code, 1, "{}{}", none.stdout, none.stderr);
    let mut worker = floor.ready_worker(&["--concurrency", "2"]).await;
    let yes = eventually(PATIENCE, || async {
        let done = check().await;
        if done.code == 0 {
            Ok(done)
        } else {
            Err(done.stdout)
        }
    });
    let yes: Value = serde_json::from_str(&yes.await.expect("it lives").stdout).expect("JSON");
    assert_eq!(
        (&yes["ok"], &yes["workers"][0]["concurrency"]),
        (&true.into(), &2.into())
    );
    stopped(&mut worker).await;
    assert_eq!(check().await.code, 1, "it has said goodbye");
    floor.redis.stop().await.expect("Redis stops");
    let away = check().await;
    assert_eq!(away.code, 1);
    assert!(away.stdout.contains("cannot be reached"), "{}", away.stdout);
}

//! `mizan doctor`: what is configured, reachable and missing; masked.

use serde_json::Value;

use super::mizan;
use crate::harness::Home;

fn line<'a>(lines: &'a Value, what: &str) -> &'a Value {
    let all = lines.as_array().expect("a list of lines");
    all.iter()
        .find(|it| it["what"] == what)
        .unwrap_or_else(|| panic!("no line about {what}: {lines}"))
}

#[tokio::test]
async fn a_migrated_postgres_is_fine_and_its_password_is_not_shown() {
    let home = Home::postgres().await;
    let url = home.url();
    let ended = mizan(&["doctor", "--json"], &[("DATABASE_URL", &url)]).await;
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let lines: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    for what in ["database", "migrations", "journal", "redis"] {
        assert_eq!(line(&lines, what)["ok"], true, "{lines}");
    }
    assert!(
        line(&lines, "journal")["says"]
            .as_str()
            .is_some_and(|it| it.starts_with("append-only")),
        "{lines}"
    );
    let password = url
        .split(':')
        .nth(2)
        .and_then(|it| it.split('@').next())
        .expect("a password");
    assert!(
        !ended.stdout.contains(password) && !ended.stderr.contains(password),
        "the password is shown"
    );
}

#[tokio::test]
async fn what_is_missing_is_said_with_exit_1() {
    let home = Home::empty_postgres().await;
    let ended = mizan(&["doctor", "--json"], &[("DATABASE_URL", &home.url())]).await;
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let lines: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(line(&lines, "migrations")["ok"], false, "{lines}");

    let home = Home::sqlite();
    let secret = "a-redis-password-of-this-test";
    let redis = format!("redis://:{secret}@127.0.0.1:1/0");
    let ended = mizan(
        &["doctor"],
        &[("DATABASE_URL", &home.url()), ("REDIS_URL", &redis)],
    )
    .await;
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended
            .stdout
            .lines()
            .any(|it| it.starts_with("LOOK") && it.contains("unreachable")),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains(secret), "the password is shown");
}

//! `/api/ready` while the servers behind it stop, hang and come back.

use std::time::Duration;

use mizan_store_postgres::migrate::REVISIONS;
use mizan_testkit::{MizanCommand, Persistence, Reply, TestApp, eventually, port, shared_redis};
use serde_json::{Value, json};

use super::{Staging, serve, strict};
use crate::harness::{BINARY, Home, PATIENCE};

/// What a Kubernetes probe waits, and a little for this machine.
const PROBE: Duration = Duration::from_millis(1_200);

/// One probe, which has to be answered in time whatever the answer is.
async fn probe(app: &TestApp) -> Reply {
    tokio::time::timeout(PROBE, app.get("/api/ready"))
        .await
        .expect("a probe is answered in 1.2 s")
}

/// Probes until the status is this one; every single probe is answered in time.
async fn becomes(app: &TestApp, status: u16) -> Value {
    let seen = eventually(PATIENCE, || async {
        let reply = probe(app).await;
        if reply.status == status {
            Ok(reply.body)
        } else {
            Err(reply.text)
        }
    });
    seen.await
        .unwrap_or_else(|error| panic!("never {status}: {error}"))
}

fn details(body: &Value) -> [&str; 3] {
    ["db", "redis", "migrations"].map(|it| body["checks"][it]["detail"].as_str().unwrap_or_default())
}

fn dependencies(body: &Value) -> [&str; 3] {
    ["database", "redis", "migrations"].map(|it| body["dependencies"][it].as_str().unwrap_or_default())
}

/// Both answers have this shape and nothing else: no text of an error, no host, no URL.
fn check_shape(body: &Value) {
    let mut plain = body.clone();
    for check in ["db", "redis"] {
        assert!(plain["checks"][check]["latency_ms"].take().is_u64(), "{body}");
        plain["checks"][check]["detail"].take();
        plain["checks"][check]["ok"].take();
    }
    let head = plain["checks"]["migrations"]["head"].clone();
    assert!(head.as_array().is_some_and(|it| it.len() == 1), "{body}");
    for name in ["ok", "detail", "current", "head", "latency_ms"] {
        if let Some(it) = plain["checks"]["migrations"].get_mut(name) {
            it.take();
        }
    }
    for name in ["status", "version", "git_sha"] {
        assert!(plain[name].take().is_string(), "{body}");
    }
    plain["dependencies"] = Value::Null;
    let small = json!({ "ok": null, "detail": null, "latency_ms": null });
    let migrations = plain["checks"]["migrations"].as_object().expect("an object");
    assert!(
        migrations
            .keys()
            .all(|it| ["ok", "detail", "current", "head", "latency_ms"].contains(&it.as_str())),
        "{body}"
    );
    assert_eq!(
        (&plain["checks"]["db"], &plain["checks"]["redis"]),
        (&small, &small),
        "{body}"
    );
    assert_eq!(plain.as_object().map(serde_json::Map::len), Some(5), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_variables_are_enough_and_redis_that_stops_or_hangs_is_503_until_it_is_back() {
    let service = Staging::start().await;
    let first = probe(&service.app).await.expect(200);
    assert_eq!(first.header("Cache-Control"), "no-store");
    check_shape(&first.body);
    assert_eq!(first.body["status"], "ok");
    assert_eq!(details(&first.body), ["connected", "connected", "head"]);
    assert_eq!(dependencies(&first.body), ["connected", "connected", "head"]);

    service.redis.stop().await.expect("Redis stops");
    let gone = tokio::time::timeout(Duration::from_secs(1), becomes(&service.app, 503)).await;
    let gone = gone.expect("503 within a second");
    check_shape(&gone);
    assert_eq!(
        (details(&gone), dependencies(&gone)[1]),
        (["connected", "unreachable", "head"], "unreachable")
    );
    service
        .redis
        .restart(Persistence::None)
        .await
        .expect("Redis starts again");
    becomes(&service.app, 200).await;

    service.redis.pause().await.expect("Redis hangs");
    let hung = becomes(&service.app, 503).await;
    assert_eq!(
        (details(&hung), dependencies(&hung)[1]),
        (["connected", "timeout", "head"], "unreachable")
    );
    service.redis.resume().expect("Redis goes on");
    becomes(&service.app, 200).await;
    for line in ["redis ping ok", "redis ping failed"] {
        service
            .process
            .wait_for_line(line, PATIENCE)
            .await
            .expect("changes are logged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_hangs_or_dies_is_503_until_it_is_back_and_health_stays_200() {
    let service = Staging::start().await;
    service.postgres.pause().await.expect("PostgreSQL hangs");
    let hung = becomes(&service.app, 503).await;
    check_shape(&hung);
    assert_eq!(
        (details(&hung)[0], dependencies(&hung)[0]),
        ("timeout", "unreachable")
    );
    for path in ["/api/health", "/api/version"] {
        let reply = tokio::time::timeout(PROBE, service.app.get(path))
            .await
            .expect("touches nothing");
        reply.expect(200);
    }
    service.postgres.resume().expect("PostgreSQL goes on");
    becomes(&service.app, 200).await;

    service.postgres.kill9().await.expect("PostgreSQL is killed");
    let dead = becomes(&service.app, 503).await;
    assert_eq!(details(&dead)[0], "unreachable");
    let login = json!({ "email": "a@example.com", "password": "some password" });
    service
        .app
        .post("/api/v1/auth/login", login)
        .await
        .expect_error(503, "DATABASE_UNAVAILABLE");
    service.app.get("/api/health").await.expect(200);
    service.postgres.restart().await.expect("PostgreSQL starts again");
    becomes(&service.app, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_that_are_behind_are_503_and_said_so() {
    let service = Staging::start().await;
    service.migrate("downgrade -1").await;
    let behind = becomes(&service.app, 503).await;
    check_shape(&behind);
    assert_eq!(details(&behind), ["connected", "connected", "behind"]);
    assert_ne!(
        behind["checks"]["migrations"]["current"],
        behind["checks"]["migrations"]["head"]
    );
    service.migrate("upgrade head").await;
    let head = becomes(&service.app, 200).await;
    assert_eq!(
        head["checks"]["migrations"]["current"],
        head["checks"]["migrations"]["head"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_masked_redis_url_of_a_release_check_starts_and_is_not_ready() {
    let home = Home::postgres().await;
    let url = home.url().replace("postgresql://", "postgresql+asyncpg://");
    let (app, process) = serve(&strict(&url, "redis://:***@127.0.0.1:1/0"));
    process
        .wait_for_line("redis ping failed", PATIENCE)
        .await
        .expect("the failure is logged");
    let body = becomes(&app, 503).await;
    check_shape(&body);
    assert_eq!(
        (dependencies(&body), &body["status"]),
        (["connected", "unreachable", "head"], &json!("fail"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_strict_mode_a_redis_that_is_not_configured_does_not_count() {
    let app = crate::harness::sqlite().await;
    let body = becomes(&app, 200).await;
    assert_eq!(
        (details(&body), dependencies(&body)[1]),
        (["connected", "not_configured", "head"], "not_configured")
    );
    let health = [("Accept", "application/health+json")];
    let reply = app.get_with("/api/ready", &health).await.expect(200);
    assert_eq!(
        (reply.header("Content-Type"), &reply.body["status"]),
        ("application/health+json", &json!("pass"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_login_is_told_from_a_server_that_is_away() {
    let home = Home::postgres().await;
    let url = home.url();
    let password = url
        .split(':')
        .nth(2)
        .and_then(|it| it.split('@').next())
        .expect("a password")
        .to_owned();
    let command = MizanCommand::new(BINARY)
        .env("ENV", "test")
        .env("DATABASE_URL", url.replace(&password, "not-the-one"));
    let (app, _process) = serve(&command);
    let up = eventually(PATIENCE, || async {
        app.try_send(app.request(reqwest::Method::GET, "/api/health"))
            .await
            .is_ok()
    });
    up.await.expect("it serves");
    let body = becomes(&app, 503).await;
    assert_eq!(
        (details(&body)[0], dependencies(&body)[0]),
        ("auth_failed", "unreachable")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_entry_of_a_container_migrates_an_empty_database_and_serves() {
    let (home, redis) = tokio::join!(Home::empty_postgres(), shared_redis());
    let redis = redis
        .expect("Redis starts")
        .fresh_url()
        .expect("a database of it");
    let command = strict(&home.url(), &redis);
    let port = port::free_port().expect("a free port").to_string();
    let both = [0, 1].map(|offset| {
        let port = if offset == 0 { port.as_str() } else { "0" };
        command
            .clone()
            .args(["start", "--port", port])
            .spawn()
            .expect("the binary starts")
    });
    let base = format!("http://127.0.0.1:{port}");
    both[0]
        .wait_ready(&base, PATIENCE)
        .await
        .expect("it migrates and serves");
    both[1]
        .wait_for_line("service.listening", PATIENCE)
        .await
        .expect("a replica that starts at the same time waits for the migration");
    let upgrades: usize = both
        .iter()
        .map(|it| it.transcript().matches("Running upgrade").count())
        .sum();
    assert_eq!(upgrades, REVISIONS.len(), "each revision ran once");
    becomes(&TestApp::new(base), 200).await;
}

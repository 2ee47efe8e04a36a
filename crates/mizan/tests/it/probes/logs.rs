//! What is logged at boot: one event each, all fields kept in JSON, and no secret anywhere.

use mizan_testkit::{Signal, on_every_store, shared_redis};
use serde_json::{Value, json};

use crate::harness::{Home, Mizan, OWNER, PASSWORD, PATIENCE, SECRET};
use crate::verbs::event;

const JWT: &str = "a-token-signing-secret-of-these-tests-4711";

fn events(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|it| !it.is_empty());
    lines
        .map(|it| serde_json::from_str(it).unwrap_or_else(|_| panic!("a line that is not JSON: {it}")))
        .collect()
}

fn find<'a>(all: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<_> = all.iter().filter(|it| it["event"] == name).collect();
    assert_eq!(found.len(), 1, "{name} is logged once");
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boot_says_what_runs_with_what_and_shows_no_secret() {
    let redis = shared_redis()
        .await
        .expect("Redis starts")
        .fresh_url()
        .expect("a database of it");
    let home = Home::postgres().await;
    let url = home.url();
    let env = [
        ("REDIS_URL", redis.as_str()),
        ("JWT_SECRET", JWT),
        ("LEDGER_SHADOW_WRITE", "True"),
        ("LEDGER_TYPO", "1"),
    ];
    let app = Mizan::start(home, &env).await;
    for name in ["db.connected", "redis.ping"] {
        app.process
            .wait_for_line(name, PATIENCE)
            .await
            .expect("it is logged");
    }
    let all = events(&app.process.stderr());
    let boot = find(&all, "service.boot");
    assert_eq!(
        (&boot["service"], &boot["environment"], &boot["strict"]),
        (&json!("mizan"), &json!("test"), &json!(false))
    );
    assert_eq!(boot["version"], env!("CARGO_PKG_VERSION"));
    let snapshot = find(&all, "config.snapshot").to_string();
    assert!(
        snapshot.contains("postgresql://mizan:***@127.0.0.1") && snapshot.contains("redis://:***@127.0.0.1"),
        "{snapshot}"
    );
    let flags = find(&all, "flags.effective").to_string();
    for part in ["ledger_shadow_write", "webhook_signature_enforced", "source"] {
        assert!(flags.to_lowercase().contains(part), "{part}: {flags}");
    }
    find(&all, "db.connected");
    assert_eq!(find(&all, "redis.ping")["message"], "redis ping ok");
    assert!(find(&all, "config.warning").to_string().contains("LEDGER_TYPO"));

    let password = |url: &str| {
        url.rsplit(':')
            .nth(1)
            .and_then(|it| it.split('@').next())
            .expect("a password")
            .to_owned()
    };
    let shown = app.process.transcript();
    for (name, secret) in [
        ("the database's password", password(&url).as_str()),
        ("the password of Redis", &password(&redis)),
        ("JWT_SECRET", JWT),
        ("the first owner's password", PASSWORD),
        ("the webhook secret", SECRET),
    ] {
        assert!(!shown.contains(secret), "{name} is shown");
    }
    assert!(
        shown.contains("redis://:***@127.0.0.1"),
        "targets are shown, masked"
    );
}

on_every_store! {
    async fn nothing_that_was_sent_in_confidence_is_logged(app: Mizan) {
        let player = app.player_with("50.00").await;
        player.withdraw("10.00").await.expect(200);
        let mut paid = event("deposit_captured", "evt-1", "pay-1", &player.id, "1.00");
        paid["card"] = "4111111111111111".into();
        app.webhook(&paid).await;
        app.anonymous().post("/api/v1/auth/login", json!({ "email": OWNER, "password": "guess-4711-secret" })).await;
        let form = json!({ "name": "shop", "scopes": ["ledger:read"] });
        let key = app.post("/api/v1/admin/api-keys", form).await.expect(201).body["key"].clone();
        let key = key.as_str().expect("a key");
        app.with_token(key).get("/api/v1/ledger/accounts").await.expect(200);
        app.with_token("eyJhbGciOiJIUzI1NiJ9.secret-4711.x").get("/api/v1/flags").await.expect(401);
        app.process.signal(Signal::SIGTERM).expect("it is told to stop");
        app.process.wait_for_line("service.stopped", PATIENCE).await.expect("it stops");
        let shown = app.process.transcript();
        events(&app.process.stderr());
        for secret in ["TR330006100519786457841326", "4111111111111111", "4711", PASSWORD, SECRET, key] {
            assert!(!shown.contains(secret), "{secret} is logged");
        }
    }
}

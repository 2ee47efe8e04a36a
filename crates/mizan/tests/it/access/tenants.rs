//! What belongs to another tenant is not there: not by id, not in a list, not by a header.

use mizan_core::TransactionId;
use mizan_testkit::{TestApp, on_every_store};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Mizan;
use crate::ledger::{TRANSACTIONS, leg, post, transfer};
use crate::verbs::{event, new_key};

/// One object of each kind of the default tenant: the beginning of its paths, and its id.
async fn objects(app: &Mizan) -> Vec<(&'static str, String)> {
    let player = app.player_with("10.00").await;
    let withdrawal = player.withdrawal("4.00").await;
    app.open_source("bank").await;
    let account = app.open("till").await;
    let posted = transfer("bank", "till", "1.00");
    post(app, &posted).await.expect(201);
    let staff = json!({ "email": "eve@example.com", "password": "a long password", "role": "ops" });
    let staff = app.post("/api/v1/admin/staff", staff).await.expect(201);
    let key = json!({ "name": "shop", "scopes": ["ledger:read"] });
    let key = app.post("/api/v1/admin/api-keys", key).await.expect(201);
    app.webhook(&event("deposit_captured", "evt-1", "pay-1", &player.id, "1.00"))
        .await
        .expect(200);
    app.event_state("evt-1").await;
    let inbox = app.get("/api/v1/payments/webhooks").await.expect(200);
    let run = json!({
        "provider": "mockpsp", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z",
    });
    let run = app.post("/api/v1/reconciliation/runs", run).await.expect(200);
    let finding = finding(app).await;
    let id = |it: &Value| it.as_str().expect("an id").to_owned();
    vec![
        ("/api/v1/players", player.id),
        ("/api/v1/finance/withdrawals", withdrawal),
        ("/api/v1/ledger/accounts", account.to_string()),
        (TRANSACTIONS, id(&posted["id"])),
        ("/api/v1/admin/staff", id(&staff.body["id"])),
        ("/api/v1/admin/api-keys", id(&key.body["id"])),
        ("/api/v1/payments/webhooks", id(&inbox.body["items"][0]["id"])),
        ("/api/v1/reconciliation/runs", id(&run.body["id"])),
        ("/api/v1/reconciliation/findings", finding.clone()),
        ("/api/v1/payments/reconciliation/findings", finding),
    ]
}

/// A refund that the wallet could not cover is a finding.
async fn finding(app: &Mizan) -> String {
    let player = app.player().await;
    let paid = event("deposit_captured", "evt-2", "pay-2", &player.id, "5.00");
    app.webhook(&paid).await.expect(200);
    app.event_state("evt-2").await;
    player.withdraw("5.00").await.expect(200);
    let refunded = event("deposit_refunded", "evt-3", "pay-2", &player.id, "5.00");
    app.webhook(&refunded).await.expect(200);
    app.event_state("evt-3").await;
    let found = app.items("/api/v1/reconciliation/findings").await;
    found[0]["id"].as_str().expect("an id").to_owned()
}

/// A body that the route would take, if the object were the caller's.
fn good_body(path: &str) -> Value {
    match path.rsplit('/').next().unwrap_or_default() {
        "review" if path.contains("/kyc/") => json!({ "status": "approved" }),
        "review" => json!({ "action": "reject", "reason": "not theirs to reject" }),
        "reverse" => json!({ "reason": "not theirs to reverse" }),
        "resolve" | "ignore" | "reopen" | "reject" => json!({ "reason": "not theirs to settle" }),
        "comments" => json!({ "text": "not theirs to talk about" }),
        "assign" => json!({ "staff_id": null }),
        "adjustments" => {
            json!({ "debit": "adjustments", "credit": "psp_clearing:mockpsp", "amount": "1.00", "reason": "not theirs" })
        }
        _ => json!({}),
    }
}

async fn ask(app: &TestApp, method: &str, path: &str) -> mizan_testkit::Reply {
    let method: Method = method.parse().expect("a method");
    let request = app
        .request(method.clone(), path)
        .header("Idempotency-Key", TransactionId::new().to_string());
    let plain = method == Method::GET || method == Method::DELETE;
    app.send(if plain {
        request
    } else {
        request.json(&good_body(path))
    })
    .await
}

on_every_store! {
    async fn objects_of_another_tenant_are_not_found_on_any_route(app: Mizan) {
        let objects = objects(&app).await;
        app.tenant("acme").await;
        let foreign = app.staff_of("acme", "owner").await;
        let mut asked = 0;
        for route in mizan_http::routes_table() {
            let placed = objects.iter().find(|(base, _)| route.path.strip_prefix(base).is_some_and(|it| it.starts_with("/{id}")));
            let path = match placed {
                Some((_, id)) => route.path.replace("{id}", id),
                None if route.path.contains("{player_id}") => route.path.replace("{player_id}", &objects[0].1),
                None => continue,
            };
            let reply = ask(&foreign, route.method, &path).await;
            assert_eq!(reply.status, 404, "{} {path}: {}", route.method, reply.text);
            assert!(reply.error_code().ends_with("_NOT_FOUND"), "{}", reply.text);
            asked += 1;
        }
        assert!(asked >= 28, "only {asked} routes have an object of this test");
        for (base, id) in &objects {
            let listed = foreign.get(base).await;
            assert!(!listed.text.contains(id.as_str()) || listed.status == 405, "{base} shows {id}: {}", listed.text);
        }
        let audit = foreign.get("/api/v1/audit?limit=200").await.expect(200);
        assert!(objects.iter().all(|(_, id)| id.len() < 10 || !audit.text.contains(id.as_str())), "{}", audit.text);
        app.verify_holds().await;
    }

    async fn accounts_of_another_tenant_cannot_be_posted_to(app: Mizan) {
        app.open_source("bank").await;
        let till = app.open("till").await;
        app.tenant("acme").await;
        let foreign = app.staff_of("acme", "owner").await;
        let body = json!({ "id": TransactionId::new(), "transfers": [leg("bank", "till", "1.00")] });
        foreign.post_with(TRANSACTIONS, body.clone(), &new_key()).await.expect_error(404, "ACCOUNT_NOT_FOUND");
        assert_eq!(app.holds(till).await, "0.00");
        // The same codes and ids of the other tenant's own are other accounts and transactions.
        for form in [json!({ "code": "bank", "may_go_negative": true }), json!({ "code": "till" })] {
            foreign.post("/api/v1/ledger/accounts", form).await.expect(201);
        }
        let once = [("Idempotency-Key", "the-same-key")];
        foreign.post_with(TRANSACTIONS, body.clone(), &once).await.expect(201);
        app.post_with(TRANSACTIONS, body, &once).await.expect(201);
        assert_eq!((app.holds(till).await, app.journal_rows().await), ("1.00".into(), 2));
        app.verify_holds().await;
    }

    async fn only_the_platform_owner_acts_for_another_tenant(app: Mizan) {
        app.tenant("acme").await;
        let path = "/api/v1/ledger/accounts";
        let acme = [("X-Tenant", "acme")];
        app.post_with(path, json!({ "code": "till" }), &acme).await.expect(201);
        assert_eq!(app.get(path).await.expect(200).body["items"], json!([]), "it is acme's");
        assert_eq!(app.get_with(path, &acme).await.expect(200).body["items"][0]["code"], "till");
        app.get_with(path, &[("X-Tenant", "nobody")]).await.expect_error(404, "TENANT_NOT_FOUND");
        app.get_with(path, &[("X-Tenant", "' OR 1=1 --")]).await.expect_error(404, "TENANT_NOT_FOUND");

        for role in ["owner", "finance", "ops", "auditor"] {
            let staff = app.staff(role).await;
            staff.get_with(path, &acme).await.expect_error(403, "FORBIDDEN");
            staff.get_with(path, &[("X-Tenant", "default")]).await.expect(200);
        }
        let player = app.player().await.app;
        player.get_with("/api/v1/player/wallet", &acme).await.expect_error(403, "FORBIDDEN");
        let ops = app.staff("ops").await;
        let flag = json!({ "value": true, "reason": "not ours to set", "tenant_id": "acme" });
        ops.put("/api/v1/flags/ledger_shadow_write", flag).await.expect_error(403, "FORBIDDEN");
    }

    async fn a_player_sees_and_cancels_only_what_is_the_own(app: Mizan) {
        let (ada, bob) = (app.player_with("10.00").await, app.player_with("10.00").await);
        let withdrawal = ada.withdrawal("4.00").await;
        let path = format!("/api/v1/player/withdrawals/{withdrawal}/cancel");
        bob.app.post(&path, json!({})).await.expect_error(404, "WITHDRAWAL_NOT_FOUND");
        let listed = bob.app.get("/api/v1/player/withdrawals").await.expect(200);
        assert!(!listed.text.contains(&withdrawal), "{}", listed.text);
        assert_eq!(ada.balance().await, ("6.00".into(), "4.00".into()));
        ada.app.post(&path, json!({})).await.expect(200);
        assert_eq!(ada.balance().await, ("10.00".into(), "0.00".into()));
    }
}

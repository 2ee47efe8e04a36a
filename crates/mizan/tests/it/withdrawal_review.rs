//! Who may review a withdrawal, under which conditions, and what is written down of it.

use mizan_testkit::{TestApp, on_every_store};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Mizan, PASSWORD, sign_in};
use crate::psp::Psp;
use crate::verbs::{event, new_key};

async fn review(by: &TestApp, id: &str, body: Value) -> mizan_testkit::Reply {
    by.post(&format!("/api/v1/finance/withdrawals/{id}/review"), body)
        .await
}

on_every_store! {
    async fn a_rejection_needs_a_reason_and_keeps_it(app: Mizan) {
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        for body in [
            json!({ "action": "reject" }),
            json!({ "action": "reject", "reason": null }),
            json!({ "action": "reject", "reason": "  " }),
            json!({ "action": "reject", "reason": "x".repeat(501) }),
            json!({ "action": "refuse", "reason": "no such action" }),
            json!({ "reason": "no action" }),
            json!({ "action": "reject", "reason": "an unknown field", "state": "paid" }),
        ] {
            review(&app, &id, body).await.expect_error(422, "VALIDATION_FAILED");
        }
        assert_eq!(app.shown(&id).await["state"], "requested");
        assert_eq!(player.balance().await.1, "4.00");
        let reply = review(&app, &id, json!({ "action": "reject", "reason": " a stolen card " })).await.expect(200);
        assert_eq!((&reply.body["state"], &reply.body["reason"]), (&json!("rejected"), &json!("a stolen card")));
        assert_eq!(player.balance().await, ("10.00".into(), "0.00".into()));
    }

    /// One person with a player's account and one of staff, the second under the same address in other letters.
    async fn the_one_who_asked_may_not_approve(app: Mizan) {
        let both = |email: &str| json!({ "email": email, "password": PASSWORD });
        let mut staff = both("Grace@Example.com");
        staff["role"] = json!("finance");
        app.post("/api/v1/admin/staff", staff).await.expect(201);
        let grace = app.with_token(sign_in(&app.anonymous(), "grace@example.com").await);
        let mut player = both("grace@example.COM");
        player["username"] = json!("grace");
        app.anonymous().post("/api/v1/auth/player/register", player).await.expect(201);
        let signed_in = app.anonymous().post("/api/v1/auth/player/login", both("grace@example.com")).await.expect(200);
        let as_player = app.with_token(signed_in.body["access_token"].as_str().expect("a token"));
        let deposit = json!({ "amount": "10.00", "method": "test" });
        as_player.post_with("/api/v1/player/wallet/deposit", deposit, &new_key()).await.expect(200);
        let withdraw = json!({ "amount": "4.00", "method": "iban", "address": "TR330006100519786457841326" });
        let asked = as_player.post_with("/api/v1/player/wallet/withdraw", withdraw, &new_key()).await.expect(200);
        let id = asked.body["transaction"]["id"].as_str().expect("an id");

        app.tell(&grace, id, "approve").await.expect_error(403, "APPROVER_IS_REQUESTER");
        assert_eq!(app.shown(id).await["state"], "requested");
        app.tell(&as_player, id, "approve").await.expect_error(403, "FORBIDDEN");
        app.tell(&app, id, "approve").await.expect(200);
        assert_eq!(app.shown(id).await["state"], "approved");
    }

    async fn only_finance_and_owners_decide(app: Mizan) {
        let id = app.player_with("10.00").await.withdrawal("4.00").await;
        for role in ["ops", "auditor"] {
            let by = app.staff(role).await;
            for command in ["approve", "reject", "cancel", "payout", "mark-paid", "retry"] {
                app.tell(&by, &id, command).await.expect_error(403, "FORBIDDEN");
                app.tell(&app.anonymous(), &id, command).await.expect_error(401, "NOT_AUTHENTICATED");
            }
        }
        assert_eq!(app.shown(&id).await["state"], "requested");
    }

    async fn a_tenant_that_demands_documents_holds_nothing_without_them(app: Mizan) {
        let player = app.player_with("10.00").await;
        let demand = |required: bool| app.put("/api/v1/admin/tenant/kyc", json!({ "required": required }));
        demand(true).await.expect(200);
        let review = |status: &'static str| {
            app.post(format!("/api/v1/kyc/documents/{}/review", player.id).leak(), json!({ "status": status }))
        };
        player.withdraw("1.00").await.expect_error(403, "KYC_REQUIRED");
        for status in ["pending", "rejected"] {
            review(status).await.expect(200);
            player.withdraw("1.00").await.expect_error(403, "KYC_REQUIRED");
        }
        assert_eq!(player.balance().await, ("10.00".into(), "0.00".into()));
        review("approved").await.expect(200);
        player.withdraw("1.00").await.expect(200);
        review("rejected").await.expect(200);
        player.withdraw("1.00").await.expect_error(403, "KYC_REQUIRED");
        demand(false).await.expect(200);
        player.withdraw("1.00").await.expect(200);
        assert_eq!(player.balance().await, ("8.00".into(), "2.00".into()));
    }

    async fn every_step_is_in_the_audit_log_with_who_from_to_why_and_which_request(app: Mizan) {
        let mut app = app;
        let _psp = Psp::beside(&mut app, Vec::new()).await;
        let finance = app.staff("finance").await;
        let me = app.items("/api/v1/admin/staff").await.into_iter().find(|it| it["role"] == "finance");
        let me = format!("staff:{}", me.expect("finance is listed")["id"].as_str().expect("an id"));
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        let step = |path: String, body: Value, request: &str| {
            finance.send(finance.request(Method::POST, &path).header("X-Request-Id", request).json(&body))
        };
        let of = |verb: &str| format!("/api/v1/finance/withdrawals/{id}/{verb}");
        step(of("review"), json!({ "action": "approve", "reason": "known player" }), "req-approve").await.expect(200);
        step(of("payout"), json!({}), "req-payout").await.expect(200);
        app.wait_for_state(&id, "paid").await;

        let rows = app.audit_of(&id).await;
        let seen: Vec<_> = rows.iter().map(|it| (&it["action"], &it["from_state"], &it["to_state"])).collect();
        assert_eq!(seen, [
            (&json!("withdrawal.request"), &Value::Null, &json!("requested")),
            (&json!("withdrawal.approve"), &json!("requested"), &json!("approved")),
            (&json!("withdrawal.start_payout"), &json!("approved"), &json!("payout_pending")),
            (&json!("withdrawal.paid"), &json!("payout_pending"), &json!("paid")),
        ]);
        assert_eq!(rows[0]["actor"], format!("player:{}", player.id));
        for (row, request) in rows[1..3].iter().zip(["req-approve", "req-payout"]) {
            assert_eq!((&row["actor"], &row["actor_role"]), (&json!(me), &json!("finance")));
            assert_eq!(row["request_id"], request);
        }
        assert_eq!(rows[1]["reason"], "known player");
        assert!(rows[3]["actor"].as_str().is_some_and(|it| it.starts_with("system:")), "{}", rows[3]);
        assert!(rows.iter().all(|it| it["at"].is_string() && it["request_id"].is_string()), "{rows:?}");
    }

    /// The reason of an approval is not carried into later rows as theirs.
    async fn a_rejection_by_another_tells_its_own_story(app: Mizan) {
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        let finance = app.staff("finance").await;
        review(&app, &id, json!({ "action": "approve", "reason": "first look" })).await.expect(200);
        app.tell(&finance, &id, "payout").await.expect(200);
        app.wait_for_state(&id, "payout_unknown").await;
        let mut failed = event("withdraw_failed", "evt-failed", "out-1", &player.id, "4.00");
        failed["tx_id"] = json!(id);
        app.webhook(&failed).await.expect(200);
        app.wait_for_state(&id, "payout_failed").await;
        review(&finance, &id, json!({ "action": "reject", "reason": "second look" })).await.expect(200);

        let shown = app.shown(&id).await;
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("rejected"), &json!("second look")));
        let rows = app.audit_of(&id).await;
        let step = |row: &'_ Value| (row["to_state"].as_str().unwrap_or_default().to_owned(), row["reason"].clone());
        let reasons: Vec<_> = rows.iter().map(step).collect();
        assert!(reasons.contains(&("approved".into(), json!("first look"))), "{reasons:?}");
        assert!(reasons.contains(&("rejected".into(), json!("second look"))), "{reasons:?}");
        assert!(reasons.contains(&("payout_pending".into(), Value::Null)), "{reasons:?}");
        assert!(reasons.contains(&("payout_failed".into(), json!("the provider said so"))), "{reasons:?}");
    }
}

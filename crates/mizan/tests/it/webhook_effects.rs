//! What an authentic event does, may not do, and leaves for people; and what applying it again does.

use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use crate::harness::Mizan;
use crate::verbs::{Player, event};

impl Mizan {
    /// A player of whom the provider captured a payment `pay-1`.
    async fn player_paid(&self, amount: &str) -> Player {
        let player = self.player().await;
        self.webhook(&event(
            "deposit_captured",
            "evt-captured",
            "pay-1",
            &player.id,
            amount,
        ))
        .await
        .expect(200);
        assert_eq!(self.event_state("evt-captured").await, "applied");
        player
    }

    async fn replay(&self, event_id: &str, body: Value) -> Value {
        let id = self.event(event_id).await.expect("a stored event")["id"].clone();
        let path = format!("/api/v1/payments/webhooks/{}/replay", id.as_str().expect("an id"));
        self.post(&path, body).await.expect(200).body
    }
}

on_every_store! {
    async fn a_refund_larger_than_the_wallet_becomes_a_receivable_and_a_finding(app: Mizan) {
        let player = app.player_paid("10.00").await;
        player.withdraw("8.00").await.expect(200);
        app.webhook(&event("deposit_charged_back", "evt-back", "pay-1", &player.id, "10.00")).await.expect(200);
        assert_eq!(app.event_state("evt-back").await, "applied");

        assert_eq!(player.balance().await, ("0.00".into(), "8.00".into()), "never negative, and holds stay");
        let owed = format!("wallet:{}:receivable", player.id);
        assert_eq!(app.account(&owed).await.as_deref(), Some("-8.00"));
        assert_eq!(app.account("psp_clearing:mockpsp").await.as_deref(), Some("0.00"));
        let found = app.findings_of("evt-back").await;
        assert_eq!(found.len(), 1);
        assert_eq!(
            [&found[0]["finding_type"], &found[0]["status"], &found[0]["statement_amount"], &found[0]["ledger_amount"]],
            ["amount_mismatch", "OPEN", "10.00", "2.00"],
        );
        assert!(found[0]["transaction_id"].is_string());
        app.expect_sound_ledger().await;
    }

    async fn no_more_is_given_back_than_was_captured(app: Mizan) {
        let player = app.player_paid("10.00").await;
        player.deposit("50.00").await.expect(200);
        for (event_id, kind, amount, state) in [
            ("evt-more", "deposit_refunded", "10.01", "failed"),
            ("evt-all", "deposit_refunded", "6.00", "applied"),
            ("evt-rest", "deposit_charged_back", "4.01", "failed"),
            ("evt-fits", "deposit_charged_back", "4.00", "applied"),
            ("evt-cent", "deposit_refunded", "0.01", "failed"),
        ] {
            app.webhook(&event(kind, event_id, "pay-1", &player.id, amount)).await.expect(200);
            assert_eq!(app.event_state(event_id).await, state, "{event_id}");
            assert_eq!(app.findings_of(event_id).await.len(), usize::from(state == "failed"), "{event_id}");
        }
        assert_eq!(player.balance().await.0, "50.00");
        app.expect_sound_ledger().await;
    }

    /// Each is kept with the reason, and moves nothing.
    async fn an_event_that_can_never_be_applied_is_kept_with_its_reason(app: Mizan) {
        app.tenant("globex").await;
        let stranger = app.player_of("globex").await;
        let player = app.player_paid("10.00").await;
        let nobody = "0198a000-0000-7000-8000-000000000000";
        let cases = [
            ("tenant_id", json!("globex"), "tenant"),
            ("tenant_id", json!("No Such"), "tenant_id"),
            ("player_id", json!(stranger.id), "player"),
            ("player_id", json!(nobody), "player"),
            ("player_id", Value::Null, "player"),
            ("player_id", json!("ada"), "player_id"),
            ("amount", json!("0"), "amount"),
            ("amount", json!("-1.00"), "amount"),
            ("amount", json!("1.005"), "amount"),
            ("amount", json!("1e3"), "amount"),
            ("amount", Value::Null, "amount"),
            ("currency", json!("XXX"), "currency"),
            ("currency", json!("try"), "currency"),
            ("provider_ref", json!(""), "provider_ref"),
            ("occurred_at", json!("yesterday"), "occurred_at"),
        ];
        for (no, (field, value, why)) in cases.into_iter().enumerate() {
            let event_id = format!("evt-{no}");
            let mut wrong = event("deposit_captured", &event_id, &format!("pay-x{no}"), &player.id, "10.00");
            wrong[field] = value.clone();
            app.webhook(&wrong).await.expect(200);
            let stored = app.wait_for_event(&event_id, "failed").await;
            let error = stored["error"].as_str().unwrap_or_default();
            assert!(error.contains(why), "{field}={value}: {error}");
        }
        assert_eq!(player.balance().await.0, "10.00");
        assert_eq!(stranger.balance().await.0, "0.00");
        assert_eq!(app.journal().await.len(), 1);
        app.expect_sound_ledger().await;
    }

    async fn an_event_about_another_players_payment_or_another_amount_moves_nothing(app: Mizan) {
        let player = app.player_paid("10.00").await;
        let other = app.player_with("10.00").await;
        for (no, (kind, who, amount, currency)) in [
            ("deposit_refunded", &other.id, "1.00", "TRY"),
            ("deposit_refunded", &player.id, "1.00", "EUR"),
            ("deposit_captured", &player.id, "9.99", "TRY"),
        ].into_iter().enumerate() {
            let mut wrong = event(kind, &format!("evt-{no}"), "pay-1", who, amount);
            wrong["currency"] = json!(currency);
            app.webhook(&wrong).await.expect(200);
            app.wait_for_event(&format!("evt-{no}"), "failed").await;
        }
        assert_eq!(player.balance().await.0, "10.00");
        assert_eq!(other.balance().await.0, "10.00");
        assert_eq!(app.kinds("pay-1").await, ["deposit_capture"]);
    }

    async fn events_that_nobody_acts_on_are_kept_and_ignored(app: Mizan) {
        let player = app.player().await;
        for kind in ["payment_method_updated", "settlement_available", "DEPOSIT_CAPTURED", "unknown"] {
            app.webhook(&event(kind, kind, "pay-1", &player.id, "10.00")).await.expect(200);
            app.wait_for_event(kind, "ignored").await;
        }
        let bare = json!({ "provider_event_id": "evt-bare", "event_type": "ping" });
        app.webhook(&bare).await.expect(200);
        app.wait_for_event("evt-bare", "ignored").await;
        assert_eq!(player.balance().await.0, "0.00");
        assert!(app.journal().await.is_empty());
    }

    async fn a_replay_has_no_second_effect_and_a_dry_run_none_at_all(app: Mizan) {
        let player = app.player_paid("10.00").await;
        let dry = app.replay("evt-captured", json!({ "dry_run": true })).await;
        assert_eq!([&dry["dry_run"], &dry["queued"], &dry["state"]], [&json!(true), &json!(false), &json!("applied")]);
        assert_eq!([&dry["translated"]["kind"], &dry["translated"]["amount"]], ["deposit_captured", "10.00"]);
        for _ in 0..3 {
            app.replay("evt-captured", json!({})).await;
        }
        assert_eq!(app.event_state("evt-captured").await, "applied");
        assert_eq!(player.balance().await.0, "10.00");
        assert_eq!(app.journal().await.len(), 1);
    }

    /// The player registers after the money came: what failed is applied by a replay, once.
    async fn a_replay_applies_what_could_not_be_applied_before(app: Mizan) {
        let player = app.player().await;
        let early = event("deposit_refunded", "evt-back", "pay-1", &player.id, "4.00");
        app.webhook(&early).await.expect(200);
        app.wait_for_event("evt-back", "parked").await;
        let dry = app.replay("evt-back", json!({ "dry_run": true })).await;
        assert_eq!([&dry["queued"], &dry["state"]], [&json!(false), &json!("parked")]);
        app.replay("evt-back", json!({})).await;
        app.wait_for_event("evt-back", "parked").await;
        app.webhook(&event("deposit_captured", "evt-captured", "pay-1", &player.id, "10.00")).await.expect(200);
        app.wait_for_event("evt-back", "applied").await;
        for _ in 0..2 {
            app.replay("evt-back", json!({})).await;
        }
        assert_eq!(player.balance().await.0, "6.00");
        assert_eq!(app.kinds("pay-1").await, ["deposit_capture", "deposit_refund"]);
        app.expect_sound_ledger().await;
    }

    async fn only_operations_replay_and_only_events_of_the_tenant(app: Mizan) {
        app.tenant("globex").await;
        app.player_paid("10.00").await;
        let id = app.event("evt-captured").await.expect("stored")["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/payments/webhooks/{id}/replay");
        for role in ["finance", "auditor"] {
            app.staff(role).await.post(&path, json!({})).await.expect_error(403, "FORBIDDEN");
        }
        let stranger = app.staff_of("globex", "ops").await;
        stranger.post(&path, json!({})).await.expect_error(404, "WEBHOOK_EVENT_NOT_FOUND");
        app.staff("ops").await.post(&path, json!({ "dry_run": true })).await.expect(200);
    }
}

//! Payouts through a provider that answers, refuses, fails or goes silent: one payout, whatever it does.

use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::{eventually, on_every_store};
use serde_json::{Value, json};

use crate::harness::{LEASE_AND_MORE, Mizan, PATIENCE};
use crate::psp::Psp;
use crate::verbs::{Player, event};

/// A player with 10.00, of which a withdrawal of 4.00 is approved.
pub async fn approved(app: &Mizan) -> (Player, String) {
    let player = app.player_with("10.00").await;
    let id = player.withdrawal("4.00").await;
    app.tell(app, &id, "approve").await.expect(200);
    (player, id)
}

/// What a provider says of a withdrawal of 4.00.
pub fn told(kind: &str, event_id: &str, reference: &str, player: &Player, withdrawal: &str) -> Value {
    let mut told = event(kind, event_id, reference, &player.id, "4.00");
    told["tx_id"] = json!(withdrawal);
    told
}

async fn key_of(app: &Mizan, withdrawal: &str) -> String {
    let attempts = app.attempts(withdrawal).await;
    attempts.last().expect("an attempt")["provider_key"]
        .as_str()
        .expect("a key")
        .to_owned()
}

/// Waits until the answer to one more call is written down.
async fn settled_again(app: &Mizan, withdrawal: &str) {
    let before = app.attempts(withdrawal).await.remove(0);
    let changed = eventually(PATIENCE, || async { app.attempts(withdrawal).await[0] != before });
    changed.await.expect("the attempt is touched by every answer");
}

async fn expect_paid_once(app: &Mizan, psp: &Psp, player: &Player, id: &str) {
    app.wait_for_state(id, "paid").await;
    assert_eq!(psp.paid_out().await, 1);
    assert_eq!(app.kinds(id).await, ["withdrawal_hold", "withdrawal_paid"]);
    assert_eq!(player.balance().await, ("6.00".into(), "0.00".into()));
    assert_eq!(app.account("psp_clearing:mockpsp").await.as_deref(), Some("4.00"));
    app.expect_sound_ledger().await;
}

on_every_store! {
    async fn a_payout_is_paid_when_the_provider_says_so(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.always(Fault::WebhookDelay);
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        let referenced = eventually(PATIENCE, || async { app.attempts(&id).await[0]["provider_ref"].is_string() });
        referenced.await.expect("the provider accepts");
        assert_eq!(app.shown(&id).await["state"], "payout_pending");
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()), "accepted is not paid");
        psp.release();
        expect_paid_once(&app, &psp, &player, &id).await;
        let attempts = app.attempts(&id).await;
        assert_eq!((attempts.len(), &attempts[0]["state"]), (1, &json!("paid")));
        assert!(app.shown(&id).await["paid_at"].is_string());
    }

    /// The provider accepts and never answers, and its events are lost as well.
    async fn a_provider_that_times_out_after_accepting_is_asked_and_pays_once(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.always(Fault::WebhookDelay);
        psp.once(Fault::PayoutTimeout);
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        app.wait_for_state(&id, "paid").await;
        let states: Vec<_> = app.audit_of(&id).await.iter().map(|it| it["to_state"].clone()).collect();
        assert_eq!(states, ["requested", "approved", "payout_pending", "payout_unknown", "paid"]);
        assert_eq!(psp.planted(Fault::PayoutTimeout), [key_of(&app, &id).await]);
        psp.release(); // the event comes after all
        expect_paid_once(&app, &psp, &player, &id).await;
        let late = app.items("/api/v1/payments/webhooks").await;
        assert!(late.iter().all(|it| it["state"] != "failed"), "{late:?}");
        assert!(app.items("/api/v1/reconciliation/findings").await.is_empty());
    }

    /// Also an answer that says 500 after the payout was taken is no answer.
    async fn an_error_after_accepting_leads_to_one_payout(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.once(Fault::PayoutErrorAfter);
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        expect_paid_once(&app, &psp, &player, &id).await;
        assert_eq!(app.attempts(&id).await.len(), 1);
    }

    async fn an_unknown_payout_keeps_the_hold_and_can_be_given_back_by_nobody(app: Mizan) {
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        app.wait_for_state(&id, "payout_unknown").await;
        for command in ["reject", "cancel", "mark-paid", "retry"] {
            let refused = app.tell(&app, &id, command).await.expect_error(409, "INVALID_STATE_TRANSITION");
            assert_eq!(refused.body["current_state"], "payout_unknown");
        }
        player.withdraw("6.01").await.expect_error(400, "INSUFFICIENT_FUNDS");
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold"]);
        assert!(!app.counter("mizan_payouts_unknown_total").await.is_empty());
    }

    /// The provider has an outage; the process dies in it. Every call carries the key that was stored first.
    async fn a_retry_also_after_a_restart_uses_the_same_provider_key(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.always(Fault::PayoutErrorBefore);
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        let key = key_of(&app, &id).await;
        let calls = |at_least: usize| {
            let psp = &psp;
            eventually(LEASE_AND_MORE, move || async move { psp.planted(Fault::PayoutErrorBefore).len() >= at_least })
        };
        calls(2).await.expect("it is tried again");
        settled_again(&app, &id).await; // rarely is a call under way then, whose lease would have to run out
        app.kill().await;
        let before = psp.planted(Fault::PayoutErrorBefore).len();
        app.start_again().await;
        calls(before + 1).await.expect("it is tried after the restart");
        assert_eq!(key_of(&app, &id).await, key);
        assert!(psp.planted(Fault::PayoutErrorBefore).iter().all(|it| *it == key));
        psp.never(Fault::PayoutErrorBefore);
        expect_paid_once(&app, &psp, &player, &id).await;
        assert_eq!(key_of(&app, &id).await, key);
    }

    async fn a_confirmed_failure_keeps_the_hold_and_a_new_attempt_has_its_own_key(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.once(Fault::PayoutFailure);
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        app.wait_for_state(&id, "payout_failed").await;
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold"]);
        let first = key_of(&app, &id).await;

        app.tell(&app, &id, "retry").await.expect(200);
        expect_paid_once(&app, &psp, &player, &id).await;
        assert_ne!(key_of(&app, &id).await, first);
        let attempts = app.attempts(&id).await;
        let seen: Vec<_> = attempts.iter().map(|it| (it["number"].as_i64(), it["state"].as_str())).collect();
        assert_eq!(seen, [(Some(1), Some("failed")), (Some(2), Some("paid"))]);
        assert_eq!(attempts[0]["provider_key"], first);
    }

    async fn a_failure_that_only_a_status_query_tells_of_is_as_good_as_an_event(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.once(Fault::PayoutFailure);
        psp.once(Fault::PayoutErrorAfter);
        psp.always(Fault::WebhookDelay);
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        app.wait_for_state(&id, "payout_failed").await;
        let attempt = app.attempts(&id).await.remove(0);
        assert_eq!([&attempt["state"], &attempt["error"]], ["failed", "the receiving account is closed"]);
        psp.release(); // the event says it once more
        app.tell(&app, &id, "reject").await.expect(200);
        assert_eq!(player.balance().await, ("10.00".into(), "0.00".into()));
        assert_eq!(psp.paid_out().await, 0);
        app.expect_sound_ledger().await;
    }

    async fn a_payout_needs_a_provider_that_the_tenant_has(app: Mizan) {
        let (player, id) = approved(&app).await;
        let path = format!("/api/v1/finance/withdrawals/{id}/payout");
        app.post(&path, json!({ "provider": "nobody" })).await.expect_error(400, "UNSUPPORTED_PROVIDER");
        app.post(&path, json!({ "provider": "no key!" })).await.expect_error(422, "VALIDATION_FAILED");
        app.other_connection("default", "hmac").await;
        app.post(&path, json!({})).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(app.shown(&id).await["state"], "approved");
        assert!(app.attempts(&id).await.is_empty());
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
    }
}

//! What providers say too late, too early or against what was decided: the same effects, or a finding.

use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::on_every_store;
use serde_json::json;

use crate::harness::{Mizan, NOBODY};
use crate::payouts::{approved, told};
use crate::psp::Psp;
use crate::verbs::Player;

/// A withdrawal whose payout failed for certain, and the provider's reference of the attempt.
async fn failed(app: &Mizan) -> (Player, String) {
    let (player, id) = approved(app).await;
    app.tell(app, &id, "payout").await.expect(200);
    app.webhook(&told("withdraw_failed", "evt-failed", "out-1", &player, &id))
        .await
        .expect(200);
    app.wait_for_state(&id, "payout_failed").await;
    (player, id)
}

async fn expect_finding(app: &Mizan, event_id: &str, finding_type: &str) {
    app.wait_for_event(event_id, "failed").await;
    let found = app.findings_of(event_id).await;
    let seen: Vec<_> = found
        .iter()
        .map(|it| (&it["finding_type"], &it["severity"], &it["status"]))
        .collect();
    assert_eq!(seen, [(&json!(finding_type), &json!("CRITICAL"), &json!("OPEN"))]);
}

on_every_store! {
    async fn a_success_after_a_failure_is_a_finding_and_the_hold_stays(app: Mizan) {
        let (player, id) = failed(&app).await;
        app.webhook(&told("withdraw_paid", "evt-late", "out-1", &player, &id)).await.expect(200);
        expect_finding(&app, "evt-late", "status_mismatch").await;
        assert_eq!(app.shown(&id).await["state"], "payout_failed");
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold"]);
        app.expect_sound_ledger().await;
    }

    async fn a_success_after_a_rejection_is_a_finding_and_no_silent_double_spend(app: Mizan) {
        let (player, id) = failed(&app).await;
        app.tell(&app, &id, "reject").await.expect(200);
        app.webhook(&told("withdraw_paid", "evt-late", "out-1", &player, &id)).await.expect(200);
        expect_finding(&app, "evt-late", "status_mismatch").await;
        assert_eq!(app.shown(&id).await["state"], "rejected");
        assert_eq!(player.balance().await, ("10.00".into(), "0.00".into()));
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold", "withdrawal_release"]);
        app.expect_sound_ledger().await;
    }

    async fn a_success_of_what_was_paid_by_hand_is_a_finding(app: Mizan) {
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "mark-paid").await.expect(200);
        app.webhook(&told("withdraw_paid", "evt-twice", "out-1", &player, &id)).await.expect(200);
        expect_finding(&app, "evt-twice", "status_mismatch").await;
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold", "withdrawal_paid"]);
        assert_eq!(player.balance().await, ("6.00".into(), "0.00".into()));
    }

    async fn a_failure_of_what_was_paid_is_a_finding_and_gives_nothing_back(app: Mizan) {
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        app.webhook(&told("withdraw_paid", "evt-paid", "out-1", &player, &id)).await.expect(200);
        app.wait_for_state(&id, "paid").await;
        app.webhook(&told("withdraw_failed", "evt-bounced", "out-1", &player, &id)).await.expect(200);
        expect_finding(&app, "evt-bounced", "status_mismatch").await;
        assert_eq!(app.shown(&id).await["state"], "paid");
        assert_eq!(player.balance().await, ("6.00".into(), "0.00".into()));
    }

    async fn another_amount_or_currency_than_was_asked_for_pays_nothing_and_is_a_finding(app: Mizan) {
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        for (event_id, field, value, finding) in [
            ("evt-more", "amount", "4.01", "amount_mismatch"),
            ("evt-less", "amount", "3.99", "amount_mismatch"),
            ("evt-other", "currency", "EUR", "currency_mismatch"),
        ] {
            let mut wrong = told("withdraw_paid", event_id, "out-1", &player, &id);
            wrong[field] = json!(value);
            app.webhook(&wrong).await.expect(200);
            expect_finding(&app, event_id, finding).await;
        }
        app.wait_for_state(&id, "payout_unknown").await;
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
    }

    /// A payout that is settled at once, by a status query, by an event after an outage, and by an event that
    /// came before anybody approved: the same postings between the same accounts.
    async fn a_late_resolution_has_the_same_effects_as_a_prompt_one(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        let player = app.player_with("100.00").await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(player.withdrawal("4.00").await);
        }
        let [prompt, asked, outage, early] = ids.as_slice() else { unreachable!("four were made") };
        for id in [prompt, asked, outage] {
            app.tell(&app, id, "approve").await.expect(200);
        }
        app.tell(&app, prompt, "payout").await.expect(200);
        app.wait_for_state(prompt, "paid").await;

        psp.always(Fault::WebhookDelay);
        psp.once(Fault::PayoutErrorAfter);
        app.tell(&app, asked, "payout").await.expect(200);
        app.wait_for_state(asked, "paid").await;

        app.kill().await;
        app.start_again_with(&[("MOCKPSP_URL", NOBODY)]).await;
        app.tell(&app, outage, "payout").await.expect(200);
        app.wait_for_state(outage, "payout_unknown").await;
        app.webhook(&told("withdraw_paid", "evt-outage", "out-outage", &player, outage)).await.expect(200);
        app.wait_for_state(outage, "paid").await;

        app.webhook(&told("withdraw_paid", "evt-early", "out-early", &player, early)).await.expect(200);
        app.wait_for_event("evt-early", "parked").await;
        app.tell(&app, early, "approve").await.expect(200);
        app.tell(&app, early, "payout").await.expect(200);
        app.wait_for_state(early, "paid").await;

        psp.release();
        let effects = app.postings(prompt).await;
        assert_eq!(effects.len(), 2);
        for id in &ids {
            assert_eq!(app.postings(id).await, effects, "{id}");
            let attempts = app.attempts(id).await;
            assert_eq!((attempts.len(), &attempts[0]["state"]), (1, &json!("paid")));
            assert!(attempts[0]["provider_ref"].is_string());
            assert!(app.shown(id).await["paid_at"].is_string());
        }
        assert_eq!(player.balance().await, ("84.00".into(), "0.00".into()));
        assert_eq!(app.account("psp_clearing:mockpsp").await.as_deref(), Some("16.00"));
        app.expect_sound_ledger().await;
    }

    /// Parked until its withdrawal moves, and given to people when it can never be applied.
    async fn a_success_that_came_before_a_rejection_becomes_a_finding(app: Mizan) {
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        app.webhook(&told("withdraw_paid", "evt-early", "out-1", &player, &id)).await.expect(200);
        app.wait_for_event("evt-early", "parked").await;
        assert_eq!(app.shown(&id).await["state"], "requested");
        app.tell(&app, &id, "reject").await.expect(200);
        expect_finding(&app, "evt-early", "status_mismatch").await;
        assert_eq!(player.balance().await, ("10.00".into(), "0.00".into()));
    }
}

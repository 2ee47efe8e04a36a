//! Many hands on one withdrawal: one transition, one end, one payout.

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::on_every_store;

use crate::harness::Mizan;
use crate::psp::Psp;

/// How often a state is asked for at once.
const HANDS: usize = 4;

on_every_store! {
    async fn approving_twice_at_once_is_one_transition(app: Mizan) {
        let finance = app.staff("finance").await;
        let id = app.player_with("10.00").await.withdrawal("4.00").await;
        let (app, finance, id) = (&app, &finance, id.as_str());
        let hands = (0..HANDS).flat_map(|_| [app.tell(app, id, "approve"), app.tell(finance, id, "approve")]);
        for reply in join_all(hands).await {
            assert_eq!(reply.expect(200).body["state"], "approved");
        }
        let rows = app.audit_of(id).await;
        assert_eq!(rows.iter().filter(|it| it["action"] == "withdrawal.approve").count(), 1);
    }

    async fn an_approval_that_races_a_cancel_is_one_transition(app: Mizan) {
        let player = app.player_with("10.00").await;
        for round in 0..6 {
            let id = player.withdrawal("1.00").await;
            let own = format!("/api/v1/player/withdrawals/{id}/cancel");
            let (approved, cancelled) =
                join(app.tell(&app, &id, "approve"), player.app.post(&own, serde_json::json!({}))).await;
            let state = app.shown(&id).await["state"].clone();
            let (won, lost) = if state == "approved" { (approved, cancelled) } else { (cancelled, approved) };
            assert_eq!(won.expect(200).body["state"], state, "round {round}");
            assert_eq!(lost.expect_error(409, "INVALID_STATE_TRANSITION").body["current_state"], state);
            assert_eq!(app.audit_of(&id).await.len(), 2, "a request and one step");
        }
        app.expect_sound_ledger().await;
    }

    /// Approvals, rejections, cancels, payments by hand and through a provider, each several times at once.
    async fn whatever_races_each_hold_ends_once_and_released_plus_paid_is_held(app: Mizan) {
        let mut app = app;
        let _psp = Psp::beside(&mut app, Vec::new()).await;
        let player = app.player_with("100.00").await;
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(player.withdrawal("3.00").await);
        }
        for id in &ids {
            if ids[..3].contains(id) {
                app.tell(&app, id, "approve").await.expect(200);
            }
        }
        let (app, all) = (&app, ["approve", "reject", "cancel", "mark-paid", "payout"]);
        let hands = ids.iter().flat_map(|id| all.map(|it| (0..HANDS).map(move |_| app.tell(app, id, it))));
        for reply in join_all(hands.flatten()).await {
            assert!(matches!(reply.status, 200 | 409), "{} {}", reply.status, reply.text);
        }
        for id in &ids {
            if app.shown(id).await["state"] == "approved" {
                app.tell(app, id, "mark-paid").await;
            }
            let ended = mizan_testkit::eventually(crate::harness::PATIENCE, || async {
                let state = app.shown(id).await["state"].as_str().unwrap_or_default().to_owned();
                ["rejected", "cancelled", "paid"].contains(&state.as_str()).then_some(state)
            });
            let end = if ended.await.expect("it ends") == "paid" { "withdrawal_paid" } else { "withdrawal_release" };
            assert_eq!(app.kinds(id).await, ["withdrawal_hold", end]);
        }
        let mut sums = BTreeMap::<String, i64>::new();
        for row in app.journal().await {
            let amount: i64 = row["amount_minor"].as_str().expect("minor units").parse().expect("a number");
            *sums.entry(row["kind"].as_str().expect("a kind").to_owned()).or_default() += amount;
        }
        let sum = |kind: &str| sums.get(kind).copied().unwrap_or_default();
        assert_eq!(sum("withdrawal_release") + sum("withdrawal_paid"), sum("withdrawal_hold"));
        assert_eq!(player.balance().await.1, "0.00");
        app.expect_sound_ledger().await;
    }

    async fn four_racing_payouts_make_one_attempt_and_one_entry(app: Mizan) {
        let mut app = app;
        let psp = Psp::beside(&mut app, Vec::new()).await;
        psp.always(Fault::WebhookDelay);
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        app.tell(&app, &id, "approve").await.expect(200);
        let key = crate::verbs::new_key();
        let path = format!("/api/v1/finance/withdrawals/{id}/payout");
        let replies = join_all((0..4).map(|no| {
            let (app, key, path) = (&app, &key, &path);
            async move {
                match no % 2 {
                    0 => app.post(path, serde_json::json!({})).await,
                    _ => app.post_with(path, serde_json::json!({}), key).await,
                }
            }
        }));
        for reply in replies.await {
            assert_eq!(reply.expect(200).body["state"], "payout_pending");
        }
        psp.release();
        psp.never(Fault::WebhookDelay);
        app.wait_for_state(&id, "paid").await;
        assert_eq!(app.attempts(&id).await.len(), 1);
        assert_eq!(psp.paid_out().await, 1);
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold", "withdrawal_paid"]);
        assert_eq!(player.balance().await, ("6.00".into(), "0.00".into()));
        app.expect_sound_ledger().await;
    }
}

//! Events in any order and any number: the same end, with one effect each.

use futures::future::join_all;
use mizan_testkit::{eventually, on_every_store};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use crate::harness::{Mizan, PATIENCE};
use crate::payouts::{approved, told};
use crate::verbs::{Player, event};

/// The life of one payment of 10.00, of which 5.00 are left in the end.
fn life(payment: &str, player: &Player) -> Vec<Value> {
    let said = |kind: &str, amount: &str| {
        event(
            kind,
            &format!("{payment}-{kind}-{amount}"),
            payment,
            &player.id,
            amount,
        )
    };
    vec![
        said("deposit_authorized", "10.00"),
        said("deposit_captured", "10.00"),
        said("deposit_refunded", "2.00"),
        said("deposit_refunded", "1.00"),
        said("deposit_charged_back", "2.00"),
    ]
}

/// Waits until nothing of these events is under way any more.
async fn settled(app: &Mizan, events: &[Value]) {
    let done = eventually(PATIENCE, || async {
        let stored = app.items("/api/v1/payments/webhooks?limit=200").await;
        let open = |event: &&Value| {
            let found = stored
                .iter()
                .find(|it| it["provider_event_id"] == event["provider_event_id"]);
            !found.is_some_and(|it| it["state"] == "applied" || it["state"] == "ignored")
        };
        match events.iter().find(open) {
            Some(open) => Err(format!("{open} is still open: {stored:?}")),
            None => Ok(()),
        }
    });
    done.await.expect("every event is settled");
}

/// The money that events of a payment moved.
async fn effects(app: &Mizan, payment: &str) -> Vec<(String, String)> {
    let postings = app.postings(payment).await;
    let mut seen: Vec<_> = postings.into_iter().map(|it| (it.0, it.3)).collect();
    seen.sort();
    seen
}

fn expected() -> Vec<(String, String)> {
    [
        ("deposit_capture", "1000"),
        ("deposit_chargeback", "200"),
        ("deposit_refund", "100"),
        ("deposit_refund", "200"),
    ]
    .map(|(kind, amount)| (kind.to_owned(), amount.to_owned()))
    .to_vec()
}

on_every_store! {
    async fn any_order_of_a_payments_events_ends_the_same(app: Mizan) {
        for seed in 0..8 {
            let (payment, player) = (format!("pay-{seed}"), app.player().await);
            let mut events = life(&payment, &player);
            if seed == 0 {
                events.reverse(); // the worst order, whatever the others are
            } else {
                events.shuffle(&mut StdRng::seed_from_u64(seed));
            }
            for it in &events {
                app.webhook(it).await.expect(200);
                if seed % 2 == 0 {
                    app.event_state(it["provider_event_id"].as_str().expect("an id")).await;
                }
            }
            settled(&app, &events).await;
            assert_eq!(effects(&app, &payment).await, expected(), "seed {seed}: {events:?}");
            assert_eq!(player.balance().await, ("5.00".into(), "0.00".into()), "seed {seed}");
        }
        assert_eq!(app.account("psp_clearing:mockpsp").await.as_deref(), Some("-40.00"));
        assert!(app.items("/api/v1/reconciliation/findings").await.is_empty());
        app.expect_sound_ledger().await;
    }

    async fn a_hundred_parallel_copies_of_related_events_have_one_effect_each(app: Mizan) {
        let player = app.player().await;
        let mut events: Vec<_> = life("pay-1", &player).iter().flat_map(|it| vec![it.clone(); 100]).collect();
        events.shuffle(&mut StdRng::seed_from_u64(33));
        let mut replies = Vec::new();
        for some in events.chunks(100) {
            replies.extend(join_all(some.iter().map(|it| app.webhook(it))).await);
        }
        assert!(replies.iter().all(|it| it.status == 200));
        settled(&app, &life("pay-1", &player)).await;
        assert_eq!(effects(&app, "pay-1").await, expected());
        assert_eq!(player.balance().await.0, "5.00");
        assert_eq!(app.items("/api/v1/payments/webhooks?limit=200").await.len(), 5);
        app.expect_sound_ledger().await;
    }

    /// Also the money of a payment that was called failed is money.
    async fn a_capture_after_a_failure_counts_and_a_failure_after_a_capture_does_not(app: Mizan) {
        let player = app.player().await;
        for (payment, kinds) in
            [("pay-1", ["deposit_failed", "deposit_captured"]), ("pay-2", ["deposit_captured", "deposit_failed"])]
        {
            for kind in kinds {
                let event_id = format!("{payment}-{kind}");
                app.webhook(&event(kind, &event_id, payment, &player.id, "10.00")).await.expect(200);
                app.event_state(&event_id).await;
            }
        }
        assert_eq!(player.balance().await.0, "20.00");
        app.expect_sound_ledger().await;
    }

    async fn two_captures_of_one_payment_credit_once(app: Mizan) {
        let player = app.player().await;
        let copies: Vec<_> =
            (0..10).map(|no| event("deposit_captured", &format!("evt-{no}"), "pay-1", &player.id, "10.00")).collect();
        join_all(copies.iter().map(|it| app.webhook(it))).await;
        settled(&app, &copies).await;
        assert_eq!(player.balance().await.0, "10.00");
        assert_eq!(app.kinds("pay-1").await, ["deposit_capture"]);
    }

    async fn a_hundred_copies_of_a_paid_payout_pay_once(app: Mizan) {
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        let paid = told("withdraw_paid", "evt-paid", "out-1", &player, &id);
        let other = told("withdraw_paid", "evt-paid-again", "out-1", &player, &id);
        let copies: Vec<_> = (0..100).map(|no| if no % 10 == 0 { &other } else { &paid }).collect();
        for reply in join_all(copies.iter().map(|it| app.webhook(it))).await {
            reply.expect(200);
        }
        settled(&app, &[paid, other]).await;
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold", "withdrawal_paid"]);
        assert_eq!(player.balance().await, ("6.00".into(), "0.00".into()));
        assert!(app.items("/api/v1/reconciliation/findings").await.is_empty());
        app.expect_sound_ledger().await;
    }

    /// Before the request is reviewed, before its payout starts, and once more afterwards.
    async fn paid_before_approved_waits_and_is_applied_once(app: Mizan) {
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        let paid = told("withdraw_paid", "evt-paid", "out-1", &player, &id);
        app.webhook(&paid).await.expect(200);
        let parked = app.wait_for_event("evt-paid", "parked").await;
        assert_eq!(parked["parked_on"], json!(format!("withdrawal:{id}")));
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
        for command in ["approve", "payout"] {
            app.tell(&app, &id, command).await.expect(200);
            app.webhook(&paid).await.expect(200);
        }
        app.wait_for_state(&id, "paid").await;
        app.wait_for_event("evt-paid", "applied").await;
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold", "withdrawal_paid"]);
        assert_eq!(app.attempts(&id).await.len(), 1);
        app.expect_sound_ledger().await;
    }
}

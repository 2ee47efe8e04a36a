//! Events that are kept and applied together: each as if it had come alone.

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use mizan_testkit::{Signal, on_every_store, sign_mockpsp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{LEASE_AND_MORE, Mizan, PATIENCE, SECRET};
use crate::verbs::{Player, event, unix_now};

const PATH: &str = "/api/v1/payments/webhook/mockpsp";
const TAKEN_APART: &str = "mizan_webhook_batches_taken_apart_total{step=\"keep\"}";

/// Captures of 1.00 of payments of their own.
fn captures(player: &Player, round: usize, many: usize) -> Vec<Value> {
    let one = |no| {
        let name = format!("{round}-{no}");
        event(
            "deposit_captured",
            &format!("evt-{name}"),
            &format!("pay-{name}"),
            &player.id,
            "1.00",
        )
    };
    (0..many).map(one).collect()
}

/// The status, or `None` where the server was gone.
async fn try_webhook(app: &Mizan, event: &Value) -> Option<u16> {
    let body = event.to_string();
    let anonymous = app.anonymous();
    let mut request = anonymous.request(Method::POST, PATH).body(body.clone());
    for (name, value) in sign_mockpsp(SECRET, unix_now(), body.as_bytes()) {
        request = request.header(name, value);
    }
    anonymous.try_send(request).await.ok().map(|it| it.status)
}

async fn rows(app: &Mizan) -> usize {
    let count = app.home.sql("SELECT count(*) FROM webhook_events").await;
    count.expect("the inbox is there").parse().expect("a number")
}

on_every_store! {
    /// The database refuses one of them, as it would a text that it cannot keep.
    async fn a_poisoned_event_in_a_batch_is_refused_alone(app: Mizan) {
        let player = app.player().await;
        let poison = |no: usize| event("settlement_available", &format!("poison-{no}"), "pay-x", &player.id, "1.00");
        app.webhook(&poison(99)).await.expect(200);
        app.home
            .sql("CREATE UNIQUE INDEX uq_poison ON webhook_events (event_type) WHERE provider_event_id >= 'poison'")
            .await
            .expect("the database refuses any further one");
        let mut sent = 0;
        // Which events meet in one batch is not for a test to say: until the metric tells that some did.
        for round in 0..20 {
            let mut events = captures(&player, round, 40);
            events.insert(20, poison(round));
            for (no, reply) in join_all(events.iter().map(|it| app.webhook(it))).await.into_iter().enumerate() {
                reply.expect(if no == 20 { 500 } else { 200 });
            }
            sent += 40;
            if app.get("/metrics").await.text.contains(TAKEN_APART) {
                break;
            }
        }
        assert!(app.get("/metrics").await.text.contains(TAKEN_APART), "no batch had a poisoned event in it");
        player.wait_for_available(&format!("{sent}.00")).await;
        assert_eq!(rows(&app).await, sent + 1);
        app.expect_sound_ledger().await;
    }

    /// Between store and reply, before, after: the provider sends again what it heard no reply to, and more.
    async fn what_a_killed_process_had_taken_is_known_when_it_is_sent_again(app: Mizan) {
        let mut app = app;
        let player = app.player().await;
        let events = captures(&player, 0, 60);
        let mut heard = 0;
        {
            let mut flying: FuturesUnordered<_> = events.iter().map(|it| try_webhook(&app, it)).collect();
            while let Some(status) = flying.next().await {
                heard += usize::from(status == Some(200));
                if heard == 5 {
                    app.process.signal(Signal::SIGKILL).expect("the process can be killed");
                }
            }
        }
        app.process.exit_code(PATIENCE).await.expect("the process ends");
        app.start_again().await;
        assert!(rows(&app).await >= heard, "what was acknowledged is there");
        for reply in join_all(events.iter().map(|it| app.webhook(it))).await {
            reply.expect(200);
        }
        assert_eq!(rows(&app).await, events.len(), "one row each");
        player.wait_within(LEASE_AND_MORE, "60.00").await;
        assert_eq!(app.journal().await.len(), events.len());
        app.expect_sound_ledger().await;
    }

    async fn a_server_that_is_stopped_answers_what_it_has_taken(app: Mizan) {
        let mut app = app;
        let player = app.player().await;
        let events = captures(&player, 0, 60);
        let mut heard = 0;
        {
            let mut flying: FuturesUnordered<_> = events.iter().map(|it| try_webhook(&app, it)).collect();
            while let Some(status) = flying.next().await {
                heard += usize::from(status == Some(200));
                if heard == 5 {
                    app.process.signal(Signal::SIGTERM).expect("the process can be stopped");
                }
            }
        }
        app.process.exit_code(PATIENCE).await.expect("the process ends");
        assert_eq!(rows(&app).await, heard, "what is stored was acknowledged");
        app.start_again().await;
        player.wait_within(LEASE_AND_MORE, &format!("{heard}.00")).await;
        app.expect_sound_ledger().await;
    }

    /// All at once: what wants care is left to its own story, and the others do not notice.
    async fn events_that_want_care_do_not_harm_those_applied_with_them(app: Mizan) {
        let player = app.player().await;
        let other = app.player().await;
        let mut events = captures(&player, 0, 50);
        let nobody = "0198a000-0000-7000-8000-000000000000";
        let said = |kind, id, payment, who, amount| event(kind, id, payment, who, amount);
        let mut wrong_tenant = said("deposit_captured", "evt-tenant", "pay-t", &player.id, "9.00");
        wrong_tenant["tenant_id"] = json!("globex");
        let odd = [
            (said("deposit_captured", "evt-nobody", "pay-n", nobody, "9.00"), "failed"),
            (said("deposit_captured", "evt-zero", "pay-z", &player.id, "0.00"), "failed"),
            (said("deposit_refunded", "evt-early", "pay-e", &player.id, "9.00"), "parked"),
            (said("settlement_available", "evt-ping", "pay-p", &player.id, "9.00"), "ignored"),
            (wrong_tenant, "failed"),
            (said("deposit_authorized", "evt-auth", "pay-a", &other.id, "3.00"), "applied"),
        ];
        for (no, (it, _)) in odd.iter().enumerate() {
            events.insert(no * 8, it.clone());
        }
        // The same payment three times: once is money, once is past, once is in dispute.
        events.push(said("deposit_captured", "evt-again", "pay-0-7", &player.id, "1.00"));
        events.push(said("deposit_captured", "evt-more", "pay-0-8", &other.id, "1.00"));
        for reply in join_all(events.iter().map(|it| app.webhook(it))).await {
            reply.expect(200);
        }
        for (it, state) in &odd {
            let id = it["provider_event_id"].as_str().expect("an id");
            app.wait_for_event(id, state).await;
        }
        let mut states = Vec::new();
        for id in ["evt-0-7", "evt-again", "evt-0-8", "evt-more"] {
            states.push(app.event_state(id).await);
        }
        states[..2].sort();
        states[2..].sort();
        assert_eq!(states, ["applied", "ignored", "applied", "failed"]);
        let (mine, theirs) = (player.balance().await.0, other.balance().await.0);
        assert!([("50.00", "0.00"), ("49.00", "1.00")].contains(&(mine.as_str(), theirs.as_str())), "{mine} {theirs}");
        assert_eq!(app.journal().await.len(), 50);
        app.expect_sound_ledger().await;
    }
}

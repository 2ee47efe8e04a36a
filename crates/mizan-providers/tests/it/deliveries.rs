//! Webhooks: signed, repeated, in order, and wrong exactly where that was planned.

use std::sync::atomic::Ordering;

use mizan_providers::simulator::{Fault, Plan};
use serde_json::json;

use crate::bench::{Bench, Options, PLAYER, payment};

#[tokio::test]
async fn a_payment_becomes_signed_events_that_the_adapter_reads() {
    let bench = Bench::with(vec![]).await;
    let mut body = payment("12.34");
    body["authorize"] = json!(true);
    let (_, view) = bench.post("/payments", body).await;
    bench.psp.quiesce().await;
    assert_eq!(bench.receiver.seen(), ["deposit_authorized", "deposit_captured"]);
    let event = bench.receiver.events().remove(1);
    assert_eq!(event.amount.to_string(), "12.34 TRY");
    assert_eq!(event.provider_ref, view["payment_id"]);
    assert_eq!(event.event_id, view["event_ids"][1]);
    assert_eq!(event.player.unwrap().to_string(), PLAYER);
    assert_eq!(event.tenant.unwrap().as_str(), "default");
}

#[tokio::test]
async fn a_declined_payment_fails_and_is_in_no_statement() {
    let bench = Bench::with(vec![]).await;
    let mut body = payment("12.34");
    body["decline"] = json!(true);
    bench.post("/payments", body).await;
    bench.psp.quiesce().await;
    assert_eq!(bench.receiver.seen(), ["deposit_failed"]);
    assert!(bench.statement().await.is_empty());
}

#[tokio::test]
async fn a_failing_receiver_is_asked_again_and_the_order_of_a_payment_holds() {
    let bench = Bench::with(vec![]).await;
    bench.receiver.failing.store(3, Ordering::SeqCst);
    let id = bench.pay_in("10.00").await;
    bench.refund(&id).await;
    let deliveries = bench.psp.quiesce().await;
    assert_eq!(bench.receiver.seen(), ["deposit_captured", "deposit_refunded"]);
    assert_eq!((deliveries.delivered, deliveries.gave_up), (2, 0));
    assert_eq!(bench.receiver.requests.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_receiver_that_never_accepts_is_given_up_after_the_last_try() {
    let bench = Bench::with(vec![]).await;
    bench.receiver.failing.store(usize::MAX, Ordering::SeqCst);
    bench.pay_in("10.00").await;
    let deliveries = bench.psp.quiesce().await;
    assert_eq!(
        (deliveries.delivered, deliveries.gave_up, deliveries.in_flight),
        (0, 1, 0)
    );
    assert_eq!(bench.receiver.requests.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn no_more_deliveries_than_allowed_are_on_their_way_at_once() {
    let options = Options {
        in_pairs: true,
        concurrency: Some(2),
        ..Options::default()
    };
    let bench = Bench::of(options).await;
    for _ in 0..8 {
        bench.pay_in("10.00").await;
    }
    assert_eq!(bench.psp.quiesce().await.delivered, 8);
    assert_eq!(bench.receiver.most_active.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_dropped_webhook_silences_its_payment_and_each_event_is_an_expected_finding() {
    let bench = Bench::with(vec![Plan::next(Fault::WebhookDrop, 1)]).await;
    let id = bench.pay_in("10.00").await;
    bench.refund(&id).await;
    bench.pay_in("20.00").await;
    bench.psp.quiesce().await;
    assert_eq!(bench.receiver.seen(), ["deposit_captured"]);
    assert_eq!(bench.receiver.events()[0].amount.minor, 2000);
    assert_eq!(bench.psp.expected_findings(), [("missing_in_ledger", 2)].into());
    assert_eq!(bench.statement().await.len(), 3);
}

#[tokio::test]
async fn a_duplicated_webhook_arrives_as_often_as_planned_and_is_no_finding() {
    let plan = Plan {
        times: 5,
        ..Plan::next(Fault::WebhookDuplicate, 1)
    };
    let bench = Bench::with(vec![plan]).await;
    bench.pay_in("10.00").await;
    assert_eq!(bench.psp.quiesce().await.delivered, 5);
    let events = bench.receiver.events();
    assert!(events.len() == 5 && events.iter().all(|it| *it == events[0]));
    assert!(bench.psp.expected_findings().is_empty());
    assert_eq!(bench.psp.planted()[0].event_id, events[0].event_id);
}

#[tokio::test]
async fn a_delayed_webhook_waits_for_its_release_and_is_overtaken() {
    let bench = Bench::with(vec![Plan::next(Fault::WebhookDelay, 1)]).await;
    let id = bench.pay_in("10.00").await;
    bench.refund(&id).await;
    assert_eq!(bench.psp.quiesce().await.held, 1);
    assert_eq!(bench.receiver.seen(), ["deposit_refunded"]);
    let (_, released) = bench.post("/faults/release", json!({})).await;
    assert_eq!(released["released"], 1);
    assert_eq!(bench.psp.quiesce().await.held, 0);
    assert_eq!(bench.receiver.seen(), ["deposit_refunded", "deposit_captured"]);
}

#[tokio::test]
async fn a_webhook_delayed_by_time_arrives_without_a_release() {
    let plan = Plan {
        delay_ms: Some(20),
        ..Plan::next(Fault::WebhookDelay, 1)
    };
    let bench = Bench::with(vec![plan]).await;
    bench.pay_in("10.00").await;
    assert_eq!(bench.psp.quiesce().await.delivered, 1);
}

#[tokio::test]
async fn a_reordered_webhook_arrives_after_the_next_one_of_its_payment() {
    let bench = Bench::with(vec![Plan::next(Fault::WebhookReorder, 2)]).await;
    let first = bench.pay_in("10.00").await;
    bench.pay_in("20.00").await; // has no successor: goes when all is to be quiet
    bench.refund(&first).await;
    bench.psp.quiesce().await;
    let of_first = |it: &&mizan_payments::ProviderEvent| it.provider_ref == first;
    let kinds: Vec<_> = bench
        .receiver
        .events()
        .iter()
        .filter(of_first)
        .map(|it| it.kind.as_str())
        .collect();
    assert_eq!(kinds, ["deposit_refunded", "deposit_captured"]);
    assert_eq!(bench.receiver.events().len(), 3);
}

#[tokio::test]
async fn faults_are_planned_and_listed_while_it_runs() {
    let bench = Bench::with(vec![]).await;
    let plans =
        json!([{"fault": "webhook_duplicate", "next": 1, "times": 3, "event_types": ["deposit_refunded"]}]);
    assert_eq!(bench.post("/faults", plans).await.0, 200);
    let id = bench.pay_in("10.00").await;
    bench.refund(&id).await;
    bench.psp.quiesce().await;
    assert_eq!(bench.receiver.events().len(), 4);
    let url = format!("{}/faults", bench.psp.base_url());
    let faults: serde_json::Value = bench.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(faults["plans"][0]["next"], 0);
    assert_eq!(faults["planted"][0]["fault"], "webhook_duplicate");
    assert_eq!(faults["planted"][0]["expected_finding"], serde_json::Value::Null);
    assert_eq!(faults["deliveries"]["delivered"], 4);
}

#[tokio::test]
async fn a_shutdown_ends_deliveries_that_would_go_on() {
    let plan = Plan {
        delay_ms: Some(3_600_000),
        ..Plan::next(Fault::WebhookDelay, 1)
    };
    let bench = Bench::with(vec![plan]).await;
    bench.pay_in("10.00").await;
    bench.psp.shutdown().await.unwrap();
    assert!(bench.receiver.events().is_empty());
}

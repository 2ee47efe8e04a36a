//! Payouts over the wire: one per key, and never "failed" where that is not certain.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::{any, post};
use mizan_payments::provider::{PayoutReply, ProviderError};
use mizan_providers::ClientSettings;
use mizan_providers::simulator::{Fault, Plan};

use crate::bench::{Bench, Options, WITHDRAWAL, connection, connection_with, listener, payout, settings};

/// The name of the reply.
fn name(reply: &PayoutReply) -> &'static str {
    match reply {
        PayoutReply::Accepted { .. } => "accepted",
        PayoutReply::Paid { .. } => "paid",
        PayoutReply::Failed { .. } => "failed",
        PayoutReply::NotFound => "not found",
        PayoutReply::Unknown { .. } => "unknown",
    }
}

/// Asks for a payout with one fault planted, then for its state, then with the same key again.
async fn check(fault: Option<Fault>, first: &str, then: &str, again: &str, events: &[&str]) {
    let bench = Bench::with(fault.map(|it| Plan::next(it, 1)).into_iter().collect()).await;
    // Only a call that is never answered may run into a time-out: a loaded machine is slow.
    let impatient = ClientSettings {
        timeout: Duration::from_millis(300),
        ..settings()
    };
    let hangs = fault == Some(Fault::PayoutTimeout);
    let asking = connection_with(
        Some(bench.psp.base_url()),
        None,
        if hangs { impatient } else { settings() },
    );
    let psp = bench.connection();
    let reply = asking.pay(&payout("key-1", 1050)).await;
    assert_eq!(name(&reply), first, "{fault:?}");
    assert_eq!(
        name(&psp.payout_status("key-1").await.unwrap()),
        then,
        "{fault:?}"
    );
    assert_eq!(name(&psp.pay(&payout("key-1", 1050)).await), again, "{fault:?}");
    bench.psp.quiesce().await;
    assert_eq!(bench.receiver.seen(), events, "{fault:?}");
    assert!(bench.psp.expected_findings().is_empty());
    assert_eq!(bench.psp.planted().len(), usize::from(fault.is_some()));
    let paid = events.iter().filter(|it| **it == "withdraw_paid").count();
    assert_eq!(bench.statement().await.len(), paid, "{fault:?}");
}

#[tokio::test]
async fn whatever_happens_to_the_call_there_is_one_payout() {
    check(None, "accepted", "paid", "paid", &["withdraw_paid"]).await;
    check(
        Some(Fault::PayoutTimeout),
        "unknown",
        "paid",
        "paid",
        &["withdraw_paid"],
    )
    .await;
    check(
        Some(Fault::PayoutErrorBefore),
        "unknown",
        "not found",
        "accepted",
        &["withdraw_paid"],
    )
    .await;
    check(
        Some(Fault::PayoutErrorAfter),
        "unknown",
        "paid",
        "paid",
        &["withdraw_paid"],
    )
    .await;
    check(
        Some(Fault::PayoutFailure),
        "accepted",
        "failed",
        "failed",
        &["withdraw_failed"],
    )
    .await;
}

#[tokio::test]
async fn the_status_names_the_event_and_the_time_that_the_webhook_and_the_statement_have() {
    let bench = Bench::with(vec![]).await;
    let psp = bench.connection();
    let PayoutReply::Accepted { provider_ref } = psp.pay(&payout("key-1", 1050)).await else {
        panic!("not accepted")
    };
    bench.psp.quiesce().await;
    let event = bench.receiver.events().remove(0);
    assert_eq!(event.withdrawal.unwrap().to_string(), WITHDRAWAL);
    let expected = PayoutReply::Paid {
        provider_ref: event.provider_ref.clone(),
        event_id: event.event_id.clone(),
        at: event.occurred_at,
    };
    assert_eq!(psp.payout_status("key-1").await, Ok(expected.clone()));
    assert_eq!(psp.payout_status(&provider_ref).await, Ok(expected));
    assert_eq!(bench.statement().await[0][0], event.event_id);
}

#[tokio::test]
async fn a_key_that_another_payout_has_is_not_a_failure_of_this_one() {
    let bench = Bench::with(vec![]).await;
    let psp = bench.connection();
    psp.pay(&payout("key-1", 1050)).await;
    assert_eq!(name(&psp.pay(&payout("key-1", 1051)).await), "unknown");
    assert_eq!(bench.statement().await.len(), 1);
}

#[tokio::test]
async fn a_refusal_that_can_be_read_is_a_failure() {
    let bench = Bench::with(vec![]).await;
    let PayoutReply::Failed { reason, .. } = bench.connection().pay(&payout("key-1", 0)).await else {
        panic!("not failed")
    };
    assert!(reason.starts_with("AMOUNT_INVALID"), "{reason}");
    assert_eq!(
        bench.connection().payout_status("key-1").await,
        Ok(PayoutReply::NotFound)
    );
}

#[tokio::test]
async fn a_key_of_any_characters_is_asked_for_as_it_is() {
    let bench = Bench::with(vec![]).await;
    let psp = bench.connection();
    let key = "a/b?c=d#e%2F f";
    psp.pay(&payout(key, 1050)).await;
    assert_eq!(name(&psp.payout_status(key).await.unwrap()), "paid");
}

#[tokio::test]
async fn the_api_key_is_sent_and_needed() {
    let options = Options {
        api_key: Some("the-key"),
        ..Options::default()
    };
    let bench = Bench::of(options).await;
    let with = |key| connection(Some(bench.psp.base_url()), key);
    assert_eq!(
        name(&with(Some("the-key")).pay(&payout("key-1", 1050)).await),
        "accepted"
    );
    for wrong in [None, Some("the-keys"), Some("")] {
        assert_eq!(name(&with(wrong).pay(&payout("key-1", 1050)).await), "unknown");
        assert_eq!(
            with(wrong).payout_status("key-1").await,
            Err(ProviderError::Status(401))
        );
    }
    let health = format!("{}/health", bench.psp.base_url());
    assert!(bench.http.get(health).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_leaves_the_payout_unknown() {
    let closed = listener().await.local_addr().unwrap();
    let psp = connection(Some(format!("http://{closed}")), None);
    assert_eq!(name(&psp.pay(&payout("key-1", 1050)).await), "unknown");
    assert!(matches!(
        psp.payout_status("key-1").await,
        Err(ProviderError::Unreachable(_))
    ));
}

#[tokio::test]
async fn a_connection_without_an_address_fails_a_payout_and_one_with_a_broken_address_does_not() {
    for (base_url, pay, status) in [
        (None, "failed", "NotOffered"),
        (Some("ftp://x"), "unknown", "Unreachable"),
        (Some("no url"), "unknown", "Unreachable"),
    ] {
        let psp = connection(base_url.map(str::to_owned), None);
        assert_eq!(name(&psp.pay(&payout("key-1", 1050)).await), pay, "{base_url:?}");
        let error = psp.payout_status("key-1").await.unwrap_err();
        assert!(format!("{error:?}").starts_with(status), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_a_payout() {
    let elsewhere = listener().await;
    let address = elsewhere.local_addr().unwrap();
    let (send, mut followed) = tokio::sync::mpsc::channel(1);
    let trap = Router::new().fallback(any(async move || {
        let _ = send.try_send(());
        StatusCode::OK
    }));
    tokio::spawn(async move { axum::serve(elsewhere, trap).await });
    let target = format!("http://{address}/payouts");
    let here = listener().await;
    let base_url = format!("http://{}", here.local_addr().unwrap());
    let router = Router::new().route(
        "/payouts",
        post(async move |headers: HeaderMap| {
            assert_eq!(headers["idempotency-key"], "key-1");
            Redirect::temporary(&target)
        }),
    );
    tokio::spawn(async move { axum::serve(here, router).await });
    let reply = connection(Some(base_url), None).pay(&payout("key-1", 1050)).await;
    assert_eq!(
        reply,
        PayoutReply::Unknown {
            reason: "the provider answered 307".to_owned()
        }
    );
    assert!(followed.try_recv().is_err());
}

//! The kinds that only take events: what they accept, and that they say what they do not offer.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use mizan_core::TimeWindow;
use mizan_mask::Secret;
use mizan_payments::EventKind;
use mizan_payments::provider::{Headers, PayoutReply, ProviderError, RawEvent, Rejection};
use mizan_providers::{ConnectionConfig, build, sign, sign_standard_webhooks};

use crate::bench::{around, payout, start_of_time};

const BODY: &[u8] =
    br#"{"provider_event_id":"evt_1","event_type":"deposit_captured","provider_ref":"p","amount":12.34,"currency":"TRY"}"#;

fn headers<const N: usize>(pairs: [(&str, &str); N]) -> Headers {
    Headers(
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    )
}

#[test]
fn an_hmac_event_is_verified_taken_apart_and_translated() {
    let secret = Secret::from("s");
    let config = ConnectionConfig::new("acme".parse().unwrap(), "hmac", vec![secret.clone()]);
    let acme = build("hmac", config).unwrap();
    let now = start_of_time();
    let good = headers([
        ("x-webhook-timestamp", &now.timestamp().to_string()),
        ("x-webhook-signature", &sign(&secret, now.timestamp(), BODY)),
    ]);
    let events = acme.verify(&good, BODY, now).unwrap();
    let expected = RawEvent {
        event_id: "evt_1".to_owned(),
        event_type: "deposit_captured".to_owned(),
        body: BODY.to_vec(),
    };
    assert_eq!(events, [expected]);
    let event = acme.translate(&events[0], now).unwrap();
    assert_eq!(
        (event.kind, event.amount.minor, event.occurred_at),
        (EventKind::DepositCaptured, 1234, now)
    );
    let other_id = RawEvent {
        event_id: "evt_2".to_owned(),
        ..events[0].clone()
    };
    assert_eq!(
        acme.translate(&other_id, now).unwrap_err().field,
        "provider_event_id"
    );
}

#[test]
fn an_authentic_body_that_is_no_event_is_malformed() {
    let secret = Secret::from("s");
    let config = ConnectionConfig::new("acme".parse().unwrap(), "hmac", vec![secret.clone()]);
    let acme = build("hmac", config).unwrap();
    let now = start_of_time();
    for body in [
        "",
        "{}",
        "[]",
        r#"{"provider_event_id":"e"}"#,
        r#"{"event_type":"deposit_captured"}"#,
    ] {
        let good = headers([
            ("x-webhook-timestamp", &now.timestamp().to_string()),
            (
                "x-webhook-signature",
                &sign(&secret, now.timestamp(), body.as_bytes()),
            ),
        ]);
        assert_eq!(
            acme.verify(&good, body.as_bytes(), now),
            Err(Rejection::Malformed),
            "{body}"
        );
    }
}

#[test]
fn a_standard_webhook_is_kept_under_the_id_of_its_header() {
    let secret = Secret::from(format!("whsec_{}", BASE64_STANDARD.encode([7_u8; 32])));
    let broken = Secret::from("whsec_***");
    let key: mizan_core::ProviderKey = "acme".parse().unwrap();
    let config = ConnectionConfig::new(
        key.clone(),
        "standard-webhooks",
        vec![broken.clone(), secret.clone()],
    );
    let acme = build("standard-webhooks", config).unwrap();
    let now = start_of_time();
    let signature = sign_standard_webhooks(&secret, "msg_1", now.timestamp(), BODY).unwrap();
    let good = headers([
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", &now.timestamp().to_string()),
        ("webhook-signature", &signature),
    ]);
    let events = acme.verify(&good, BODY, now).unwrap();
    assert_eq!(acme.translate(&events[0], now).unwrap().event_id, "msg_1");
    let config = ConnectionConfig::new(key, "standard-webhooks", vec![broken]);
    let without = build("standard-webhooks", config).unwrap();
    assert_eq!(without.verify(&good, BODY, now), Err(Rejection::NoSecret));
}

#[tokio::test]
async fn kinds_without_an_api_say_so_and_pay_nothing() {
    for kind in ["hmac", "standard-webhooks"] {
        let acme = build(kind, ConnectionConfig::new("acme".parse().unwrap(), kind, vec![])).unwrap();
        let window: TimeWindow = around(DateTime::UNIX_EPOCH);
        assert_eq!(acme.statement(window).await, Err(ProviderError::NotOffered));
        assert_eq!(acme.payout_status("k").await, Err(ProviderError::NotOffered));
        assert!(matches!(
            acme.pay(&payout("k", 1)).await,
            PayoutReply::Failed { .. }
        ));
    }
}

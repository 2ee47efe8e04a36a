//! What becomes of a generic body: an event, or the name of the field at fault.

use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"{"provider_event_id":"evt_1","event_type":"deposit_captured","provider_ref":"pay_1",
    "player_id":"0199e0a8-7c1f-7000-8000-000000000001","tenant_id":"default","amount":"12.34","currency":"TRY",
    "occurred_at":"2026-11-01T12:00:00.1234567+03:00"}"#;

fn received() -> Timestamp {
    chrono::Utc.with_ymd_and_hms(2026, 11, 2, 0, 0, 0).unwrap()
}

fn read(body: &str) -> Result<ProviderEvent, Untranslatable> {
    let body = EventBody::read(body.as_bytes())?;
    let id = body.event_id()?;
    body.translate(id, received())
}

/// The good body with one field replaced by another JSON text.
fn with(field: &str, json: &str) -> String {
    let mut fields: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(GOOD).unwrap();
    fields.insert(field.to_owned(), RawValue::from_string(json.to_owned()).unwrap());
    serde_json::to_string(&fields).unwrap()
}

#[track_caller]
fn check_amount(json: &str, currency: &str, expected: Result<i64, &str>) {
    let body = with("amount", json).replace("\"TRY\"", &format!("\"{currency}\""));
    match (read(&body), expected) {
        (Ok(event), Ok(minor)) => assert_eq!(event.amount.minor, minor, "{json}"),
        (Err(error), Err(field)) => assert_eq!(error.field, field, "{json}: {error}"),
        (seen, expected) => panic!("{json} {currency}: {seen:?}, not {expected:?}"),
    }
}

#[test]
fn every_field_of_a_good_event_is_read() {
    let event = read(GOOD).unwrap();
    assert_eq!(event.event_id, "evt_1");
    assert_eq!(event.kind, EventKind::DepositCaptured);
    assert_eq!(event.provider_ref, "pay_1");
    assert_eq!(
        event.player.unwrap().to_string(),
        "0199e0a8-7c1f-7000-8000-000000000001"
    );
    assert_eq!(event.tenant.unwrap().as_str(), "default");
    assert_eq!(event.amount, Money::new(1234, Currency::TRY));
    assert_eq!(event.withdrawal, None);
    assert_eq!(event.occurred_at.to_rfc3339(), "2026-11-01T09:00:00.123456+00:00");
}

#[test]
fn an_event_without_a_time_happened_when_it_was_received() {
    assert_eq!(
        read(&with("occurred_at", "null")).unwrap().occurred_at,
        received()
    );
}

#[test]
fn amounts_are_read_by_their_decimal_text_or_refused() {
    check_amount(r#""12.34""#, "TRY", Ok(1234));
    check_amount("12.34", "TRY", Ok(1234));
    check_amount("12.3", "TRY", Ok(1230));
    check_amount("90071992547409.93", "TRY", Ok(9_007_199_254_740_993));
    check_amount(r#""1\u0032.34""#, "TRY", Ok(1234));
    check_amount("1.234", "KWD", Ok(1234));
    check_amount("7", "JPY", Ok(7));
    for (json, currency) in [
        ("10.5", "JPY"),
        ("1.2345", "KWD"),
        ("1.005", "TRY"),
        ("12.340", "TRY"),
        ("1e3", "TRY"),
        ("\"1e3\"", "TRY"),
        ("\"1,234.56\"", "TRY"),
        ("\" 10\"", "TRY"),
        ("\"NaN\"", "TRY"),
        ("\"\"", "TRY"),
        ("true", "TRY"),
        ("null", "TRY"),
        ("[]", "TRY"),
        ("{}", "TRY"),
        ("0", "TRY"),
        ("-0", "TRY"),
        ("-1.00", "TRY"),
        ("\"0.00\"", "TRY"),
        ("92233720368547758.08", "TRY"),
        ("99999999999999999999999999", "TRY"),
    ] {
        check_amount(json, currency, Err("amount"));
    }
    for currency in ["try", "ABC", "XAU", "", "TRYTRY"] {
        check_amount("\"1\"", currency, Err("currency"));
    }
}

#[test]
fn the_field_at_fault_is_named() {
    for (field, json) in [
        ("provider_event_id", "null"),
        ("provider_event_id", "7"),
        ("provider_event_id", r#""a\u0000""#),
        ("event_type", "null"),
        ("event_type", "[1]"),
        ("provider_ref", "null"),
        ("provider_ref", "\"\""),
        ("player_id", "\"p-1\""),
        ("player_id", "1"),
        ("tenant_id", "\"A B\""),
        ("tx_id", "\"tx\""),
        ("currency", "null"),
        ("occurred_at", "\"2026-11-01\""),
        ("occurred_at", "1700000000"),
        ("occurred_at", "\"2026-11-01T12:00:00\""),
    ] {
        assert_eq!(read(&with(field, json)).unwrap_err().field, field, "{json}");
    }
}

#[test]
fn a_text_may_be_as_long_as_its_cap_and_not_longer() {
    let of = |length: usize| format!("\"{}\"", "x".repeat(length));
    for (field, longest) in [
        ("provider_event_id", MAX_ID),
        ("provider_ref", MAX_ID),
        ("event_type", MAX_TYPE),
    ] {
        assert!(read(&with(field, &of(longest))).is_ok(), "{field}");
        assert_eq!(read(&with(field, &of(longest + 1))).unwrap_err().field, field);
        assert_eq!(read(&with(field, &of(1 << 20))).unwrap_err().field, field);
    }
}

#[test]
fn what_is_no_object_or_names_a_field_twice_is_no_event() {
    for body in [
        "",
        "null",
        "[]",
        r#"["evt_1","deposit_captured"]"#,
        "{",
        "{}x",
        "\u{feff}{}",
        r#"{"amount":1,"amount":2}"#,
    ] {
        assert!(read(body).is_err(), "{body}");
    }
    let twice = GOOD.replacen('{', r#"{"amount":"1.00","#, 1);
    assert_eq!(read(&twice).unwrap_err().field, "body");
}

#[test]
fn a_kind_nobody_acts_on_is_unknown_whatever_it_lacks() {
    let event = read(r#"{"provider_event_id":"evt_9","event_type":"customer.updated"}"#).unwrap();
    assert_eq!((event.kind, event.amount.minor), (EventKind::Unknown, 0));
    assert_eq!(
        read(&with("event_type", "\"DEPOSIT_CAPTURED\"")).unwrap().kind,
        EventKind::Unknown
    );
}

#[test]
fn a_settlement_may_be_negative() {
    let body = with("event_type", "\"settlement_available\"").replace("12.34", "-5.00");
    assert_eq!(read(&body).unwrap().amount.minor, -500);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(body) = EventBody::read(&bytes) {
            let _ = body.translate("evt".into(), received());
        }
    }

    #[test]
    fn any_text_in_any_field_is_read_or_refused_without_a_panic(
        field in proptest::sample::select(vec!["provider_event_id", "event_type", "provider_ref", "player_id",
            "tenant_id", "amount", "currency", "occurred_at", "tx_id"]),
        value in ".{0,80}",
    ) {
        let _ = read(&with(field, &serde_json::to_string(&value).unwrap()));
    }

    #[test]
    fn a_number_and_the_same_text_are_the_same_amount(minor in 1_i64..) {
        let written = Money::new(minor, Currency::TRY).major();
        let (number, quoted) = (read(&with("amount", &written)), read(&with("amount", &format!("\"{written}\""))));
        prop_assert_eq!(&number, &quoted);
        prop_assert_eq!(number.unwrap().amount.minor, minor);
    }
}

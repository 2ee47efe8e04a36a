//! What `mockpsp` and `hmac` signatures let in, and what they keep out.

use chrono::DateTime;
use proptest::prelude::*;

use super::*;

const SENT: i64 = 1_700_000_000;
const BODY: &[u8] = br#"{"provider_event_id":"evt_1","amount":"12.34"}"#;

fn secret() -> Secret {
    Secret::from("whsec-test")
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    Headers(
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
    )
}

fn signed(timestamp: &str, signature: &str) -> Headers {
    headers(&[(TIMESTAMP, timestamp), (SIGNATURE, signature)])
}

#[track_caller]
fn check_is(headers: &Headers, body: &[u8], now: i64, expected: Result<(), Rejection>) {
    assert_eq!(
        check(&[secret()], headers, body, at(now)),
        expected,
        "{headers:?}"
    );
}

#[test]
fn a_known_signature_is_accepted() {
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec-test
    let known = "fed7a1a6c799a6367d73724d76bc70c16678908a32a879cd1ded6565ac05cece";
    assert_eq!(sign(&secret(), SENT, br#"{"a":1}"#), known);
    check_is(&signed("1700000000", known), br#"{"a":1}"#, SENT, Ok(()));
}

#[test]
fn a_timestamp_counts_for_300_seconds_in_both_directions() {
    let good = signed("1700000000", &sign(&secret(), SENT, BODY));
    for (off, expected) in [
        (0, Ok(())),
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(Rejection::TimestampInvalid)),
        (-301, Err(Rejection::TimestampInvalid)),
    ] {
        check_is(&good, BODY, SENT + off, expected);
    }
}

#[test]
fn each_flaw_of_the_headers_has_its_own_rejection() {
    use Rejection::{SignatureInvalid, SignatureMissing, TimestampInvalid};
    let good = sign(&secret(), SENT, BODY);
    let now = "1700000000";
    check_is(&headers(&[]), BODY, SENT, Err(SignatureMissing));
    check_is(&headers(&[(TIMESTAMP, now)]), BODY, SENT, Err(SignatureMissing));
    check_is(&signed(now, ""), BODY, SENT, Err(SignatureMissing));
    check_is(&headers(&[(SIGNATURE, &good)]), BODY, SENT, Err(TimestampInvalid));
    for bad in [
        "",
        "x",
        "+1700000000",
        "-1700000000",
        " 1700000000",
        "1700000000.0",
        "1.7e9",
        "99999999999999999999",
        "000000001700000000",
        "١٧٠٠٠٠٠٠٠٠",
    ] {
        check_is(&signed(bad, &good), BODY, SENT, Err(TimestampInvalid));
    }
    for bad in [
        "0",
        "zz",
        &good.to_uppercase(),
        &format!("{good}00"),
        &good[..63],
        &format!(" {good}"),
    ] {
        check_is(&signed(now, bad), BODY, SENT, Err(SignatureInvalid));
    }
    let twice = headers(&[
        (TIMESTAMP, now),
        (SIGNATURE, &good),
        ("X-Webhook-Signature", &good),
    ]);
    check_is(&twice, BODY, SENT, Err(SignatureMissing));
    let twice = headers(&[(TIMESTAMP, now), (SIGNATURE, &good), ("X-Webhook-Timestamp", now)]);
    check_is(&twice, BODY, SENT, Err(TimestampInvalid));
}

#[test]
fn both_secrets_of_a_rotation_are_accepted_and_a_foreign_one_is_not() {
    let (old, new, foreign) = (Secret::from("old"), Secret::from("new"), Secret::from("foreign"));
    let both = [old.clone(), new.clone()];
    let by = |secret| signed("1700000000", &sign(secret, SENT, BODY));
    assert_eq!(check(&both, &by(&old), BODY, at(SENT)), Ok(()));
    assert_eq!(check(&both, &by(&new), BODY, at(SENT)), Ok(()));
    assert_eq!(
        check(&both, &by(&foreign), BODY, at(SENT)),
        Err(Rejection::SignatureInvalid)
    );
}

#[test]
fn without_a_secret_nothing_is_accepted_not_even_what_an_empty_key_signs() {
    let empty = Secret::from("");
    let by_empty = signed("1700000000", &sign(&empty, SENT, BODY));
    assert_eq!(check(&[], &by_empty, BODY, at(SENT)), Err(Rejection::NoSecret));
    assert_eq!(
        check(&[empty], &by_empty, BODY, at(SENT)),
        Err(Rejection::NoSecret)
    );
}

#[test]
fn flipping_any_single_bit_of_what_is_signed_is_refused() {
    let (timestamp, signature) = ("1700000000", sign(&secret(), SENT, BODY));
    let parts = [timestamp.as_bytes(), signature.as_bytes(), BODY];
    for (part, original) in parts.iter().enumerate() {
        for bit in 0..original.len() * 8 {
            let mut changed = parts.map(<[u8]>::to_vec);
            changed[part][bit / 8] ^= 1 << (bit % 8);
            // A header that is no UTF-8 never gets this far.
            let [Ok(timestamp), Ok(signature)] =
                [&changed[0], &changed[1]].map(|it| String::from_utf8(it.clone()))
            else {
                continue;
            };
            let seen = check(
                &[secret()],
                &signed(&timestamp, &signature),
                &changed[2],
                at(SENT),
            );
            assert!(seen.is_err(), "part {part}, bit {bit}");
        }
    }
}

#[test]
fn the_same_json_in_other_bytes_is_refused() {
    let good = signed("1700000000", &sign(&secret(), SENT, BODY));
    for other in [
        r#"{"provider_event_id": "evt_1","amount":"12.34"}"#,
        r#"{"amount":"12.34","provider_event_id":"evt_1"}"#,
        r#"{"provider_event_id":"evt\u005f1","amount":"12.34"}"#,
        "{\"provider_event_id\":\"evt_1\",\"amount\":\"12.34\"}\n",
        "\u{feff}{\"provider_event_id\":\"evt_1\",\"amount\":\"12.34\"}",
    ] {
        check_is(&good, other.as_bytes(), SENT, Err(Rejection::SignatureInvalid));
    }
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted_and_no_other_body_is(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        other in proptest::collection::vec(any::<u8>(), 0..200),
        key in "[ -~]{1,80}",
    ) {
        let secrets = [Secret::from(key)];
        let good = signed("1700000000", &sign(&secrets[0], SENT, &body));
        prop_assert_eq!(check(&secrets, &good, &body, at(SENT)), Ok(()));
        prop_assert_eq!(check(&secrets, &good, &other, at(SENT)).is_ok(), other == body);
    }

    #[test]
    fn arbitrary_headers_and_bytes_never_panic(
        timestamp in ".{0,30}", signature in ".{0,80}", body in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        prop_assert!(check(&[secret()], &signed(&timestamp, &signature), &body, at(SENT)).is_err());
    }
}

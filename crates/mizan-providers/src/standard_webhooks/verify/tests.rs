//! The published vector of Standard Webhooks, and everything around it that must be refused.

use chrono::DateTime;
use proptest::prelude::*;

use super::*;

// The example of the reference libraries (standard-webhooks/libraries, test of `sign`).
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SENT: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const PUBLISHED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn keys(secrets: &[&str]) -> Vec<SigningKey> {
    secrets
        .iter()
        .filter_map(|it| SigningKey::read(&Secret::from(*it)))
        .collect()
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn headers(id: &str, timestamp: &str, signature: &str) -> Headers {
    let pairs = [(ID, id), (TIMESTAMP, timestamp), (SIGNATURE, signature)];
    Headers(
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    )
}

fn published() -> Headers {
    headers(MESSAGE, "1614265330", PUBLISHED)
}

#[track_caller]
fn check_is(headers: &Headers, expected: Result<(), Rejection>) {
    assert_eq!(
        check(&keys(&[SECRET]), headers, BODY, at(SENT)),
        expected,
        "{headers:?}"
    );
}

#[test]
fn the_published_vector_is_made_and_accepted() {
    assert_eq!(
        sign(&Secret::from(SECRET), MESSAGE, SENT, BODY).as_deref(),
        Some(PUBLISHED)
    );
    check_is(&published(), Ok(()));
}

#[test]
fn one_good_signature_among_others_is_enough() {
    let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    for good in [
        format!("{wrong} {PUBLISHED}"),
        format!("{PUBLISHED} {wrong}"),
        format!("v2,xyz v1a,abc {PUBLISHED} "),
    ] {
        check_is(&headers(MESSAGE, "1614265330", &good), Ok(()));
    }
    check_is(
        &headers(MESSAGE, "1614265330", wrong),
        Err(Rejection::SignatureInvalid),
    );
}

#[test]
fn both_secrets_of_a_rotation_are_accepted() {
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for secrets in [[SECRET, other], [other, SECRET]] {
        assert_eq!(check(&keys(&secrets), &published(), BODY, at(SENT)), Ok(()));
    }
    assert_eq!(
        check(&keys(&[other]), &published(), BODY, at(SENT)),
        Err(Rejection::SignatureInvalid)
    );
}

#[test]
fn a_secret_is_read_with_or_without_prefix_and_padding() {
    let plain = SECRET.strip_prefix("whsec_").unwrap();
    assert_eq!(check(&keys(&[plain]), &published(), BODY, at(SENT)), Ok(()));
    for (text, readable) in [
        ("whsec_YWI=", true),
        ("whsec_YWI", true),
        ("whsec_", false),
        ("", false),
        ("whsec_!!", false),
        ("whsec_YWI==", false),
    ] {
        assert_eq!(
            SigningKey::read(&Secret::from(text)).is_some(),
            readable,
            "{text}"
        );
    }
    assert_eq!(check(&[], &published(), BODY, at(SENT)), Err(Rejection::NoSecret));
}

#[test]
fn a_timestamp_counts_for_300_seconds_in_both_directions() {
    for (off, expected) in [
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(Rejection::TimestampInvalid)),
        (-301, Err(Rejection::TimestampInvalid)),
    ] {
        assert_eq!(
            check(&keys(&[SECRET]), &published(), BODY, at(SENT + off)),
            expected,
            "{off}"
        );
    }
}

#[test]
fn each_flaw_of_the_headers_has_its_own_rejection() {
    use Rejection::{SignatureInvalid, SignatureMissing, TimestampInvalid};
    check_is(&Headers::default(), Err(SignatureMissing));
    check_is(&headers(MESSAGE, "1614265330", ""), Err(SignatureMissing));
    check_is(&headers("", "1614265330", PUBLISHED), Err(SignatureMissing));
    for bad in ["", "now", "1614265330.0", "+1614265330", "-1"] {
        check_is(&headers(MESSAGE, bad, PUBLISHED), Err(TimestampInvalid));
    }
    let bare = PUBLISHED.strip_prefix("v1,").unwrap();
    let unpadded = PUBLISHED.trim_end_matches('=');
    for bad in [
        bare,
        unpadded,
        "v1,",
        "v1",
        " ",
        &format!("V1,{bare}"),
        &format!("v2,{bare}"),
        &format!("v1, {bare}"),
    ] {
        check_is(&headers(MESSAGE, "1614265330", bad), Err(SignatureInvalid));
    }
    for name in [ID, TIMESTAMP, SIGNATURE] {
        let mut twice = published();
        let again = twice.0.iter().find(|it| it.0 == name).unwrap().clone();
        twice.0.push(again);
        let expected = if name == TIMESTAMP {
            TimestampInvalid
        } else {
            SignatureMissing
        };
        check_is(&twice, Err(expected));
    }
}

#[test]
fn a_full_stop_cannot_move_bytes_from_one_signed_part_to_another() {
    // Signed: id "msg.1614265330", timestamp "1614265330". Cut elsewhere the same bytes are another message.
    let secret = Secret::from(SECRET);
    let signature = sign(&secret, "msg.1614265330", SENT, BODY).unwrap();
    check_is(
        &headers("msg.1614265330", "1614265330", &signature),
        Err(Rejection::SignatureInvalid),
    );
}

#[test]
fn flipping_any_single_bit_of_what_is_signed_is_refused() {
    let parts = [MESSAGE.as_bytes(), b"1614265330", PUBLISHED.as_bytes(), BODY];
    for (part, original) in parts.iter().enumerate() {
        for bit in 0..original.len() * 8 {
            let mut changed = parts.map(<[u8]>::to_vec);
            changed[part][bit / 8] ^= 1 << (bit % 8);
            let [id, timestamp, signature] =
                [0, 1, 2].map(|it: usize| String::from_utf8(changed[it].clone()));
            // A header that is no UTF-8 never gets this far.
            let (Ok(id), Ok(timestamp), Ok(signature)) = (id, timestamp, signature) else {
                continue;
            };
            let seen = check(
                &keys(&[SECRET]),
                &headers(&id, &timestamp, &signature),
                &changed[3],
                at(SENT),
            );
            assert!(seen.is_err(), "part {part}, bit {bit}");
        }
    }
}

#[test]
fn the_same_json_in_other_bytes_is_refused() {
    for other in [
        r#"{"test":2432232314}"#,
        "{\"test\": 2432232314}\n",
        r#"{"\u0074est": 2432232314}"#,
    ] {
        assert_eq!(
            check(&keys(&[SECRET]), &published(), other.as_bytes(), at(SENT)),
            Err(Rejection::SignatureInvalid)
        );
    }
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted_and_no_other_body_is(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        other in proptest::collection::vec(any::<u8>(), 0..200),
        id in "[a-zA-Z0-9_-]{1,40}",
    ) {
        let signature = sign(&Secret::from(SECRET), &id, SENT, &body).unwrap();
        let good = headers(&id, "1614265330", &signature);
        prop_assert_eq!(check(&keys(&[SECRET]), &good, &body, at(SENT)), Ok(()));
        prop_assert_eq!(check(&keys(&[SECRET]), &good, &other, at(SENT)).is_ok(), other == body);
    }

    #[test]
    fn arbitrary_headers_and_bytes_never_panic(
        id in ".{0,40}", timestamp in ".{0,30}", signature in ".{0,80}",
        body in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        prop_assert!(check(&keys(&[SECRET]), &headers(&id, &timestamp, &signature), &body, at(SENT)).is_err());
    }
}

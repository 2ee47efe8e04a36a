//! What the signature schemes share: the MAC, comparison in constant time, and the age of a timestamp.

use ::hmac::{Hmac, KeyInit, Mac};
use mizan_core::Timestamp;
use mizan_payments::provider::{Headers, Rejection};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How old, or how far in the future, a signed timestamp may be, in seconds. Exactly this much still counts.
pub(crate) const TOLERANCE_SECONDS: u64 = 300;

/// HMAC-SHA256 over the parts, one after the other.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether any of the expected signatures is among the given ones. All pairs are compared, each in constant
/// time, so that neither the place of a match nor the length of a common start shows in the time it takes.
pub(crate) fn any_equal(expected: &[String], given: &[&str]) -> bool {
    let mut found = Choice::from(0);
    for ours in expected {
        for theirs in given {
            found |= ours.as_bytes().ct_eq(theirs.as_bytes());
        }
    }
    found.into()
}

/// A header that was sent exactly once and is not empty.
pub(crate) fn required<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.only(name).filter(|it| !it.is_empty())
}

/// Reads the signed timestamp (Unix seconds: digits, nothing else) and checks it against `now`.
///
/// The text is what is signed, so what is returned is only for looking at.
pub(crate) fn fresh<'a>(headers: &'a Headers, name: &str, now: Timestamp) -> Result<&'a str, Rejection> {
    let text = required(headers, name).ok_or(Rejection::TimestampInvalid)?;
    let digits = text.len() <= 12 && text.bytes().all(|it| it.is_ascii_digit());
    let seconds: i64 = match text.parse() {
        Ok(seconds) if digits => seconds,
        _ => return Err(Rejection::TimestampInvalid),
    };
    if now.timestamp().abs_diff(seconds) > TOLERANCE_SECONDS {
        return Err(Rejection::TimestampInvalid);
    }
    Ok(text)
}

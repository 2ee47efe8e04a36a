//! The signature of `mockpsp` and `hmac` events.
//!
//! `X-Webhook-Timestamp` is in Unix seconds, `X-Webhook-Signature` is the lower-case hex HMAC-SHA256 of
//! `timestamp + "." + raw body`. Both headers must be there exactly once.

use mizan_core::Timestamp;
use mizan_mask::Secret;
use mizan_payments::provider::{Headers, Rejection};

use crate::signature::{any_equal, fresh, mac, required};

pub(crate) const TIMESTAMP: &str = "x-webhook-timestamp";
pub(crate) const SIGNATURE: &str = "x-webhook-signature";

/// Checks a request against every secret of the connection. `Ok` says who sent these bytes, and that they are
/// not an old request sent again.
pub(crate) fn check(
    secrets: &[Secret],
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Rejection> {
    // An empty key would be one that everybody knows.
    let keys: Vec<&Secret> = secrets.iter().filter(|it| !it.reveal().is_empty()).collect();
    if keys.is_empty() {
        return Err(Rejection::NoSecret);
    }
    let given = required(headers, SIGNATURE).ok_or(Rejection::SignatureMissing)?;
    let timestamp = fresh(headers, TIMESTAMP, now)?;
    let expected: Vec<String> = keys.iter().map(|it| sign_text(it, timestamp, body)).collect();
    if any_equal(&expected, &[given]) {
        Ok(())
    } else {
        Err(Rejection::SignatureInvalid)
    }
}

/// The value of `X-Webhook-Signature` for a body that is sent at `timestamp` (Unix seconds).
pub fn sign(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    sign_text(secret, &timestamp.to_string(), body)
}

fn sign_text(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    hex::encode(mac(
        secret.reveal().as_bytes(),
        &[timestamp.as_bytes(), b".", body],
    ))
}

#[cfg(test)]
mod tests;

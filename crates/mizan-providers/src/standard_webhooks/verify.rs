//! The signature of Standard Webhooks, version 1 (symmetric).
//!
//! `webhook-signature` holds one or more `v1,<base64>` with spaces between; each is the HMAC-SHA256 of
//! `webhook-id + "." + webhook-timestamp + "." + raw body` under the bytes behind `whsec_<base64>`.
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mizan_core::Timestamp;
use mizan_mask::Secret;
use mizan_payments::provider::{Headers, Rejection};

use crate::signature::{any_equal, fresh, mac, required};

pub(crate) const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// How many signatures of one request are looked at. A rotation needs two.
const MOST_SIGNATURES: usize = 16;

/// Secrets are handed out with and without padding.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes that a secret stands for.
pub(crate) struct SigningKey(Secret<Vec<u8>>);

impl SigningKey {
    /// Reads `whsec_<base64>`, or the base64 alone; `None` if it is neither or empty.
    pub(crate) fn read(secret: &Secret) -> Option<Self> {
        let text = secret.reveal();
        let encoded = text.strip_prefix("whsec_").unwrap_or(text);
        let key = SECRET_BASE64.decode(encoded).ok()?;
        (!key.is_empty()).then(|| Self(Secret::from(key)))
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        STANDARD.encode(mac(self.0.reveal(), &parts))
    }
}

/// Checks a request against every key of the connection.
pub(crate) fn check(
    keys: &[SigningKey],
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Rejection> {
    if keys.is_empty() {
        return Err(Rejection::NoSecret);
    }
    let signatures = required(headers, SIGNATURE).ok_or(Rejection::SignatureMissing)?;
    let id = required(headers, ID).ok_or(Rejection::SignatureMissing)?;
    let timestamp = fresh(headers, TIMESTAMP, now)?;
    // With a full stop in the id, what is signed could be cut into other parts that give the same bytes.
    if id.contains('.') {
        return Err(Rejection::SignatureInvalid);
    }
    let given: Vec<&str> = signatures
        .split(' ')
        .take(MOST_SIGNATURES)
        .filter_map(|it| it.strip_prefix("v1,"))
        .collect();
    let expected: Vec<String> = keys.iter().map(|it| it.sign(id, timestamp, body)).collect();
    if any_equal(&expected, &given) {
        Ok(())
    } else {
        Err(Rejection::SignatureInvalid)
    }
}

/// The value of `webhook-signature` for a body that is sent at `timestamp` (Unix seconds); `None` if the secret
/// is not `whsec_<base64>`.
pub fn sign(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = SigningKey::read(secret)?;
    Some(format!("v1,{}", key.sign(id, &timestamp.to_string(), body)))
}

#[cfg(test)]
mod tests;

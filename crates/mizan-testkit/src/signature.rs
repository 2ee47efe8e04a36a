//! Signs webhooks as a provider does, independently of the code that verifies them.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Header names and values, as [`crate::TestApp::post_bytes`] takes them.
pub type Headers = Vec<(String, String)>;

/// Headers of a `mockpsp` or `hmac` event. `timestamp` is in Unix seconds; the signature covers
/// `timestamp + "." + body`, byte for byte as it is sent.
pub fn sign_mockpsp(secret: &str, timestamp: i64, body: &[u8]) -> Headers {
    let signature = hex::encode(mac(
        secret.as_bytes(),
        &[timestamp.to_string().as_bytes(), b".", body],
    ));
    headers([
        ("X-Webhook-Timestamp", timestamp.to_string()),
        ("X-Webhook-Signature", signature),
    ])
}

/// Headers of a `standard-webhooks` event (<https://www.standardwebhooks.com>). The secret is
/// `whsec_` and base64; `timestamp` is in Unix seconds.
pub fn sign_standard_webhooks(
    secret: &str,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> anyhow::Result<Headers> {
    let key = BASE64_STANDARD
        .decode(
            secret
                .strip_prefix("whsec_")
                .context("the secret does not start with whsec_")?,
        )
        .context("the secret is not base64 after whsec_")?;
    let signed = mac(
        &key,
        &[id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body],
    );
    Ok(headers([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        (
            "webhook-signature",
            format!("v1,{}", BASE64_STANDARD.encode(signed)),
        ),
    ]))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn headers<const N: usize>(pairs: [(&str, String); N]) -> Headers {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(headers: &Headers) -> Vec<(&str, &str)> {
        headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn mockpsp_signs_the_timestamp_a_dot_and_the_raw_body() {
        // Computed with Python's hmac module.
        let expected = "fed7a1a6c799a6367d73724d76bc70c16678908a32a879cd1ded6565ac05cece";
        let signed = sign_mockpsp("whsec-test", 1_700_000_000, br#"{"a":1}"#);
        let wanted = [
            ("X-Webhook-Timestamp", "1700000000"),
            ("X-Webhook-Signature", expected),
        ];
        assert_eq!(pairs(&signed), wanted);
    }

    #[test]
    fn standard_webhooks_signs_the_example_of_its_specification() {
        let body = br#"{"event_type":"ping","data":{"success":true}}"#;
        let secret = "whsec_plJ3nmyCDGBKInavdOK15jsl";
        let signed = sign_standard_webhooks(secret, "msg_loFOjxBNrRLzqYUf", 1_731_705_121, body);
        let signed = signed.expect("a well-formed secret");
        assert!(pairs(&signed).contains(&(
            "webhook-signature",
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
        )));
    }

    #[test]
    fn a_standard_webhooks_secret_needs_its_prefix_and_base64() {
        for secret in ["plJ3nmyCDGBKInavdOK15jsl", "whsec_not base64"] {
            assert!(
                sign_standard_webhooks(secret, "msg_1", 1, b"{}").is_err(),
                "{secret}"
            );
        }
    }
}

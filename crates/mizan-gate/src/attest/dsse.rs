//! The envelope: DSSE v1.0 with ed25519. What is signed is the pre-authentication encoding of type and payload.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::key;

/// The one payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    pub payload_type: String,
    /// The statement in base64.
    pub payload: String,
    pub signatures: Vec<SignatureOfKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureOfKey {
    pub keyid: String,
    pub sig: String,
}

/// Why an envelope is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    #[error("its payload type is not {PAYLOAD_TYPE}")]
    PayloadType,
    #[error("its payload is not base64")]
    Payload,
    #[error("it bears no signature of this key")]
    OtherKey,
    #[error("its signature does not fit its content")]
    Signature,
}

/// `DSSEv1 SP LEN(type) SP type SP LEN(body) SP body`, lengths in decimal ASCII.
fn pre_authentication(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len()).into_bytes();
    out.extend_from_slice(body);
    out
}

pub fn seal(payload: &[u8], with: &SigningKey) -> Envelope {
    let signature = with.sign(&pre_authentication(PAYLOAD_TYPE, payload));
    Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: vec![SignatureOfKey {
            keyid: key::id(&with.verifying_key()),
            sig: STANDARD.encode(signature.to_bytes()),
        }],
    }
}

impl Envelope {
    /// The payload, with nothing known about who wrote it.
    pub fn payload(&self) -> Result<Vec<u8>, NotSealed> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(NotSealed::PayloadType);
        }
        STANDARD.decode(&self.payload).map_err(|_| NotSealed::Payload)
    }

    /// The payload, if the owner of `key` signed it.
    pub fn open(&self, key: &VerifyingKey) -> Result<Vec<u8>, NotSealed> {
        let payload = self.payload()?;
        let id = key::id(key);
        let signed = pre_authentication(&self.payload_type, &payload);
        let mut ours = self.signatures.iter().filter(|it| it.keyid == id).peekable();
        if ours.peek().is_none() {
            return Err(NotSealed::OtherKey);
        }
        let fits = |it: &SignatureOfKey| {
            let bytes = STANDARD.decode(&it.sig).ok()?;
            let signature = Signature::from_slice(&bytes).ok()?;
            key.verify_strict(&signed, &signature).ok()
        };
        if ours.any(|it| fits(it).is_some()) {
            Ok(payload)
        } else {
            Err(NotSealed::Signature)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::pre_authentication;

    #[test]
    fn the_encoding_is_that_of_the_specifications_example() {
        let encoded = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}

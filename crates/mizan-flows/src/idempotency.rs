//! Layer 1 of idempotency: one key, one effect, one reply.

use mizan_core::Timestamp;
use mizan_store::Tx;
use mizan_store::idempotency::{Claim, IdempotencyKey, KeptReply, StoredReply, UsedKey};
use serde::Serialize;

use crate::{FlowError, Result};

/// A client's key with the fingerprint of the body that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    pub key: IdempotencyKey,
    pub fingerprint: Vec<u8>,
}

/// The reply to a keyed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// The body, byte for byte the same on every repetition.
    pub body: String,
    /// Whether the effect happened earlier.
    pub replayed: bool,
}

impl Reply {
    pub(crate) fn made<T: Serialize>(status: u16, body: &T) -> Self {
        let body = serde_json::to_string(body).expect("views have string keys and no floats");
        Self {
            status,
            body,
            replayed: false,
        }
    }

    pub(crate) fn stored(&self) -> StoredReply {
        StoredReply {
            status: self.status,
            body: self.body.clone(),
        }
    }

    fn replayed(reply: StoredReply) -> Self {
        Self {
            status: reply.status,
            body: reply.body,
            replayed: true,
        }
    }
}

impl Keyed {
    /// Takes a client's key for a route; the fingerprint is the SHA-256 of the body.
    pub fn new(route: &str, key: &str, body: &[u8]) -> Result<Self> {
        use sha2::{Digest, Sha256};
        let good = (1..=255).contains(&key.len()) && key.bytes().all(|it| (0x21..=0x7e).contains(&it));
        if !good {
            return Err(FlowError::invalid(
                "Idempotency-Key",
                "use 1 to 255 visible ASCII characters",
            ));
        }
        Ok(Self {
            key: IdempotencyKey {
                route: route.to_owned(),
                key: key.to_owned(),
            },
            fingerprint: Sha256::digest(body).to_vec(),
        })
    }

    /// Claims the key, or finds the reply that it was given.
    pub(crate) async fn claim(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<Option<Reply>> {
        let claim = tx.claim_key(&self.key, &self.fingerprint, now).await?;
        self.answer(claim)
    }

    /// What a claim means: nothing yet, the reply of the first time, or a conflict.
    fn answer(&self, claim: Claim) -> Result<Option<Reply>> {
        match claim {
            Claim::New => Ok(None),
            Claim::Used { fingerprint, reply } => self.answer_of(&UsedKey { fingerprint, reply }).map(Some),
        }
    }

    /// What it means that the key was used: the reply of the first time, or a conflict.
    pub(crate) fn answer_of(&self, used: &UsedKey) -> Result<Reply> {
        if used.fingerprint == self.fingerprint {
            Ok(Reply::replayed(used.reply.clone()))
        } else {
            Err(FlowError::IdempotencyKeyReused)
        }
    }

    /// The reply with its key, to be kept.
    pub(crate) fn kept<'a>(&'a self, reply: &'a Reply) -> KeptReply<'a> {
        KeptReply {
            key: &self.key,
            fingerprint: &self.fingerprint,
            status: reply.status,
            body: &reply.body,
        }
    }

    /// Keeps the reply with the effect.
    pub(crate) async fn keep(&self, tx: &mut dyn Tx, reply: Reply) -> Result<Reply> {
        tx.keep_reply(&self.key, &reply.stored()).await?;
        Ok(reply)
    }
}

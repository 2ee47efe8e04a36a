//! Layer 1 of idempotency: the keys of clients, with the replies they were given.

use async_trait::async_trait;
use mizan_core::Timestamp;

use crate::Result;

/// A key in the scope of the tenant and a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey {
    /// `POST /api/v1/player/wallet/deposit`
    pub route: String,
    /// The client's own text, 1 to 255 characters.
    pub key: String,
}

/// The reply that a key was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReply {
    pub status: u16,
    /// The body, byte for byte.
    pub body: String,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The key is new and belongs to this transaction now; a rival waits until it ends.
    New,
    /// The key was used, with this fingerprint of a body.
    Used {
        fingerprint: Vec<u8>,
        reply: StoredReply,
    },
}

#[async_trait]
pub trait Idempotency {
    /// Claims a key. If the transaction is undone, so is the claim: what failed does not burn its key.
    async fn claim_key(&mut self, key: &IdempotencyKey, fingerprint: &[u8], at: Timestamp) -> Result<Claim>;

    /// Gives back a key that this transaction claimed: what was refused does not burn its key.
    async fn release_key(&mut self, key: &IdempotencyKey) -> Result<()>;

    /// Keeps the reply of a key that this transaction claimed.
    async fn keep_reply(&mut self, key: &IdempotencyKey, reply: &StoredReply) -> Result<()>;

    /// Claims many keys, each once, in order of key; the answers are in the same order. The same as one by one,
    /// in fewer round trips.
    async fn claim_keys(
        &mut self,
        claims: &[(IdempotencyKey, Vec<u8>)],
        at: Timestamp,
    ) -> Result<Vec<Claim>> {
        let mut answers = Vec::with_capacity(claims.len());
        for (key, fingerprint) in claims {
            answers.push(self.claim_key(key, fingerprint, at).await?);
        }
        Ok(answers)
    }

    /// Keeps the replies of many keys that this transaction claimed.
    async fn keep_replies(&mut self, replies: &[(IdempotencyKey, StoredReply)]) -> Result<()> {
        for (key, reply) in replies {
            self.keep_reply(key, reply).await?;
        }
        Ok(())
    }
}

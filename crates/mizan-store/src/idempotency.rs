//! Layer 1 of idempotency: the keys of clients, with the replies they were given.

use std::collections::HashMap;

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

/// What a key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedKey {
    pub fingerprint: Vec<u8>,
    pub reply: StoredReply,
}

pub type UsedKeys = HashMap<IdempotencyKey, UsedKey>;

/// A reply on its way into the store, with the key it is kept with.
#[derive(Debug, Clone, Copy)]
pub struct KeptReply<'a> {
    pub key: &'a IdempotencyKey,
    pub fingerprint: &'a [u8],
    pub status: u16,
    pub body: &'a str,
}

#[async_trait]
pub trait Idempotency {
    /// Claims a key. If the transaction is undone, so is the claim: what failed does not burn its key.
    async fn claim_key(&mut self, key: &IdempotencyKey, fingerprint: &[u8], at: Timestamp) -> Result<Claim>;

    /// Keeps the reply of a key that this transaction claimed.
    async fn keep_reply(&mut self, key: &IdempotencyKey, reply: &StoredReply) -> Result<()>;

    /// Which of these keys were used, and the replies they were given. Claims nothing.
    async fn used_keys(&mut self, keys: &[&IdempotencyKey]) -> Result<UsedKeys>;

    /// Keeps replies with keys that were not used and that nobody claimed; the keys are in order, each once. One
    /// that a rival used since [`Self::used_keys`] is a [`crate::StoreError::Collision`].
    async fn insert_replies(&mut self, replies: &[KeptReply<'_>], at: Timestamp) -> Result<()>;
}

//! Payout attempts: what was asked of a provider, under which key, and what came of it.

use mizan_core::{AttemptId, ProviderKey, Timestamp, WithdrawalId};

mizan_core::words! {
    pub enum AttemptState {
        /// Stored; the provider was asked or is about to be.
        Open = "open",
        Paid = "paid",
        Failed = "failed",
    }
}

/// One attempt. A withdrawal has one open attempt at most, by constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    pub withdrawal: WithdrawalId,
    /// 1 for the first attempt of the withdrawal.
    pub number: i32,
    pub provider: ProviderKey,
    /// Given to the provider with every call of this attempt; stored before the first one.
    pub provider_key: String,
    /// The provider's own reference, once it gave one.
    pub provider_ref: Option<String>,
    pub state: AttemptState,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

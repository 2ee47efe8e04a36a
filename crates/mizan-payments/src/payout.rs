//! Payout attempts: what was asked of a provider, under which key, and what came of it.

use std::fmt;
use std::str::FromStr;

use mizan_core::{AttemptId, ProviderKey, Timestamp, WithdrawalId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// Stored; the provider was asked or is about to be.
    Open,
    Paid,
    Failed,
}

impl AttemptState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown state")]
pub struct UnknownState;

impl FromStr for AttemptState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Open, Self::Paid, Self::Failed]
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or(UnknownState)
    }
}

impl fmt::Display for AttemptState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

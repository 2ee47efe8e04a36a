//! Know your customer: whether a player's documents were reviewed, and with which result.

use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KycStatus {
    /// No document was handed in.
    None,
    Pending,
    Approved,
    Rejected,
}

impl KycStatus {
    pub const ALL: [Self; 4] = [Self::None, Self::Pending, Self::Approved, Self::Rejected];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown KYC status: use none, pending, approved or rejected")]
pub struct UnknownStatus;

impl FromStr for KycStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

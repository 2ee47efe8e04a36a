//! A provider's event after translation: one vocabulary for all providers.

use std::fmt;
use std::str::FromStr;

use mizan_core::{Money, PlayerId, TenantKey, Timestamp, WithdrawalId};

/// What happened at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    DepositAuthorized,
    DepositCaptured,
    DepositFailed,
    DepositRefunded,
    DepositChargedBack,
    WithdrawPaid,
    WithdrawFailed,
    SettlementAvailable,
    /// A kind that this version does not act on; the event is kept and counted.
    Unknown,
}

impl EventKind {
    pub const ALL: [Self; 9] = [
        Self::DepositAuthorized,
        Self::DepositCaptured,
        Self::DepositFailed,
        Self::DepositRefunded,
        Self::DepositChargedBack,
        Self::WithdrawPaid,
        Self::WithdrawFailed,
        Self::SettlementAvailable,
        Self::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DepositAuthorized => "deposit_authorized",
            Self::DepositCaptured => "deposit_captured",
            Self::DepositFailed => "deposit_failed",
            Self::DepositRefunded => "deposit_refunded",
            Self::DepositChargedBack => "deposit_charged_back",
            Self::WithdrawPaid => "withdraw_paid",
            Self::WithdrawFailed => "withdraw_failed",
            Self::SettlementAvailable => "settlement_available",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for EventKind {
    type Err = std::convert::Infallible;

    /// Never fails: a word nobody knows is [`EventKind::Unknown`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .unwrap_or(Self::Unknown))
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One event of one provider connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    pub event_id: String,
    pub kind: EventKind,
    /// The provider's reference of the payment or payout that the event is about.
    pub provider_ref: String,
    pub player: Option<PlayerId>,
    /// The tenant that the event names; it must be the connection's own.
    pub tenant: Option<TenantKey>,
    pub amount: Money,
    /// The withdrawal of a `withdraw_*` event.
    pub withdrawal: Option<WithdrawalId>,
    /// When it happened at the provider; the time of receipt where the provider does not say.
    pub occurred_at: Timestamp,
}

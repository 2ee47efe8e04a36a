//! Accounts. A balance is credits less debits, so money held for a player is a positive balance.

use std::fmt;
use std::str::FromStr;

use mizan_core::{AccountId, Currency, PlayerId, ProviderKey};

/// What an account is for. Only wallet accounts are bound to stay at or above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountKind {
    /// A player's money that can be spent.
    Available,
    /// A player's money that is promised to open withdrawals.
    Held,
    Bonus,
    /// What a player owes after a refund or chargeback that the wallet could not cover (negative).
    Receivable,
    /// What a provider owes the operator (negative) or the operator owes it (positive).
    PspClearing,
    /// Paid out by hand, not yet seen on a bank statement.
    PayoutsInTransit,
    Fees,
    Adjustments,
    OpeningBalances,
    World,
    /// Opened through the API for the operator's own use.
    Custom,
}

impl AccountKind {
    pub const ALL: [Self; 11] = [
        Self::Available,
        Self::Held,
        Self::Bonus,
        Self::Receivable,
        Self::PspClearing,
        Self::PayoutsInTransit,
        Self::Fees,
        Self::Adjustments,
        Self::OpeningBalances,
        Self::World,
        Self::Custom,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held => "held",
            Self::Bonus => "bonus",
            Self::Receivable => "receivable",
            Self::PspClearing => "psp_clearing",
            Self::PayoutsInTransit => "payouts_in_transit",
            Self::Fees => "fees",
            Self::Adjustments => "adjustments",
            Self::OpeningBalances => "opening_balances",
            Self::World => "world",
            Self::Custom => "custom",
        }
    }

    /// Whether accounts of this kind belong to a player's wallet and may never be negative.
    pub fn is_wallet(self) -> bool {
        matches!(self, Self::Available | Self::Held | Self::Bonus)
    }

    pub fn may_go_negative(self) -> bool {
        !self.is_wallet()
    }
}

impl FromStr for AccountKind {
    type Err = InvalidAccountCode;

    fn from_str(text: &str) -> Result<Self, InvalidAccountCode> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or(InvalidAccountCode)
    }
}

/// The name of an account, unique per tenant and currency: `psp_clearing:mockpsp`,
/// `wallet:0192…:available`, or the caller's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountCode(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account code has 1 to 128 of A-Z, a-z, 0-9, '_', '-', '.' and ':'")]
pub struct InvalidAccountCode;

impl AccountCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn wallet(player: PlayerId, kind: AccountKind) -> Self {
        Self(format!("wallet:{player}:{}", kind.as_str()))
    }

    pub fn psp_clearing(provider: &ProviderKey) -> Self {
        Self(format!("psp_clearing:{provider}"))
    }

    pub fn payouts_in_transit(provider: Option<&ProviderKey>) -> Self {
        match provider {
            Some(provider) => Self(format!("payouts_in_transit:{provider}")),
            None => Self("payouts_in_transit:manual".into()),
        }
    }

    /// An account that a tenant has once per currency.
    pub fn of_tenant(kind: AccountKind) -> Self {
        Self(kind.as_str().to_owned())
    }

    /// Whether the code is one that Mizan opens by itself and a caller may not.
    pub fn is_reserved(&self) -> bool {
        let head = self.0.split(':').next().unwrap_or_default();
        head == "wallet" || (head != "custom" && head.parse::<AccountKind>().is_ok())
    }
}

impl FromStr for AccountCode {
    type Err = InvalidAccountCode;

    fn from_str(text: &str) -> Result<Self, InvalidAccountCode> {
        let good = |it: u8| it.is_ascii_alphanumeric() || b"_-.:".contains(&it);
        if (1..=128).contains(&text.len()) && text.bytes().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAccountCode)
        }
    }
}

impl fmt::Display for AccountCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account as it was opened. None of this ever changes, so it may be kept in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub code: AccountCode,
    pub kind: AccountKind,
    pub currency: Currency,
    pub player: Option<PlayerId>,
    pub may_go_negative: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_mizan_opens_are_reserved() {
        let check = |code: &str, reserved: bool| {
            assert_eq!(
                code.parse::<AccountCode>().unwrap().is_reserved(),
                reserved,
                "{code}"
            );
        };
        check("psp_clearing:mockpsp", true);
        check("wallet:x:available", true);
        check("available", true);
        check("fees", true);
        check("float:tr", false);
        check("custom:a", false);
        check("marketing", false);
    }

    #[test]
    fn codes_outside_the_alphabet_are_refused() {
        for bad in [
            "",
            "a b",
            "a/b",
            "ş",
            "a'; DROP TABLE accounts; --",
            &"a".repeat(129),
        ] {
            assert!(bad.parse::<AccountCode>().is_err(), "{bad}");
        }
    }
}

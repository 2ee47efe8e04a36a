//! Ids. New ones are time-ordered (UUIDv7), so that unique keys grow at their end.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new time-ordered id.
            #[expect(clippy::new_without_default, reason = "an id is made on purpose, never by default")]
            #[expect(clippy::disallowed_methods, reason = "the one place where ids are made")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

uuid_id! {
    /// A ledger transaction: one or more transfers that post together or not at all.
    TransactionId,
    /// A person whose money the operator holds.
    PlayerId,
    /// A person who works for the operator.
    StaffId,
    /// An API key of a service.
    ApiKeyId,
    DepositId,
    WithdrawalId,
    /// One payout attempt of a withdrawal; its provider key is derived from this id.
    AttemptId,
    /// A row of the raw webhook inbox.
    WebhookEventId,
    /// A reconciliation run.
    RunId,
    FindingId,
    /// A provider's or a bank's statement that was uploaded.
    StatementId,
    /// A proposed correction of the ledger, made for a finding.
    AdjustmentId,
}

impl TransactionId {
    /// The one transaction that `effect` of `subject` can ever have.
    ///
    /// The id is a function of both, and transaction ids are unique per tenant, so an effect cannot be posted
    /// twice whatever the callers race on. It keeps the subject's time bits (UUIDv8 laid out like v7), so it
    /// lands near its neighbours in the unique key.
    pub fn of_effect(subject: Uuid, effect: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"mizan.effect.v1\0");
        hash.update(subject.as_bytes());
        hash.update(effect.as_bytes());
        let digest = hash.finalize();
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&subject.as_bytes()[..6]);
        bytes[6..].copy_from_slice(&digest[..10]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl AttemptId {
    /// The idempotency key that the provider is given: derived from the attempt, the same on every retry.
    pub fn provider_key(self) -> String {
        format!("mizan-payout-{}", self.0.simple())
    }
}

/// The number of a tenant inside one installation. Never shown: people see its [`TenantKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub i32);

/// The number of a ledger account inside one installation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

/// A name that is safe in paths, variable names and metric labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a key: use 1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or digit")]
pub struct InvalidKey(pub String);

fn check_key(text: &str) -> Result<String, InvalidKey> {
    let first = text
        .bytes()
        .next()
        .is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    let rest = text
        .bytes()
        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-' || it == b'_');
    if first && rest && text.len() <= 63 {
        Ok(text.to_owned())
    } else {
        Err(InvalidKey(text.chars().take(63).collect()))
    }
}

macro_rules! key {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidKey;

            fn from_str(text: &str) -> Result<Self, InvalidKey> {
                check_key(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidKey;

            fn try_from(text: String) -> Result<Self, InvalidKey> {
                check_key(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

key! {
    /// What people and clients call a tenant: `default`, `acme-tr`.
    TenantKey,
    /// The key of one provider connection, unique in the installation: `mockpsp`, `stripe-tr`.
    ProviderKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_has_one_transaction_id_near_its_subject_in_time() {
        let (one, two) = (WithdrawalId::new().0, WithdrawalId::new().0);
        assert_eq!(
            TransactionId::of_effect(one, "hold"),
            TransactionId::of_effect(one, "hold")
        );
        assert_ne!(
            TransactionId::of_effect(one, "hold"),
            TransactionId::of_effect(one, "paid")
        );
        assert_ne!(
            TransactionId::of_effect(one, "hold"),
            TransactionId::of_effect(two, "hold")
        );
        let id = TransactionId::of_effect(one, "hold").0;
        assert_eq!(id.as_bytes()[..6], one.as_bytes()[..6]);
        assert_eq!(id.get_version_num(), 8);
    }

    #[test]
    fn keys_are_safe_in_paths_and_labels() {
        for good in ["mockpsp", "stripe-tr", "a", "7", "acme_2"] {
            assert!(good.parse::<ProviderKey>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a/b", "a b", "ş", &"a".repeat(64), "a\n"] {
            assert!(bad.parse::<ProviderKey>().is_err(), "{bad}");
        }
    }
}

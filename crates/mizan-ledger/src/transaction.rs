//! What a caller asks the ledger to post.

use std::borrow::Cow;

use mizan_core::{AccountId, Money, TransactionId};
use sha2::{Digest, Sha256};

/// Moves an amount: debits one account, credits the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Money,
}

/// What a posting is about: `deposit_capture`, `withdrawal_hold`, or the caller's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingKind(Cow<'static, str>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a posting kind has 1 to 48 of a-z, 0-9 and '_'")]
pub struct InvalidPostingKind;

impl PostingKind {
    pub const TRANSFER: Self = Self(Cow::Borrowed("transfer"));
    pub const REVERSAL: Self = Self(Cow::Borrowed("reversal"));
    pub const ADJUSTMENT: Self = Self(Cow::Borrowed("adjustment"));
    pub const DEPOSIT_CAPTURE: Self = Self(Cow::Borrowed("deposit_capture"));
    pub const DEPOSIT_REFUND: Self = Self(Cow::Borrowed("deposit_refund"));
    pub const DEPOSIT_CHARGEBACK: Self = Self(Cow::Borrowed("deposit_chargeback"));
    pub const WITHDRAWAL_HOLD: Self = Self(Cow::Borrowed("withdrawal_hold"));
    pub const WITHDRAWAL_RELEASE: Self = Self(Cow::Borrowed("withdrawal_release"));
    pub const WITHDRAWAL_PAID: Self = Self(Cow::Borrowed("withdrawal_paid"));

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a kind from outside or from a store.
    pub fn parse(text: &str) -> Result<Self, InvalidPostingKind> {
        let good = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
        if (1..=48).contains(&text.len()) && text.bytes().all(good) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(InvalidPostingKind)
        }
    }
}

/// Transfers that post together or not at all. The caller picks the id, so that asking again is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransaction {
    pub id: TransactionId,
    pub kind: PostingKind,
    /// Applied in this order.
    pub legs: Vec<Transfer>,
    /// The transaction that this one undoes.
    pub reverses: Option<TransactionId>,
    /// What it is about outside the ledger: a withdrawal, a provider's reference. Up to 128 bytes.
    pub reference: Option<String>,
    /// The caller's own JSON object, kept as it came. Up to 4 KiB.
    pub metadata: Option<String>,
}

impl NewTransaction {
    /// The most transfers that one transaction may have.
    pub const MAX_LEGS: usize = 1_000;

    /// What must be equal for a second transaction with the same id to be a repetition of the first.
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(self.kind.as_str().as_bytes());
        field(self.reverses.map_or([0; 16], |it| *it.0.as_bytes()).as_slice());
        field(self.reference.as_deref().unwrap_or_default().as_bytes());
        field(self.metadata.as_deref().unwrap_or_default().as_bytes());
        for leg in &self.legs {
            field(&leg.debit.0.to_le_bytes());
            field(&leg.credit.0.to_le_bytes());
            field(&leg.amount.minor.to_le_bytes());
            field(leg.amount.currency.code().as_bytes());
        }
        let digest = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        short
    }
}

//! The simulator's events: made-up ids, and the body that is sent.

use mizan_core::{Money, Timestamp};
use mizan_payments::EventKind;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Something that happened, as the statement and the webhook tell it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub id: String,
    pub kind: EventKind,
    pub provider_ref: String,
    pub player: String,
    pub tenant: String,
    pub amount: Money,
    pub withdrawal: Option<String>,
    pub at: Timestamp,
}

#[derive(Serialize)]
struct Body<'a> {
    provider_event_id: &'a str,
    event_type: &'static str,
    provider_ref: &'a str,
    player_id: &'a str,
    tenant_id: &'a str,
    amount: String,
    currency: &'a str,
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id: Option<&'a str>,
}

impl Event {
    /// The bytes of the webhook.
    pub(super) fn body(&self) -> Vec<u8> {
        let body = Body {
            provider_event_id: &self.id,
            event_type: self.kind.as_str(),
            provider_ref: &self.provider_ref,
            player_id: &self.player,
            tenant_id: &self.tenant,
            amount: self.amount.major(),
            currency: self.amount.currency.code(),
            occurred_at: self.at,
            tx_id: self.withdrawal.as_deref(),
        };
        serde_json::to_vec(&body).expect("a struct of texts is JSON")
    }

    /// The word of the statement for it; `None` where no money moved.
    pub(super) fn statement_type(&self) -> Option<&'static str> {
        match self.kind {
            EventKind::DepositCaptured => Some("deposit"),
            EventKind::DepositRefunded => Some("refund"),
            EventKind::DepositChargedBack => Some("chargeback"),
            EventKind::WithdrawPaid => Some("withdraw"),
            _ => None,
        }
    }
}

/// The id of thing number `number` of its kind: the same for the same seed.
pub(super) fn made_up_id(seed: u64, prefix: &str, number: u64) -> String {
    format!("{prefix}_{}", hex::encode(&digest(seed, prefix, number)[..12]))
}

/// Random numbers of their own for one thing.
pub(super) fn draw(seed: u64, purpose: &str, number: u64) -> StdRng {
    StdRng::from_seed(digest(seed, purpose, number))
}

fn digest(seed: u64, purpose: &str, number: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"mizan.mockpsp\0");
    hash.update(seed.to_be_bytes());
    hash.update(number.to_be_bytes());
    hash.update(purpose.as_bytes());
    hash.finalize().into()
}

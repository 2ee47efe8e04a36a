//! What Mizan believes happened at a provider: the ledger's side of a reconciliation.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{Money, ProviderKey, TimeWindow, Timestamp, TransactionId};

use crate::Result;

mizan_core::words! {
    /// The kinds of money effect, in the words of the reconciliation engine.
    pub enum EffectKind {
        Deposit = "deposit",
        Withdraw = "withdraw",
        Refund = "refund",
        Chargeback = "chargeback",
    }
}

/// One money effect of one provider event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEffect {
    pub provider: ProviderKey,
    pub provider_event_id: String,
    pub provider_ref: Option<String>,
    pub kind: EffectKind,
    /// Always positive.
    pub amount: Money,
    pub occurred_at: Timestamp,
    pub transaction: TransactionId,
    pub created_at: Timestamp,
}

/// Where a scan of a window goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectCursor {
    pub occurred_at: Timestamp,
    pub id: i64,
}

#[async_trait]
pub trait Effects {
    /// Records an effect; `false` if the event had one already, in which case nothing may be posted.
    async fn insert_effect(&mut self, effect: &ProviderEffect) -> Result<bool>;

    /// Records effects; how many of their events had none already.
    async fn insert_effects(&mut self, effects: &[ProviderEffect]) -> Result<u64>;

    /// Those of these events that had an effect.
    async fn with_effect(
        &mut self,
        events: &[(ProviderKey, String)],
    ) -> Result<HashSet<(ProviderKey, String)>>;

    async fn effect(&mut self, provider: &ProviderKey, event_id: &str) -> Result<Option<ProviderEffect>>;

    /// The effects of a window in order of time, `limit` at a time, with the cursor to go on after.
    async fn effects_in(
        &mut self,
        provider: &ProviderKey,
        window: TimeWindow,
        after: Option<EffectCursor>,
        limit: u32,
    ) -> Result<(Vec<ProviderEffect>, Option<EffectCursor>)>;
}

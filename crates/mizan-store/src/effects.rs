//! What Mizan believes happened at a provider: the ledger's side of a reconciliation.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::{Money, ProviderKey, TimeWindow, Timestamp, TransactionId};
use mizan_recon::{LineBatch, LineFields, LineKind, LineStatus};

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

/// Takes the ledger's side of a reconciliation, batch by batch.
#[async_trait]
pub trait EffectSink: Send {
    /// False: nobody wants the rest.
    async fn take(&mut self, batch: LineBatch) -> bool;
}

/// Rows of one batch: enough that handing it over costs little.
pub const BATCH: u32 = 5_000;

/// Appends an effect as the row that the reconciliation engine compares.
pub fn push_line(batch: &mut LineBatch, row_no: u64, effect: &ProviderEffect) {
    batch.push(&LineFields {
        row_no,
        event_id: Some(&effect.provider_event_id),
        reference: effect.provider_ref.as_deref(),
        kind: effect.kind.line_kind(),
        amount_minor: effect.amount.minor,
        fee_minor: None,
        currency: effect.amount.currency,
        status: LineStatus::Settled,
        occurred_at: effect.occurred_at,
        payout_id: None,
        transaction_id: Some(&effect.transaction.to_string()),
    });
}

impl EffectKind {
    pub fn line_kind(self) -> LineKind {
        match self {
            Self::Deposit => LineKind::Deposit,
            Self::Withdraw => LineKind::Withdraw,
            Self::Refund => LineKind::Refund,
            Self::Chargeback => LineKind::Chargeback,
        }
    }
}

#[async_trait]
pub trait Effects: Send {
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

    /// Hands on the effects of a window as rows, numbered from 1 in order of time; a batch at a time, so that the
    /// window may hold any number of them.
    async fn stream_effects(
        &mut self,
        provider: &ProviderKey,
        window: TimeWindow,
        to: &mut dyn EffectSink,
    ) -> Result<()> {
        let (mut after, mut row_no) = (None, 0);
        loop {
            let (rows, next) = self.effects_in(provider, window, after, BATCH).await?;
            let mut batch = LineBatch::default();
            for effect in &rows {
                row_no += 1;
                push_line(&mut batch, row_no, effect);
            }
            let wanted = batch.is_empty() || to.take(batch).await;
            match next {
                Some(_) if wanted => after = next,
                _ => return Ok(()),
            }
        }
    }
}

//! Corrections of the ledger that findings lead to: proposed by one person, approved by another.

use async_trait::async_trait;
use mizan_core::{AccountId, AdjustmentId, FindingId, Money, Timestamp, TransactionId};

use crate::{Page, Paged, Result};

mizan_core::words! {
    pub enum AdjustmentState {
        Proposed = "proposed",
        /// Posted: `transaction` names what was posted.
        Approved = "approved",
        Rejected = "rejected",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingAdjustment {
    pub id: AdjustmentId,
    pub finding: FindingId,
    pub debit: AccountId,
    pub credit: AccountId,
    /// Positive.
    pub amount: Money,
    pub reason: String,
    pub state: AdjustmentState,
    pub proposed_by: String,
    pub proposed_at: Timestamp,
    pub decided_by: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub decision_reason: Option<String>,
    pub transaction: Option<TransactionId>,
}

#[async_trait]
pub trait FindingAdjustments {
    /// Proposes a correction; `false` if the finding has one that nobody has decided on yet.
    async fn insert_adjustment(&mut self, adjustment: &FindingAdjustment) -> Result<bool>;

    async fn adjustment(&mut self, id: AdjustmentId) -> Result<Option<FindingAdjustment>>;

    /// Its finding is locked first.
    async fn lock_adjustment(&mut self, id: AdjustmentId) -> Result<Option<FindingAdjustment>>;

    /// Writes `state`, `decided_by`, `decided_at`, `decision_reason` and `transaction`.
    async fn update_adjustment(&mut self, adjustment: &FindingAdjustment) -> Result<()>;

    /// Newest first; of one finding or of all, in one state or in any.
    async fn adjustments(
        &mut self,
        finding: Option<FindingId>,
        state: Option<AdjustmentState>,
        page: &Page<AdjustmentId>,
    ) -> Result<Paged<FindingAdjustment, AdjustmentId>>;
}

//! Withdrawals.

use async_trait::async_trait;
use mizan_core::{PlayerId, ProviderKey, Timestamp, WithdrawalId};
use mizan_payments::withdrawal::{Withdrawal, WithdrawalState};

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, Default)]
pub struct WithdrawalFilter {
    pub state: Option<WithdrawalState>,
    pub provider: Option<ProviderKey>,
    pub player: Option<PlayerId>,
    /// Requested at or after.
    pub from: Option<Timestamp>,
    /// Requested before.
    pub to: Option<Timestamp>,
}

#[async_trait]
pub trait Withdrawals {
    async fn insert_withdrawal(&mut self, withdrawal: &Withdrawal) -> Result<()>;

    async fn withdrawal(&mut self, id: WithdrawalId) -> Result<Option<Withdrawal>>;

    /// Reads a withdrawal and locks it until the transaction ends. It is always locked before any balance.
    async fn lock_withdrawal(&mut self, id: WithdrawalId) -> Result<Option<Withdrawal>>;

    /// Writes everything that can change: state, provider, review, reason, paid_at, updated_at.
    async fn update_withdrawal(&mut self, withdrawal: &Withdrawal) -> Result<()>;

    /// Newest first.
    async fn withdrawals(
        &mut self,
        filter: &WithdrawalFilter,
        page: &Page<WithdrawalId>,
    ) -> Result<Paged<Withdrawal, WithdrawalId>>;
}

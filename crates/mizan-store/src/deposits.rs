//! Deposits.

use async_trait::async_trait;
use mizan_core::{DepositId, PlayerId, ProviderKey};
use mizan_payments::deposit::Deposit;

use crate::{Page, Paged, Result};

#[async_trait]
pub trait Deposits {
    /// Inserts a deposit; `false` if the provider's reference has one already.
    async fn insert_deposit(&mut self, deposit: &Deposit) -> Result<bool>;

    /// Inserts deposits; how many of their references had none already.
    async fn insert_deposits(&mut self, deposits: &[&Deposit]) -> Result<u64>;

    async fn deposit(&mut self, id: DepositId) -> Result<Option<Deposit>>;

    /// Finds and locks the deposit with a provider's reference.
    async fn lock_deposit_by_ref(
        &mut self,
        provider: &ProviderKey,
        provider_ref: &str,
    ) -> Result<Option<Deposit>>;

    /// Finds and locks, in order of provider and reference, the deposits that have one of these.
    async fn lock_deposits_by_ref(&mut self, wanted: &[(ProviderKey, String)]) -> Result<Vec<Deposit>>;

    /// Writes `state`, `refunded`, `charged_back`, `captured_at` and `updated_at`.
    async fn update_deposit(&mut self, deposit: &Deposit) -> Result<()>;

    /// The same for many.
    async fn update_deposits(&mut self, deposits: &[&Deposit]) -> Result<()>;

    /// Newest first.
    async fn deposits(
        &mut self,
        player: Option<PlayerId>,
        page: &Page<DepositId>,
    ) -> Result<Paged<Deposit, DepositId>>;
}

//! Payout attempts. Their withdrawal is locked before one of them is touched.

use async_trait::async_trait;
use mizan_core::WithdrawalId;
use mizan_payments::payout::Attempt;

use crate::Result;

#[async_trait]
pub trait Payouts {
    /// Inserts an attempt; `false` if the withdrawal has an open one.
    async fn insert_attempt(&mut self, attempt: &Attempt) -> Result<bool>;

    /// The open attempt of a withdrawal.
    async fn open_attempt(&mut self, withdrawal: WithdrawalId) -> Result<Option<Attempt>>;

    /// All attempts of a withdrawal, first one first.
    async fn attempts(&mut self, withdrawal: WithdrawalId) -> Result<Vec<Attempt>>;

    /// Writes `provider_ref`, `state`, `error` and `updated_at`.
    async fn update_attempt(&mut self, attempt: &Attempt) -> Result<()>;
}

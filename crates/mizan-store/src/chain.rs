//! The stored side of the tamper-evidence chain.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_ledger::chain::{Block, Head, JournalRow};

use crate::Result;

#[async_trait]
pub trait Chain {
    /// Takes the right to seal until the transaction ends; `false` if another process is sealing.
    async fn lock_chain(&mut self) -> Result<bool>;

    /// The end of the chain; [`Head::EMPTY`] before the first block.
    async fn chain_head(&mut self) -> Result<Head>;

    /// The highest `seq` up to which no transaction is under way any more, so that no row can still appear
    /// below it. Waits for the postings that are under way, and only for them.
    async fn complete_up_to(&mut self) -> Result<i64>;

    async fn insert_block(&mut self, block: &Block, sealed_at: Timestamp) -> Result<()>;

    /// Blocks in order, after `no`.
    async fn blocks_after(&mut self, no: i64, limit: u32) -> Result<Vec<Block>>;

    /// Journal rows of all tenants with `after < seq <= up_to`, in order.
    async fn journal_rows(&mut self, after: i64, up_to: i64, limit: u32) -> Result<Vec<JournalRow>>;
}

//! A batch of the writer: what it reads before it decides, and what it leaves behind.
//!
//! Both are asked for as a whole, so that a store can send everything in one go. As written here, each is the same
//! as its parts one by one.

use async_trait::async_trait;
use mizan_core::{AccountId, Minor, TransactionId};
use mizan_ledger::Known;

use crate::Result;
use crate::idempotency::{Idempotency, IdempotencyKey, KeptReply, UsedKeys};
use crate::transfers::{PostingBatch, Transfers};

/// What a batch is decided by.
#[derive(Debug, Default)]
pub struct Before {
    /// Those of the keys that were used, with the replies they were given.
    pub used: UsedKeys,
    /// As [`Transfers::lock_balances`] answers.
    pub balances: Vec<(AccountId, Minor)>,
    /// As [`Transfers::known_transactions`] answers.
    pub known: Known,
}

#[async_trait]
pub trait Batches: Idempotency + Transfers {
    /// Locks the balances, then reads what was committed before: replies of keys, and fingerprints of transactions.
    async fn before_batch(
        &mut self,
        keys: &[&IdempotencyKey],
        accounts: &[AccountId],
        ids: &[TransactionId],
        rows: usize,
    ) -> Result<Before> {
        Ok(Before {
            balances: self.lock_balances(accounts).await?,
            used: self.used_keys(keys).await?,
            known: self.known_transactions(ids, rows).await?,
        })
    }

    /// Appends the journal rows, changes the balances and keeps the replies.
    async fn after_batch(&mut self, postings: &PostingBatch<'_>, replies: &[KeptReply<'_>]) -> Result<()> {
        if !postings.transactions.is_empty() {
            self.write_postings(postings).await?;
        }
        self.insert_replies(replies, postings.posted_at).await
    }
}

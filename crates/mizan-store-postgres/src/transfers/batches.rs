//! A batch of the writer in three round trips: BEGIN with everything that is read, everything that is written, COMMIT.

use async_trait::async_trait;
use futures::try_join;
use mizan_core::{AccountId, TransactionId};
use mizan_store::batches::{Batches, Before};
use mizan_store::idempotency::{IdempotencyKey, KeptReply};
use mizan_store::transfers::PostingBatch;
use mizan_store::{Result, StoreError};

use super::{COPY_FROM, Changes, INSERT_JOURNAL, KNOWN, LOCK_BALANCES, LOCK_POSTING, UPDATE_BALANCES, lines};
use crate::idempotency::{INSERT_REPLIES, USED_MANY};
use crate::tx::PgTx;

#[async_trait]
impl Batches for PgTx {
    /// One round trip. Nothing of it writes, so it leaves together with BEGIN; the reads are statements of their
    /// own, later than the lock.
    async fn before_batch(
        &mut self,
        keys: &[&IdempotencyKey],
        accounts: &[AccountId],
        ids: &[TransactionId],
    ) -> Result<Before> {
        let locking: Vec<i64> = accounts.iter().map(|it| it.0).collect();
        let this = &*self;
        this.session
            .prepare(&[LOCK_POSTING, LOCK_BALANCES, USED_MANY, KNOWN])
            .await?;
        let ((), _, balances, used, known) = try_join!(
            this.session.begin(),
            this.session.rows(LOCK_POSTING, &[]),
            this.lock_these(&locking),
            this.read_used_keys(keys),
            this.known_of(ids),
        )?;
        self.note_locked(&locking);
        Ok(Before {
            used,
            balances,
            known,
        })
    }

    /// One round trip, and two more for a COPY.
    async fn after_batch(&mut self, postings: &PostingBatch<'_>, replies: &[KeptReply<'_>]) -> Result<()> {
        let lines = lines(postings)?;
        let changes = Changes::of(&postings.deltas, &self.locked)?;
        let this = &*self;
        this.session
            .prepare(&[INSERT_JOURNAL, LOCK_BALANCES, UPDATE_BALANCES, INSERT_REPLIES])
            .await?;
        let append = async {
            let written = match lines.len() {
                0 => 0,
                1..COPY_FROM => this.insert_journal(&lines, postings.posted_at).await?,
                _ => this.copy_journal(&lines, postings.posted_at).await?,
            };
            StoreError::expect_rows("INSERT_JOURNAL", lines.len() as u64, written)
        };
        let settle = async {
            try_join!(this.lock_open(&changes), this.change_balances(&changes))?;
            Ok(())
        };
        let reply = this.write_replies(replies, postings.posted_at);
        if lines.len() < COPY_FROM {
            try_join!(append, settle, reply)?;
        } else {
            append.await?;
            try_join!(settle, reply)?;
        }
        Ok(())
    }
}

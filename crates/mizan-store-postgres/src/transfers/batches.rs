//! A batch of the writer in three round trips: BEGIN with everything that is read, everything that is written, COMMIT.

use async_trait::async_trait;
use futures::try_join;
use mizan_core::{AccountId, TransactionId};
use mizan_store::Result;
use mizan_store::batches::{Batches, Before};
use mizan_store::idempotency::{IdempotencyKey, KeptReply};
use mizan_store::transfers::PostingBatch;

use super::{
    COPY_FROM, Changes, DRAW_NUMBERS, INSERT_JOURNAL, KNOWN, LOCK_BALANCES, LOCK_POSTING, UPDATE_BALANCES,
    count, lines,
};
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
        rows: usize,
    ) -> Result<Before> {
        let locking: Vec<i64> = accounts.iter().map(|it| it.0).collect();
        let this = &*self;
        this.session
            .prepare(&[LOCK_POSTING, LOCK_BALANCES, USED_MANY, KNOWN, DRAW_NUMBERS])
            .await?;
        let ((), _, balances, used, known, numbers) = try_join!(
            this.session.begin(),
            this.session.rows(LOCK_POSTING, &[]),
            this.lock_these(&locking),
            this.read_used_keys(keys),
            this.known_of(ids),
            this.draw_numbers(rows),
        )?;
        self.numbers = numbers;
        self.note_locked(&locking);
        Ok(Before {
            used,
            balances,
            known,
        })
    }

    /// One round trip, and four more for two COPYs.
    async fn after_batch(&mut self, postings: &PostingBatch<'_>, replies: &[KeptReply<'_>]) -> Result<()> {
        let numbers = self.take_numbers(count(postings)).await?;
        let lines = lines(postings, &numbers)?;
        let changes = Changes::of(&postings.deltas, &self.locked)?;
        let this = &*self;
        this.session
            .prepare(&[INSERT_JOURNAL, LOCK_BALANCES, UPDATE_BALANCES, INSERT_REPLIES])
            .await?;
        let append = this.append(&lines, postings.posted_at);
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

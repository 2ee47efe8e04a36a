//! One batch of one tenant: read, decide, write postings and replies, commit, answer everyone.
//!
//! Keys are not claimed first: a reply is kept together with what it tells of, and where a rival in another process
//! kept one under the same key in between, the batch is undone and posted again, and finds it.

use mizan_core::{Clock, TenantId, Timestamp};
use mizan_ledger::posting::{Group, decide_batch};
use mizan_ledger::{Refusal, Verdict};
use mizan_store::idempotency::KeptReply;
use mizan_store::{Store, StoreError, Tx};

use super::{Shape, Waiting};
use crate::posting::{self, Reads, Touched};
use crate::transfers::TransactionView;
use crate::views::{BulkView, VerdictView};
use crate::{FlowError, Reply, Result};

/// How often a batch is tried when rivals come first.
const TRIES: usize = 5;

/// Posts a batch and answers everyone in it.
pub(super) async fn post(store: &dyn Store, clock: &dyn Clock, tenant: TenantId, batch: Vec<Waiting>) {
    let mut reads = Reads::Needed;
    let mut tries = 0;
    let answers = loop {
        tries += 1;
        match attempt(store, tenant, &batch, reads, clock.now()).await {
            Ok(answers) => break answers,
            // One transaction would overflow an account that is not read: read all, and refuse that one alone.
            Err(StoreError::Overflow) if reads == Reads::Needed => reads = Reads::All,
            Err(error) if error.may_retry() && tries < TRIES => {
                metrics::counter!("mizan_collisions_total", "story" => "posting").increment(1);
                tracing::debug!(%error, "another transaction came first, posting the batch again");
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a batch was not posted");
                break batch.iter().map(|_| Err(shared(&error))).collect();
            }
        }
    };
    for (waiting, answer) in batch.into_iter().zip(answers) {
        // A caller that hung up is answered by its key when it comes again.
        let _ = waiting.answer.send(answer);
    }
}

/// The same store error for every caller of a batch.
fn shared(error: &StoreError) -> FlowError {
    FlowError::Store(match error {
        StoreError::Collision { what } => StoreError::Collision { what: what.clone() },
        StoreError::Overflow => StoreError::Overflow,
        StoreError::Unavailable(source) => StoreError::Unavailable(source.to_string().into()),
        StoreError::NotMigrated(source) => StoreError::NotMigrated(source.to_string().into()),
        other => StoreError::Database(other.to_string().into()),
    })
}

async fn attempt(
    store: &dyn Store,
    tenant: TenantId,
    batch: &[Waiting],
    reads: Reads,
    now: Timestamp,
) -> Result<Vec<Result<Reply>>, StoreError> {
    let mut touched = Touched::new(reads);
    for it in batch {
        touched.add(&it.request.group, &it.request.accounts);
    }
    let keys: Vec<_> = batch.iter().map(|it| &it.request.key.key).collect();
    let mut tx = store.begin(tenant).await?;
    let before = tx
        .before_batch(&keys, &touched.locked(), &touched.ids, touched.rows)
        .await?;
    let mut answers: Vec<Option<Result<Reply>>> = batch
        .iter()
        .map(|it| Some(it.request.key.answer_of(before.used.get(&it.request.key.key)?)))
        .collect();
    let open: Vec<&Waiting> = batch
        .iter()
        .zip(&answers)
        .filter_map(|(it, answer)| answer.is_none().then_some(it))
        .collect();
    let groups: Vec<&Group> = open.iter().map(|it| &it.request.group).collect();
    let mut book = touched.book(before.balances);
    let verdicts = decide_batch(&groups, &before.known, &mut book);
    let mut made = Vec::with_capacity(open.len());
    for (waiting, verdicts) in open.iter().zip(&verdicts) {
        made.push(reply(&mut *tx, waiting, verdicts, now).await?);
    }
    // What was refused keeps nothing: it may be sent again with its key.
    let mut kept: Vec<KeptReply<'_>> = open
        .iter()
        .zip(&made)
        .filter_map(|(it, made)| Some(it.request.key.kept(made.as_ref().ok()?)))
        .collect();
    kept.sort_unstable_by_key(|it| it.key);
    let postings = posting::decided(&groups, &verdicts, &book, now);
    tx.after_batch(&postings, &kept).await?;
    tx.commit().await?;
    drop(kept);
    for (answer, made) in answers.iter_mut().filter(|it| it.is_none()).zip(made) {
        *answer = Some(made);
    }
    Ok(answers
        .into_iter()
        .map(|it| it.unwrap_or(Err(FlowError::Interrupted)))
        .collect())
}

/// Makes the reply. A transaction whose rows are in the archive is known to be posted and cannot be shown: that is
/// the trouble of whoever asks for it alone, not of the batch.
async fn reply(
    tx: &mut dyn Tx,
    waiting: &Waiting,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Result<Reply>, StoreError> {
    let request = &waiting.request;
    Ok(
        match (
            request.shape,
            verdicts.first(),
            request.group.transactions.first(),
        ) {
            (Shape::Single, Some(Verdict::Refused(refusal)), _) => Err(refusal.clone().into()),
            (Shape::Single, Some(Verdict::Posted(_)), Some(transaction)) => Ok(Reply::made(
                201,
                &TransactionView::of_new(transaction, &request.accounts, now),
            )),
            (Shape::Single, Some(Verdict::Replayed), Some(transaction)) => {
                match tx.transaction(transaction.id).await {
                    Ok(Some(stored)) => {
                        let view = TransactionView::of_stored(&stored, &request.accounts);
                        Ok(Reply {
                            replayed: true,
                            ..Reply::made(200, &view)
                        })
                    }
                    Ok(None) => Err(Refusal::IdConflict.into()),
                    Err(error @ StoreError::Archived { .. }) => Err(error.into()),
                    Err(error) => return Err(error),
                }
            }
            (Shape::Single, ..) => Err(Refusal::NoTransfers.into()),
            (Shape::Bulk, ..) => {
                let ids = request.group.transactions.iter().map(|it| it.id);
                let items = ids
                    .zip(verdicts)
                    .map(|(id, it)| VerdictView::of(id, it))
                    .collect();
                Ok(Reply::made(200, &BulkView::of(items)))
            }
        },
    )
}

//! One batch of one tenant: claim the keys, post, keep the replies, commit, answer everyone.

use std::collections::HashMap;

use mizan_core::{Clock, TenantId, Timestamp};
use mizan_ledger::posting::Group;
use mizan_ledger::{Refusal, Verdict};
use mizan_store::{Store, StoreError, Tx};

use super::{Shape, Waiting};
use crate::posting::{self, Reads};
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
    let mut tx = store.begin(tenant).await?;
    let mut answers: Vec<Option<Result<Reply>>> = Vec::with_capacity(batch.len());
    for waiting in batch {
        answers.push(match waiting.request.key.claim(&mut *tx, now).await {
            Ok(None) => None,
            Ok(Some(reply)) => Some(Ok(reply)),
            Err(FlowError::Store(error)) => return Err(error),
            Err(other) => Some(Err(other)),
        });
    }
    let open: Vec<usize> = (0..batch.len()).filter(|it| answers[*it].is_none()).collect();
    let mut accounts = HashMap::new();
    let mut groups: Vec<Group> = Vec::with_capacity(open.len());
    for index in &open {
        let request = &batch[*index].request;
        accounts.extend(request.accounts.iter().map(|(id, it)| (*id, it.clone())));
        groups.push(request.group.clone());
    }
    let verdicts = posting::post(&mut *tx, &accounts, &groups, reads, now).await?;
    for (index, verdicts) in open.into_iter().zip(verdicts) {
        answers[index] = Some(reply(&mut *tx, &batch[index], &verdicts, now).await?);
    }
    tx.commit().await?;
    Ok(answers
        .into_iter()
        .map(|it| it.unwrap_or(Err(FlowError::Interrupted)))
        .collect())
}

/// Makes the reply and keeps it with its key; what was refused gives its key back.
async fn reply(
    tx: &mut dyn Tx,
    waiting: &Waiting,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Result<Reply>, StoreError> {
    let request = &waiting.request;
    let made = match (
        request.shape,
        verdicts.first(),
        request.group.transactions.first(),
    ) {
        (Shape::Single, Some(Verdict::Refused(refusal)), _) => Err(refusal.clone()),
        (Shape::Single, Some(Verdict::Posted(_)), Some(transaction)) => Ok(Reply::made(
            201,
            &TransactionView::of_new(transaction, &request.accounts, now),
        )),
        (Shape::Single, Some(Verdict::Replayed), Some(transaction)) => {
            match tx.transaction(transaction.id).await? {
                Some(stored) => {
                    let view = TransactionView::of_stored(&stored, &request.accounts);
                    Ok(Reply {
                        replayed: true,
                        ..Reply::made(200, &view)
                    })
                }
                None => Err(Refusal::IdConflict),
            }
        }
        (Shape::Single, ..) => Err(Refusal::NoTransfers),
        (Shape::Bulk, ..) => {
            let ids = request.group.transactions.iter().map(|it| it.id);
            let items = ids
                .zip(verdicts)
                .map(|(id, it)| VerdictView::of(id, it))
                .collect();
            Ok(Reply::made(200, &BulkView::of(items)))
        }
    };
    match made {
        Ok(reply) => match request.key.keep(tx, reply).await {
            Ok(reply) => Ok(Ok(reply)),
            Err(FlowError::Store(error)) => Err(error),
            Err(other) => Ok(Err(other)),
        },
        Err(refusal) => {
            tx.release_key(&request.key.key).await?;
            Ok(Err(refusal.into()))
        }
    }
}

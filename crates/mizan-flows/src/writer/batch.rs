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
    let mut answers = claim(&mut *tx, batch, now).await?;
    let open: Vec<usize> = (0..batch.len()).filter(|it| answers[*it].is_none()).collect();
    let mut accounts = HashMap::new();
    let mut groups: Vec<Group> = Vec::with_capacity(open.len());
    for index in &open {
        let request = &batch[*index].request;
        accounts.extend(request.accounts.iter().map(|(id, it)| (*id, it.clone())));
        groups.push(request.group.clone());
    }
    let verdicts = posting::post(&mut *tx, &accounts, &groups, reads, now).await?;
    let mut kept = Vec::with_capacity(open.len());
    for (index, verdicts) in open.into_iter().zip(verdicts) {
        let key = &batch[index].request.key;
        let made = reply(&mut *tx, &batch[index], &verdicts, now).await?;
        match &made {
            Ok(reply) => kept.push((key.key.clone(), reply.stored())),
            // What was refused gives its key back.
            Err(_) => tx.release_key(&key.key).await?,
        }
        answers[index] = Some(made.map_err(FlowError::from));
    }
    if !kept.is_empty() {
        tx.keep_replies(&kept).await?;
    }
    tx.commit().await?;
    Ok(answers
        .into_iter()
        .map(|it| it.unwrap_or(Err(FlowError::Interrupted)))
        .collect())
}

/// Claims the keys of a batch in order of key, and finds the replies of those that were used.
async fn claim(
    tx: &mut dyn Tx,
    batch: &[Waiting],
    now: Timestamp,
) -> Result<Vec<Option<Result<Reply>>>, StoreError> {
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_unstable_by(|a, b| batch[*a].request.key.key.cmp(&batch[*b].request.key.key));
    let claims: Vec<_> = order
        .iter()
        .map(|index| {
            let keyed = &batch[*index].request.key;
            (keyed.key.clone(), keyed.fingerprint.clone())
        })
        .collect();
    let mut answers: Vec<Option<Result<Reply>>> = batch.iter().map(|_| None).collect();
    for (index, claim) in order.into_iter().zip(tx.claim_keys(&claims, now).await?) {
        answers[index] = batch[index].request.key.answer(claim).transpose();
    }
    Ok(answers)
}

/// Makes the reply.
async fn reply(
    tx: &mut dyn Tx,
    waiting: &Waiting,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Result<Reply, Refusal>, StoreError> {
    let request = &waiting.request;
    Ok(
        match (
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
        },
    )
}

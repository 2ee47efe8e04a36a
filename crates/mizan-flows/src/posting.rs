//! Posting inside a story's own transaction: lock, read, decide, write.

use std::collections::{BTreeMap, HashMap};

use mizan_core::{AccountId, Timestamp};
use mizan_ledger::posting::{Group, decide_batch};
use mizan_ledger::{Account, Balance, Book, NewTransaction, Posted, Refusal, Verdict};
use mizan_store::transfers::PostingBatch;
use mizan_store::{Result as StoreResult, Tx};

use crate::Result;

/// Which balances a batch reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Those that can fail a check. Accounts that may go negative are changed without being read.
    Needed,
    /// All, so that an overflow is one transaction's refusal and not the end of the batch.
    All,
}

/// The accounts that a batch names, by id.
pub type Accounts = HashMap<AccountId, Account>;

/// Posts groups of transactions: locks the balances in order of account, reads which ids exist in a later
/// statement, decides in arrival order, writes what was decided. The caller commits.
pub async fn post(
    tx: &mut dyn Tx,
    accounts: &Accounts,
    groups: &[Group],
    reads: Reads,
    now: Timestamp,
) -> StoreResult<Vec<Vec<Verdict>>> {
    let mut touched: BTreeMap<AccountId, &Account> = BTreeMap::new();
    let mut ids = Vec::new();
    for transaction in groups.iter().flat_map(|it| &it.transactions) {
        ids.push(transaction.id);
        for leg in &transaction.legs {
            for id in [leg.debit, leg.credit] {
                if let Some(account) = accounts.get(&id) {
                    touched.insert(id, account);
                }
            }
        }
    }
    let locked: Vec<_> = touched
        .values()
        .filter(|it| reads == Reads::All || !it.may_go_negative)
        .map(|it| it.id)
        .collect();
    let posted: HashMap<_, _> = tx.lock_balances(&locked).await?.into_iter().collect();
    let known = tx.known_transactions(&ids).await?;

    // An account that should have been read and was not there is left out: its transactions are refused.
    let mut book = Book::new(touched.values().filter_map(|it| {
        let read = posted.get(&it.id).copied();
        let needed = reads == Reads::All || !it.may_go_negative;
        (read.is_some() || !needed).then_some(Balance {
            account: it.id,
            currency: it.currency,
            posted: read,
            may_go_negative: it.may_go_negative,
        })
    }));
    let verdicts = decide_batch(groups, &known, &mut book);
    let transactions: Vec<_> = groups
        .iter()
        .flat_map(|it| &it.transactions)
        .zip(verdicts.iter().flatten())
        .filter_map(|(transaction, verdict)| match verdict {
            Verdict::Posted(posted) => Some((transaction, posted.legs.as_slice())),
            _ => None,
        })
        .collect();
    if !transactions.is_empty() {
        tx.write_postings(&PostingBatch {
            transactions,
            deltas: book.deltas(),
            posted_at: now,
        })
        .await?;
    }
    Ok(verdicts)
}

/// Posts one transaction of a story. `None` if it was posted before.
pub async fn post_one(
    tx: &mut dyn Tx,
    accounts: &[&Account],
    transaction: NewTransaction,
    now: Timestamp,
) -> Result<Option<Posted>> {
    let accounts = accounts.iter().map(|it| (it.id, (*it).clone())).collect();
    let group = Group {
        transactions: vec![transaction],
        atomic: true,
    };
    let verdicts = post(tx, &accounts, &[group], Reads::Needed, now).await?;
    match verdicts.into_iter().flatten().next() {
        Some(Verdict::Posted(posted)) => Ok(Some(posted)),
        Some(Verdict::Replayed) => Ok(None),
        Some(Verdict::Refused(refusal)) => Err(refusal.into()),
        None => Err(Refusal::NoTransfers.into()),
    }
}

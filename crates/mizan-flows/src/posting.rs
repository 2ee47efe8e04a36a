//! Posting inside a story's own transaction: lock, read, decide, write.

use std::collections::{BTreeMap, HashMap};

use mizan_core::{AccountId, Minor, Timestamp, TransactionId};
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

/// What groups of transactions touch.
pub(crate) struct Touched<'a> {
    accounts: BTreeMap<AccountId, &'a Account>,
    pub(crate) ids: Vec<TransactionId>,
    /// How many journal rows they have if all of them post.
    pub(crate) rows: usize,
    reads: Reads,
}

impl<'a> Touched<'a> {
    pub(crate) fn new(reads: Reads) -> Self {
        Self {
            accounts: BTreeMap::new(),
            ids: Vec::new(),
            rows: 0,
            reads,
        }
    }

    pub(crate) fn add(&mut self, group: &Group, accounts: &'a Accounts) {
        for transaction in &group.transactions {
            self.ids.push(transaction.id);
            self.rows += transaction.legs.len();
            for leg in &transaction.legs {
                for id in [leg.debit, leg.credit] {
                    if let Some(account) = accounts.get(&id) {
                        self.accounts.insert(id, account);
                    }
                }
            }
        }
    }

    fn is_read(&self, account: &Account) -> bool {
        self.reads == Reads::All || !account.may_go_negative
    }

    /// The accounts whose balances have to be read and locked, in order.
    pub(crate) fn locked(&self) -> Vec<AccountId> {
        let read = self.accounts.values().filter(|it| self.is_read(it));
        read.map(|it| it.id).collect()
    }

    /// The book to decide on. An account that should have been read and was not there is left out: its
    /// transactions are refused.
    pub(crate) fn book(&self, balances: Vec<(AccountId, Minor)>) -> Book {
        let posted: HashMap<_, _> = balances.into_iter().collect();
        Book::new(self.accounts.values().filter_map(|it| {
            let read = posted.get(&it.id).copied();
            (read.is_some() || !self.is_read(it)).then_some(Balance {
                account: it.id,
                currency: it.currency,
                posted: read,
                may_go_negative: it.may_go_negative,
            })
        }))
    }
}

/// What is to be written of groups that were decided.
pub(crate) fn decided<'a>(
    groups: &[&'a Group],
    verdicts: &'a [Vec<Verdict>],
    book: &Book,
    now: Timestamp,
) -> PostingBatch<'a> {
    let transactions = groups
        .iter()
        .flat_map(|it| &it.transactions)
        .zip(verdicts.iter().flatten())
        .filter_map(|(transaction, verdict)| match verdict {
            Verdict::Posted(posted) => Some((transaction, posted.legs.as_slice())),
            _ => None,
        })
        .collect();
    PostingBatch {
        transactions,
        deltas: book.deltas(),
        posted_at: now,
    }
}

/// Posts groups of transactions: locks the balances in order of account, reads which ids exist in a later
/// statement, decides in arrival order, writes what was decided. The caller commits.
pub async fn post(
    tx: &mut dyn Tx,
    accounts: &Accounts,
    groups: &[Group],
    reads: Reads,
    now: Timestamp,
) -> StoreResult<Vec<Vec<Verdict>>> {
    let mut touched = Touched::new(reads);
    for group in groups {
        touched.add(group, accounts);
    }
    let balances = tx.lock_balances(&touched.locked()).await?;
    let known = tx.known_transactions(&touched.ids, touched.rows).await?;
    let mut book = touched.book(balances);
    let groups: Vec<&Group> = groups.iter().collect();
    let verdicts = decide_batch(&groups, &known, &mut book);
    let batch = decided(&groups, &verdicts, &book, now);
    if !batch.transactions.is_empty() {
        tx.write_postings(&batch).await?;
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

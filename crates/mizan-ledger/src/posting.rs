//! The decision: may this transaction post? One verdict each, in arrival order, cheapest check first.

use std::borrow::Borrow;
use std::collections::HashMap;

use mizan_core::{AccountId, Minor, TransactionId};

use crate::balance::{Balance, Book};
use crate::transaction::{NewTransaction, Transfer};

/// What became of one transaction of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Posted(Posted),
    /// The very same transaction is in the journal already; nothing was done.
    Replayed,
    Refused(Refusal),
}

/// A transaction that posts, with what its accounts hold after each leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub legs: Vec<PostedLeg>,
}

/// One journal row. The balances after it are known for accounts that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedLeg {
    pub transfer: Transfer,
    pub debit_after: Option<Minor>,
    pub credit_after: Option<Minor>,
}

/// Why a transaction does not post. Nothing of it is written, and its neighbours are not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a transaction needs at least one transfer")]
    NoTransfers,
    #[error("a transaction has at most {} transfers", NewTransaction::MAX_LEGS)]
    TooManyTransfers,
    #[error("an amount must be positive")]
    AmountNotPositive,
    #[error("a transfer needs two different accounts")]
    SameAccount,
    #[error("an account of the transfer does not exist")]
    AccountNotFound,
    #[error("both accounts must be in the currency of the amount")]
    CurrencyMismatch,
    #[error("the balance would be larger than can be kept")]
    Overflow,
    #[error("insufficient funds: {short} minor units short")]
    InsufficientFunds { account: AccountId, short: Minor },
    #[error("another transaction has this id")]
    IdConflict,
    #[error("the transaction is reversed already")]
    AlreadyReversed,
    #[error("another transaction of the atomic batch was refused")]
    AtomicBatchRefused,
}

impl Refusal {
    /// The stable code, as clients see it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTransfers => "TRANSFERS_MISSING",
            Self::TooManyTransfers => "TOO_MANY_TRANSFERS",
            Self::AmountNotPositive => "AMOUNT_NOT_POSITIVE",
            Self::SameAccount => "SAME_ACCOUNT",
            Self::AccountNotFound => "ACCOUNT_NOT_FOUND",
            Self::CurrencyMismatch => "CURRENCY_MISMATCH",
            Self::Overflow => "AMOUNT_OVERFLOW",
            Self::InsufficientFunds { .. } => "INSUFFICIENT_FUNDS",
            Self::IdConflict => "TRANSACTION_ID_CONFLICT",
            Self::AlreadyReversed => "ALREADY_REVERSED",
            Self::AtomicBatchRefused => "ATOMIC_BATCH_REFUSED",
        }
    }
}

/// The fingerprints of transactions that are posted already, by id.
pub type Known = HashMap<TransactionId, [u8; 16]>;

/// Decides one transaction on the book, which then shows its effect.
pub fn decide(transaction: &NewTransaction, book: &mut Book) -> Result<Posted, Refusal> {
    if transaction.legs.is_empty() {
        return Err(Refusal::NoTransfers);
    }
    if transaction.legs.len() > NewTransaction::MAX_LEGS {
        return Err(Refusal::TooManyTransfers);
    }
    let mut legs = Vec::with_capacity(transaction.legs.len());
    for transfer in &transaction.legs {
        match decide_leg(transfer, book) {
            Ok(leg) => legs.push(leg),
            Err(refusal) => {
                undo(&legs, book);
                return Err(refusal);
            }
        }
    }
    Ok(Posted { legs })
}

fn decide_leg(transfer: &Transfer, book: &mut Book) -> Result<PostedLeg, Refusal> {
    let amount = transfer.amount.minor;
    if amount <= 0 {
        return Err(Refusal::AmountNotPositive);
    }
    if transfer.debit == transfer.credit {
        return Err(Refusal::SameAccount);
    }
    let debit = *book.get(transfer.debit).ok_or(Refusal::AccountNotFound)?;
    let credit = *book.get(transfer.credit).ok_or(Refusal::AccountNotFound)?;
    if debit.currency != transfer.amount.currency || credit.currency != transfer.amount.currency {
        return Err(Refusal::CurrencyMismatch);
    }
    let debit_after = moved(&debit, amount.checked_neg().ok_or(Refusal::Overflow)?)?;
    let credit_after = moved(&credit, amount)?;
    if let Some(after) = debit_after.filter(|it| *it < 0 && !debit.may_go_negative) {
        let short = after.checked_neg().unwrap_or(Minor::MAX);
        return Err(Refusal::InsufficientFunds {
            account: debit.account,
            short,
        });
    }
    book.set(transfer.debit, debit_after, -i128::from(amount));
    book.set(transfer.credit, credit_after, i128::from(amount));
    Ok(PostedLeg {
        transfer: *transfer,
        debit_after,
        credit_after,
    })
}

fn moved(balance: &Balance, by: Minor) -> Result<Option<Minor>, Refusal> {
    assert!(
        balance.posted.is_some() || balance.may_go_negative,
        "an account that can fail was not read"
    );
    balance
        .posted
        .map(|it| it.checked_add(by).ok_or(Refusal::Overflow))
        .transpose()
}

fn undo(legs: &[PostedLeg], book: &mut Book) {
    for leg in legs.iter().rev() {
        let amount = i128::from(leg.transfer.amount.minor);
        let minor = leg.transfer.amount.minor;
        book.set(leg.transfer.debit, leg.debit_after.map(|it| it + minor), amount);
        book.set(
            leg.transfer.credit,
            leg.credit_after.map(|it| it - minor),
            -amount,
        );
    }
}

/// Transactions of one caller, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub transactions: Vec<NewTransaction>,
    /// Whether one refusal refuses them all.
    pub atomic: bool,
}

/// Decides a batch in arrival order. A repeated id is a replay if nothing else differs, a conflict otherwise,
/// whether the first one is in the journal or earlier in the same batch.
pub fn decide_batch(batch: &[impl Borrow<Group>], known: &Known, book: &mut Book) -> Vec<Vec<Verdict>> {
    let mut decided = Known::new();
    batch
        .iter()
        .map(|group| decide_group(group.borrow(), known, &mut decided, book))
        .collect()
}

fn decide_group(group: &Group, known: &Known, decided: &mut Known, book: &mut Book) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(group.transactions.len());
    for transaction in &group.transactions {
        let fingerprint = transaction.fingerprint();
        let verdict = match known
            .get(&transaction.id)
            .or_else(|| decided.get(&transaction.id))
        {
            Some(seen) if *seen == fingerprint => Verdict::Replayed,
            Some(_) => Verdict::Refused(Refusal::IdConflict),
            None => match decide(transaction, book) {
                Ok(posted) => {
                    decided.insert(transaction.id, fingerprint);
                    Verdict::Posted(posted)
                }
                Err(refusal) => Verdict::Refused(refusal),
            },
        };
        let refused = matches!(verdict, Verdict::Refused(_));
        verdicts.push(verdict);
        if refused && group.atomic {
            refuse_all(group, &mut verdicts, decided, book);
            break;
        }
    }
    verdicts
}

/// Takes back what an atomic group has posted before its first refusal, and refuses the rest with it.
fn refuse_all(group: &Group, verdicts: &mut Vec<Verdict>, decided: &mut Known, book: &mut Book) {
    let last = verdicts.len() - 1;
    for (transaction, verdict) in group.transactions.iter().zip(verdicts[..last].iter_mut()).rev() {
        if let Verdict::Posted(posted) = verdict {
            undo(&posted.legs, book);
            decided.remove(&transaction.id);
        }
        *verdict = Verdict::Refused(Refusal::AtomicBatchRefused);
    }
    verdicts.resize(
        group.transactions.len(),
        Verdict::Refused(Refusal::AtomicBatchRefused),
    );
}

#[cfg(test)]
mod tests;

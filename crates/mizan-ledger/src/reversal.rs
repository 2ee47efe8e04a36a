//! A mistake is undone by a new transaction that names the old one; nothing is updated or deleted.

use mizan_core::TransactionId;

use crate::transaction::{NewTransaction, PostingKind, Transfer};

/// The transaction that undoes `legs` of `original`: every transfer the other way round, last one first.
pub fn reverse(
    id: TransactionId,
    original: TransactionId,
    legs: &[Transfer],
    reason: Option<String>,
) -> NewTransaction {
    let legs = legs
        .iter()
        .rev()
        .map(|it| Transfer {
            debit: it.credit,
            credit: it.debit,
            amount: it.amount,
        })
        .collect();
    NewTransaction {
        id,
        kind: PostingKind::REVERSAL,
        legs,
        reverses: Some(original),
        reference: reason,
        metadata: None,
    }
}

#[cfg(test)]
mod tests {
    use mizan_core::{AccountId, Currency, Money};

    use super::*;
    use crate::balance::{Balance, Book};
    use crate::posting::decide;

    #[test]
    fn a_transaction_and_its_reversal_leave_no_trace_in_the_balances() {
        let account = |id, posted| Balance {
            account: AccountId(id),
            currency: Currency::TRY,
            posted: Some(posted),
            may_go_negative: false,
        };
        let leg = |debit, credit, minor| Transfer {
            debit: AccountId(debit),
            credit: AccountId(credit),
            amount: Money::new(minor, Currency::TRY),
        };
        let legs = vec![leg(1, 2, 10), leg(2, 3, 10)];
        let first = NewTransaction {
            id: TransactionId::new(),
            kind: PostingKind::TRANSFER,
            legs: legs.clone(),
            reverses: None,
            reference: None,
            metadata: None,
        };
        let mut book = Book::new([account(1, 10), account(2, 0), account(3, 0)]);
        decide(&first, &mut book).unwrap();
        let second = reverse(TransactionId::new(), first.id, &legs, None);
        decide(&second, &mut book).unwrap();
        assert!(book.deltas().is_empty());
        assert_eq!(second.reverses, Some(first.id));
    }
}

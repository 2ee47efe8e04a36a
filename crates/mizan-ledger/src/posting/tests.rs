//! The posting rules, one line of data each, and the properties that hold for every batch.

use mizan_core::{Currency, Money};
use proptest::prelude::*;

use super::*;
use crate::transaction::PostingKind;

const WORLD: i64 = 1;

fn book(balances: &[(i64, i64)]) -> Book {
    let world = Balance {
        account: AccountId(WORLD),
        currency: Currency::TRY,
        posted: None,
        may_go_negative: true,
    };
    Book::new(
        std::iter::once(world).chain(balances.iter().map(|(id, posted)| Balance {
            account: AccountId(*id),
            currency: if *id >= 100 { Currency::EUR } else { Currency::TRY },
            posted: Some(*posted),
            may_go_negative: false,
        })),
    )
}

fn leg(debit: i64, credit: i64, minor: i64) -> Transfer {
    Transfer {
        debit: AccountId(debit),
        credit: AccountId(credit),
        amount: Money::new(minor, Currency::TRY),
    }
}

fn transaction(legs: &[(i64, i64, i64)]) -> NewTransaction {
    NewTransaction {
        id: TransactionId::new(),
        kind: PostingKind::TRANSFER,
        legs: legs
            .iter()
            .map(|(debit, credit, minor)| leg(*debit, *credit, *minor))
            .collect(),
        reverses: None,
        reference: None,
        metadata: None,
    }
}

fn one_by_one(batch: &[NewTransaction]) -> Vec<Group> {
    batch
        .iter()
        .map(|it| Group {
            transactions: vec![it.clone()],
            atomic: false,
        })
        .collect()
}

fn verdicts(batch: &[NewTransaction], known: &Known, book: &mut Book) -> Vec<Verdict> {
    decide_batch(&one_by_one(batch), known, book).concat()
}

fn check(legs: &[(i64, i64, i64)], expected: Result<&[Option<i64>], &str>) {
    let mut book = book(&[(2, 9_007_199_254_740_992), (3, i64::MAX), (4, 50), (100, 50)]);
    let before = format!("{:?}", book.deltas());
    match (decide(&transaction(legs), &mut book), expected) {
        (Ok(posted), Ok(after)) => {
            let seen: Vec<_> = posted.legs.iter().map(|it| it.debit_after).collect();
            assert_eq!(seen, after, "{legs:?}");
        }
        (Err(refusal), Err(code)) => {
            assert_eq!(refusal.code(), code, "{legs:?}");
            assert_eq!(
                format!("{:?}", book.deltas()),
                before,
                "a refusal leaves the book as it was"
            );
        }
        (seen, expected) => panic!("{legs:?}: {seen:?}, expected {expected:?}"),
    }
}

#[test]
fn the_ladder_of_checks() {
    check(&[(4, 2, 50)], Ok(&[Some(0)]));
    check(&[(WORLD, 4, 50)], Ok(&[None]));
    check(&[(4, WORLD, 30), (4, WORLD, 20)], Ok(&[Some(20), Some(0)]));
    check(&[], Err("TRANSFERS_MISSING"));
    check(&[(4, 2, 0)], Err("AMOUNT_NOT_POSITIVE"));
    check(&[(4, 2, -1)], Err("AMOUNT_NOT_POSITIVE"));
    check(&[(4, 2, i64::MIN)], Err("AMOUNT_NOT_POSITIVE"));
    check(&[(4, 4, 1)], Err("SAME_ACCOUNT"));
    check(&[(4, 99, 1)], Err("ACCOUNT_NOT_FOUND"));
    check(&[(4, 100, 1)], Err("CURRENCY_MISMATCH"));
    check(&[(WORLD, 3, 1)], Err("AMOUNT_OVERFLOW"));
    check(&[(4, 2, 51)], Err("INSUFFICIENT_FUNDS"));
    check(&[(4, 2, 30), (4, 2, 30)], Err("INSUFFICIENT_FUNDS"));
    check(&[(4, 2, 30), (WORLD, 99, 30)], Err("ACCOUNT_NOT_FOUND"));
}

#[test]
fn one_minor_unit_above_two_to_the_53_is_refused() {
    check(&[(2, WORLD, 9_007_199_254_740_992)], Ok(&[Some(0)]));
    check(&[(2, WORLD, 9_007_199_254_740_993)], Err("INSUFFICIENT_FUNDS"));
}

#[test]
fn a_repeated_id_is_a_replay_or_a_conflict() {
    let first = transaction(&[(WORLD, 4, 10)]);
    let other = NewTransaction {
        legs: vec![leg(WORLD, 4, 11)],
        ..first.clone()
    };
    let known = Known::from([(first.id, first.fingerprint())]);
    let mut book = book(&[(4, 0)]);
    assert_eq!(
        verdicts(&[first.clone(), other.clone()], &known, &mut book),
        [Verdict::Replayed, Verdict::Refused(Refusal::IdConflict),]
    );
    assert!(book.deltas().is_empty());
    let verdicts = verdicts(&[first.clone(), first, other], &Known::new(), &mut book);
    assert!(matches!(verdicts[0], Verdict::Posted(_)));
    assert_eq!(
        verdicts[1..],
        [Verdict::Replayed, Verdict::Refused(Refusal::IdConflict)]
    );
    assert_eq!(book.deltas(), [(AccountId(WORLD), -10), (AccountId(4), 10)]);
}

#[test]
fn an_atomic_group_posts_whole_or_not_at_all() {
    let good = transaction(&[(WORLD, 4, 10)]);
    let bad = transaction(&[(5, 4, 1)]);
    let spend = transaction(&[(4, WORLD, 10)]);
    let group = |transactions: &[&NewTransaction], atomic| Group {
        transactions: transactions.iter().map(|it| (*it).clone()).collect(),
        atomic,
    };
    let mut book = book(&[(4, 0)]);
    let batch = [group(&[&good, &spend, &bad, &spend], true), group(&[&good], true)];
    let seen = decide_batch(&batch, &Known::new(), &mut book);
    let codes: Vec<_> = seen[0]
        .iter()
        .map(|it| match it {
            Verdict::Refused(refusal) => refusal.code(),
            _ => "posted",
        })
        .collect();
    assert_eq!(
        codes,
        [
            "ATOMIC_BATCH_REFUSED",
            "ATOMIC_BATCH_REFUSED",
            "ACCOUNT_NOT_FOUND",
            "ATOMIC_BATCH_REFUSED"
        ]
    );
    assert!(
        matches!(seen[1][..], [Verdict::Posted(_)]),
        "what was taken back may be asked again"
    );
    assert_eq!(book.deltas(), [(AccountId(WORLD), -10), (AccountId(4), 10)]);
}

proptest! {
    #[test]
    fn a_batch_keeps_the_sum_and_never_overdraws(
        moves in prop::collection::vec((1_i64..6, 1_i64..6, -5_i64..200), 1..60),
        start in prop::collection::vec(0_i64..300, 4),
    ) {
        let accounts: Vec<_> = (2_i64..).zip(start)
            .collect();
        let mut book = book(&accounts);
        let batch: Vec<_> = moves.chunks(2).map(transaction).collect();
        let verdicts = verdicts(&batch, &Known::new(), &mut book);
        prop_assert_eq!(verdicts.len(), batch.len());
        let deltas = book.deltas();
        prop_assert_eq!(deltas.iter().map(|(_, delta)| delta).sum::<i128>(), 0);
        for (id, posted) in accounts {
            let now = book.get(AccountId(id)).unwrap().posted.unwrap();
            let delta = deltas.iter().find(|(it, _)| it.0 == id).map_or(0, |it| it.1);
            prop_assert!(now >= 0);
            prop_assert_eq!(i128::from(posted) + delta, i128::from(now));
        }
    }

    #[test]
    fn a_refusal_never_harms_its_neighbours(moves in prop::collection::vec((1_i64..6, 1_i64..6, -5_i64..200), 1..40)) {
        let start = [(2, 100), (3, 100), (4, 100), (5, 100)];
        let batch: Vec<_> = moves.chunks(1).map(transaction).collect();
        let seen = verdicts(&batch, &Known::new(), &mut book(&start));
        let accepted: Vec<_> = batch.iter().zip(&seen)
            .filter(|(_, it)| matches!(it, Verdict::Posted(_))).map(|(it, _)| it.clone()).collect();
        let again = verdicts(&accepted, &Known::new(), &mut book(&start));
        prop_assert_eq!(again, seen.into_iter().filter(|it| matches!(it, Verdict::Posted(_))).collect::<Vec<_>>());
    }
}

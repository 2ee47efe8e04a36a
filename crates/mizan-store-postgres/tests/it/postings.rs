//! The journal: both ways of appending, and what the database refuses.

use mizan_ledger::AccountKind;
use mizan_ledger::posting::PostedLeg;
use mizan_store::transfers::PostingBatch;
use mizan_store::verify::Verify;
use mizan_store::{Page, Start, Store, StoreError};

use crate::tester::{Tester, at, post_in, transfer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_rows_and_many_are_appended_alike() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (from, to) = (
        it.account("from").await?,
        it.wallet(AccountKind::Available).await?,
    );
    for times in [1, 16, 17, 300] {
        let ids = it.post(&from, &to, 7, times).await?;
        let mut tx = it.begin().await?;
        let known = tx.known_transactions(&ids, 0).await?;
        assert_eq!(known.len(), times);
        let last = *ids.last().expect("at least one");
        let stored = tx.transaction(last).await?.expect("it was posted");
        assert_eq!(stored.legs, transfer(&from, &to, 7).legs);
        assert_eq!(stored.fingerprint, known[&last]);
        assert_eq!(stored.reference.as_deref(), Some("test"));
        assert_eq!(stored.metadata.as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(
            (stored.posted_at, stored.reverses, stored.reversed_by),
            (at(1), None, None)
        );
        let page = tx.entries(to.id, &Page::first(1)).await?;
        let balance = tx.account(to.id).await?.expect("it is open").posted;
        assert_eq!(
            page.items[0].transaction, last,
            "numbered in the order they were decided"
        );
        assert_eq!(page.items[0].balance_after, Some(balance));
    }
    assert_eq!(it.store.count_journal().await?, 334);
    assert!(it.store.broken_balances().await?.is_empty());
    assert!(it.store.broken_running_balances().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_paged_through_completely_from_both_sides() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    for (minor, times) in [(3, 20), (5, 20)] {
        it.post(&a, &b, minor, times).await?;
        it.post(&b, &a, minor, times).await?;
    }
    let mut tx = it.begin().await?;
    let mut page = Page {
        limit: 7,
        start: Start::First,
        with_total: true,
    };
    let (mut sum, mut seqs) = (0, Vec::new());
    loop {
        let got = tx.entries(a.id, &page).await?;
        assert_eq!(got.total, Some(80));
        sum += got.items.iter().map(|it| it.amount).sum::<i64>();
        seqs.extend(got.items.iter().map(|it| it.seq));
        match got.next {
            Some(key) => page.start = Start::After(key),
            None => break,
        }
    }
    assert_eq!((sum, seqs.len()), (0, 80));
    assert!(seqs.is_sorted_by(|one, next| one > next));
    page.start = Start::Offset(70);
    let skipped: Vec<i64> = tx
        .entries(a.id, &page)
        .await?
        .items
        .iter()
        .map(|it| it.seq)
        .collect();
    assert_eq!(skipped, seqs[70..77]);
    assert_eq!(tx.balance_at(a.id, at(1)).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_a_rival_posted_meanwhile_is_a_collision() -> anyhow::Result<()> {
    for times in [1, 20] {
        let it = Tester::new().await?;
        let (a, b) = (it.account("a").await?, it.account("b").await?);
        let batch: Vec<_> = (0..times).map(|_| transfer(&a, &b, 1)).collect();
        let mut tx = it.begin().await?;
        post_in(tx.as_mut(), &[&a, &b], &batch).await?;
        tx.commit().await?;
        // A writer that looked before the rival committed: it knows of nothing.
        let mut late = it.begin().await?;
        let legs: Vec<PostedLeg> = batch
            .iter()
            .map(|it| PostedLeg {
                transfer: it.legs[0],
                debit_after: None,
                credit_after: None,
            })
            .collect();
        let transactions = batch.iter().zip(legs.chunks(1)).collect();
        let batch = PostingBatch {
            transactions,
            deltas: vec![],
            posted_at: at(1),
        };
        let error = late.write_postings(&batch).await.expect_err("the ids are taken");
        assert!(error.may_retry(), "{error:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_decision_let_through_by_mistake_the_database_refuses() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (free, wallet) = (
        it.account("free").await?,
        it.wallet(AccountKind::Available).await?,
    );
    let check = async |deltas: Vec<_>| {
        let mut tx = it.store.begin(it.tenant).await?;
        tx.write_postings(&PostingBatch {
            transactions: vec![],
            deltas,
            posted_at: at(1),
        })
        .await
    };
    let negative = check(vec![(wallet.id, -1)]).await;
    assert!(
        matches!(&negative, Err(StoreError::Constraint { constraint, .. }) if constraint == "ck_balances_not_negative"),
        "{negative:?}"
    );
    let wide = check(vec![(free.id, i128::from(i64::MAX) + 1)]).await;
    assert!(matches!(wide, Err(StoreError::Overflow)), "{wide:?}");
    it.post(&free, &wallet, i64::MAX, 1).await?;
    let over = check(vec![(wallet.id, 1)]).await;
    assert!(matches!(over, Err(StoreError::Overflow)), "{over:?}");
    let unknown = check(vec![(mizan_core::AccountId(i64::MAX), 1)]).await;
    assert!(matches!(unknown, Err(StoreError::RowCount { .. })), "{unknown:?}");
    Ok(())
}

//! Who waits for whom.

use mizan_store::Store;

use crate::tester::{Tester, post_in, transfer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rival_waits_for_the_balance_and_then_sees_what_was_posted() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b, c) = (
        it.account("a").await?,
        it.account("b").await?,
        it.account("c").await?,
    );
    let mut first = it.begin().await?;
    post_in(first.as_mut(), &[&a, &b], &[transfer(&a, &b, 30)]).await?;

    // Somebody who needs other accounts does not wait.
    let mut other = it.begin().await?;
    assert_eq!(other.lock_balances(&[c.id]).await?, [(c.id, 0)]);
    other.rollback().await?;

    let (store, tenant, ids) = (it.store.clone(), it.tenant, [a.id, b.id]);
    let rival = tokio::spawn(async move {
        let mut tx = store.begin(tenant).await?;
        let seen = tx.lock_balances(&ids).await?;
        tx.rollback().await?;
        anyhow::Ok(seen)
    });
    it.wait_for_waiters(1).await?;
    assert!(!rival.is_finished());
    first.commit().await?;
    assert_eq!(rival.await??, [(a.id, -30), (b.id, 30)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balances_of_other_tenants_are_neither_locked_nor_shown() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let a = it.account("a").await?;
    let mut platform = it.store.platform().await?;
    let (foreign, _) = platform
        .ensure_tenant(&"other".parse()?, "Other", crate::tester::at(0))
        .await?;
    platform.commit().await?;
    let mut tx = it.store.begin(foreign.id).await?;
    assert!(tx.lock_balances(&[a.id]).await?.is_empty());
    assert!(tx.account(a.id).await?.is_none());
    let mut own = it.begin().await?;
    assert_eq!(own.lock_balances(&[a.id]).await?, [(a.id, 0)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_batches_on_unread_accounts_never_deadlock() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    let rivals = (0..8).map(|n| {
        let (store, tenant) = (it.store.clone(), it.tenant);
        let (debit, credit) = if n % 2 == 0 {
            (a.clone(), b.clone())
        } else {
            (b.clone(), a.clone())
        };
        tokio::spawn(async move {
            for _ in 0..20 {
                let mut tx = store.begin(tenant).await?;
                // Nothing is read: both accounts may go negative, so both are locked by the write alone.
                let batch = [transfer(&debit, &credit, 1)];
                let leg = mizan_ledger::posting::PostedLeg {
                    transfer: batch[0].legs[0],
                    debit_after: None,
                    credit_after: None,
                };
                tx.lock_balances(&[]).await?;
                // In either order, as an UPDATE may visit them when its plan is another one.
                let deltas = vec![(debit.id, -1), (credit.id, 1)];
                tx.write_postings(&mizan_store::transfers::PostingBatch {
                    transactions: vec![(&batch[0], std::slice::from_ref(&leg))],
                    deltas,
                    posted_at: crate::tester::at(1),
                })
                .await?;
                tx.commit().await?;
            }
            anyhow::Ok(())
        })
    });
    for rival in futures::future::join_all(rivals).await {
        rival??;
    }
    let mut tx = it.begin().await?;
    assert_eq!(tx.lock_balances(&[a.id, b.id]).await?, [(a.id, 0), (b.id, 0)]);
    Ok(())
}

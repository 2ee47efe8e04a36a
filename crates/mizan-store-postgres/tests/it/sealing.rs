//! The seal sees a complete journal, and waits for no longer than that takes.

use mizan_ledger::chain::{Head, seal};
use mizan_store::{Store, StoreError};

use crate::tester::{Tester, at, post_in, transfer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_horizon_waits_for_postings_under_way_and_releases_at_once() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b, c) = (
        it.account("a").await?,
        it.account("b").await?,
        it.account("c").await?,
    );
    let mut open = it.begin().await?;
    post_in(open.as_mut(), &[&a, &b], &[transfer(&a, &b, 1)]).await?;

    let store = it.store.clone();
    let sealer = tokio::spawn(async move {
        let mut platform = store.platform().await?;
        let horizon = platform.complete_up_to().await?;
        anyhow::Ok((platform, horizon))
    });
    it.wait_for_waiters(1).await?;
    open.commit().await?;
    let (mut platform, horizon) = sealer.await??;
    assert_eq!(horizon, 1);

    // The sealing transaction is still open, and nobody waits for it.
    it.post(&b, &c, 1, 1).await?;
    assert_eq!(platform.journal_rows(0, horizon, 10).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_posting_that_does_not_end_makes_the_sealer_come_back_later() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let a = it.account("a").await?;
    let mut open = it.begin().await?;
    open.lock_balances(&[a.id]).await?;
    let answer = it.store.platform().await?.complete_up_to().await;
    assert!(matches!(&answer, Err(StoreError::Collision { .. })), "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_seals_and_the_next_goes_on_from_its_head() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    it.post(&a, &b, 1, 3).await?;
    let mut one = it.store.platform().await?;
    assert!(one.lock_chain().await?);
    assert!(!it.store.platform().await?.lock_chain().await?);

    let head = one.chain_head().await?;
    assert_eq!(head, Head::EMPTY);
    let horizon = one.complete_up_to().await?;
    let rows = one.journal_rows(head.seq, horizon, 100).await?;
    let block = seal(&head, &rows).expect("there are rows");
    one.insert_block(&block, at(2)).await?;
    one.commit().await?;

    let mut two = it.store.platform().await?;
    assert!(two.lock_chain().await?);
    let head = two.chain_head().await?;
    assert_eq!((head.block, head.seq, head.hash), (1, 3, block.hash));
    assert_eq!(two.blocks_after(0, 10).await?.first(), Some(&block));
    let error = two.insert_block(&block, at(3)).await;
    assert!(matches!(error, Err(StoreError::Collision { .. })), "{error:?}");
    Ok(())
}

//! The journal over many partitions: made when they are missed, read as one, protected each, taken away in order.

use mizan_ledger::AccountKind;
use mizan_ledger::chain::seal;
use mizan_store::partitions::{Archived, State};
use mizan_store::verify::Verify;
use mizan_store::{Page, Start, Store, StoreError};
use mizan_store_postgres::{PostgresConfig, PostgresStore};
use tokio_postgres::error::SqlState;

use crate::tester::{Tester, at, post_in, transfer};

/// The empty partitions that the migrations made are in the way of small ones.
async fn small(rows: u32) -> anyhow::Result<Tester> {
    let mut it = Tester::new().await?;
    let mut config = PostgresConfig::new(it.database.url().into());
    config.partition_rows = rows;
    it.store = PostgresStore::connect(&config)?;
    it.owner
        .batch_execute("DROP TABLE journal_000000000001, journal_000005000001")
        .await?;
    Ok(it)
}

async fn states(it: &Tester) -> anyhow::Result<Vec<(i64, i64, u64, State)>> {
    let parts = it.store.platform().await?.partitions().await?;
    Ok(parts
        .into_iter()
        .map(|it| (it.from_seq, it.to_seq, it.rows, it.state))
        .collect())
}

/// Posts as a flow does: a story that collides is told again.
async fn post(
    it: &Tester,
    debit: &mizan_ledger::Account,
    credit: &mizan_ledger::Account,
    times: usize,
) -> anyhow::Result<usize> {
    let batch: Vec<_> = (0..times).map(|_| transfer(debit, credit, 2)).collect();
    for tries in 1..=8 {
        let mut tx = it.begin().await?;
        match post_in(tx.as_mut(), &[debit, credit], &batch).await {
            Ok(()) => {
                tx.commit().await?;
                return Ok(tries);
            }
            Err(error) => assert!(error.may_retry(), "{error:?}"),
        }
    }
    anyhow::bail!("it collides for ever")
}

async fn seal_all(it: &Tester) -> anyhow::Result<()> {
    let mut platform = it.store.platform().await?;
    assert!(platform.lock_chain().await?);
    let head = platform.chain_head().await?;
    let rows = platform.journal_rows(head.seq, i64::MAX, 10_000).await?;
    let block = seal(&head, &rows).expect("there are rows");
    platform.insert_block(&block, at(5)).await?;
    platform.commit().await?;
    Ok(())
}

fn archived(from_seq: i64, to_seq: i64, rows: u64) -> Archived {
    Archived {
        from_seq,
        to_seq,
        rows,
        file: "/archive/a.parquet".into(),
        sha256: [1; 32],
        bytes: 1,
        first_at: at(1),
        last_at: at(1),
        first_block: 1,
        last_block: 1,
        archived_at: at(9),
    }
}

async fn take_away(it: &Tester, from_seq: i64, to_seq: i64, rows: u64) -> Result<(), StoreError> {
    let name = format!("journal_{from_seq:012}");
    let mut platform = it.store.platform().await?;
    assert!(platform.lock_archive().await?);
    let taken = platform
        .archive_partition(&name, &archived(from_seq, to_seq, rows))
        .await;
    // Dropping it would leave its lock behind for a moment.
    match taken {
        Ok(()) => platform.commit().await,
        Err(error) => platform.rollback().await.and(Err(error)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_without_a_partition_makes_it_and_posts() -> anyhow::Result<()> {
    for times in [1, 40] {
        let it = small(10).await?;
        let (a, b) = (it.account("a").await?, it.wallet(AccountKind::Available).await?);
        for _ in 0..3 {
            post(&it, &a, &b, times).await?;
        }
        let mut tx = it.begin().await?;
        let balance = tx.account(b.id).await?.expect("it is open").posted;
        assert_eq!(balance, 2 * 3 * i64::try_from(times)?, "posted once each");
        assert_eq!(it.store.count_journal().await?, 3 * times as u64);
        assert!(it.store.broken_running_balances().await?.is_empty());
        assert!(it.store.broken_transactions().await?.is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_are_made_ahead_once_and_say_what_may_still_happen_to_them() -> anyhow::Result<()> {
    let it = small(10).await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    assert_eq!(it.store.platform().await?.make_partitions(2).await?, 2);
    assert_eq!(it.store.platform().await?.make_partitions(2).await?, 0);
    post(&it, &a, &b, 12).await?;
    assert_eq!(it.store.platform().await?.make_partitions(2).await?, 2);
    let expected = |first| {
        [
            (1, 10, 10, first),
            (11, 20, 2, State::Open),
            (21, 30, 0, State::Ahead),
            (31, 40, 0, State::Ahead),
        ]
    };
    assert_eq!(states(&it).await?, expected(State::Full));
    seal_all(&it).await?;
    assert_eq!(states(&it).await?, expected(State::Sealed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_read_over_all_partitions_as_over_one() -> anyhow::Result<()> {
    let it = small(7).await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    for _ in 0..10 {
        post(&it, &a, &b, 5).await?;
    }
    let mut tx = it.begin().await?;
    let mut page = Page {
        with_total: true,
        ..Page::first(9)
    };
    let mut seqs = Vec::new();
    loop {
        let got = tx.entries(b.id, &page).await?;
        assert_eq!(got.total, Some(50));
        seqs.extend(got.items.iter().map(|it| it.seq));
        let Some(next) = got.next else { break };
        page.start = Start::After(next);
    }
    assert!(
        seqs.len() == 50 && seqs.is_sorted_by(|one, next| one > next),
        "{seqs:?}"
    );
    assert_eq!(tx.balance_at(b.id, at(1)).await?, 100);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_partition_can_be_reached_past_the_journal() -> anyhow::Result<()> {
    let it = small(10).await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    post(&it, &a, &b, 30).await?;
    assert!(it.store.journal_is_append_only().await?);
    it.owner.batch_execute("SET ROLE mizan_app").await?;
    for from in [1, 11, 21, 31] {
        let table = format!("journal_{from:012}");
        for sql in [
            format!("UPDATE {table} SET amount = 1"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("INSERT INTO {table} SELECT * FROM journal"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE journal DETACH PARTITION {table}"),
            format!("SELECT journal_drop_partition('{table}')"),
        ] {
            let error = it.owner.batch_execute(&sql).await.expect_err(&sql);
            assert_eq!(error.code().map(SqlState::code), Some("42501"), "{sql}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_the_service_may_change_is_no_protected_journal() -> anyhow::Result<()> {
    let it = small(10).await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    post(&it, &a, &b, 1).await?;
    it.owner
        .batch_execute("GRANT DELETE ON journal_000000000011 TO mizan_app")
        .await?;
    assert!(!it.store.journal_is_append_only().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_sealed_or_not_the_oldest_stays() -> anyhow::Result<()> {
    let it = small(10).await?;
    let (a, b) = (it.account("a").await?, it.account("b").await?);
    it.store.platform().await?.make_partitions(3).await?;
    post(&it, &a, &b, 25).await?;
    assert!(take_away(&it, 1, 10, 10).await.is_err(), "not sealed");
    seal_all(&it).await?;
    assert!(take_away(&it, 11, 20, 10).await.is_err(), "not the oldest");
    assert!(take_away(&it, 1, 9, 10).await.is_err(), "not all of it");
    assert_eq!(it.store.count_journal().await?, 25);
    take_away(&it, 1, 10, 10).await?;
    take_away(&it, 11, 20, 10).await?;
    assert!(take_away(&it, 21, 30, 5).await.is_err(), "still open");
    assert_eq!(it.store.count_journal().await?, 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_archived_is_carried_forward_and_never_left_out_in_silence() -> anyhow::Result<()> {
    let it = small(10).await?;
    let (a, b) = (it.account("a").await?, it.wallet(AccountKind::Available).await?);
    let late = it.account("late").await?;
    let first = it.post(&a, &b, 3, 1).await;
    assert!(first.is_err(), "it makes the first partition");
    let first = it.post(&a, &b, 3, 1).await?[0];
    post(&it, &a, &b, 14).await?;
    post(&it, &a, &late, 1).await?;
    seal_all(&it).await?;
    let gone = states(&it).await?[0];
    take_away(&it, gone.0, gone.1, gone.2).await?;

    for broken in [
        it.store.broken_balances().await?,
        it.store.broken_running_balances().await?,
        it.store.broken_transactions().await?,
    ] {
        assert_eq!(broken, []);
    }
    let mut tx = it.begin().await?;
    assert_eq!(tx.balance_at(b.id, at(1)).await?, 31);
    let early = tx.balance_at(b.id, at(0)).await;
    assert!(
        matches!(early, Err(StoreError::Archived { up_to: 10 })),
        "{early:?}"
    );
    assert_eq!(
        tx.balance_at(late.id, at(0)).await?,
        0,
        "nothing of it is archived"
    );

    let live = 15 - gone.2;
    let page = tx
        .entries(
            b.id,
            &Page {
                with_total: true,
                ..Page::first(50)
            },
        )
        .await?;
    assert_eq!((page.items.len() as u64, page.total), (live, Some(15)));
    let next = page.next.expect("the history goes on in the archive");
    let page = Page {
        start: Start::After(next),
        ..Page::first(50)
    };
    let beyond = tx.entries(b.id, &page).await;
    assert!(
        matches!(beyond, Err(StoreError::Archived { up_to: 10 })),
        "{beyond:?}"
    );
    assert_eq!(tx.entries(late.id, &Page::first(50)).await?.next, None);

    let shown = tx.transaction(first).await;
    assert!(matches!(shown, Err(StoreError::Archived { .. })), "{shown:?}");
    assert_eq!(
        tx.known_transactions(&[first], 0).await?.len(),
        1,
        "it is never posted twice"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_row_that_differs_from_its_legs_is_named() -> anyhow::Result<()> {
    for sql in [
        "UPDATE transactions SET legs = 2, last_seq = last_seq + 1",
        "UPDATE transactions SET fingerprint = decode('ab', 'hex')",
        "DELETE FROM transactions",
        "DELETE FROM journal",
    ] {
        let it = Tester::new().await?;
        let (a, b) = (it.account("a").await?, it.account("b").await?);
        post(&it, &a, &b, 1).await?;
        assert_eq!(it.store.broken_transactions().await?, []);
        it.owner.batch_execute(sql).await?;
        let broken = it.store.broken_transactions().await?;
        assert_eq!(broken.len(), 1, "{sql}");
        assert_eq!(broken[0].invariant, "transactions_match_rows");
    }
    Ok(())
}

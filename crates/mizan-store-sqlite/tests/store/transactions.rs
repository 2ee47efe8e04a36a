//! Transactions on one file: undone when dropped, doomed when something failed, one writer, readers of one moment.

use std::sync::Arc;
use std::time::Duration;

use mizan_core::{PlayerId, TransactionId};
use mizan_ledger::AccountKind;
use mizan_store::verify::Verify;
use mizan_store::{Store, StoreError};
use mizan_store_sqlite::{SqliteConfig, SqliteStore};

use crate::harness::{account, at, bench, config, player, post, transaction};

#[tokio::test]
async fn a_dropped_transaction_is_undone_and_frees_the_writer() {
    let bench = bench().await;
    let id = PlayerId::new();
    let mut tx = bench.begin().await;
    assert!(tx.insert_player(&player(id, "bob@example.com")).await.unwrap());
    drop(tx);
    let mut next = bench.begin().await;
    assert_eq!(next.player(id).await.unwrap(), None);
    assert!(next.insert_player(&player(id, "bob@example.com")).await.unwrap());
    next.rollback().await.unwrap();
    assert_eq!(bench.read().await.player(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_caller_that_gives_up_waiting_leaves_nothing_locked() {
    let bench = bench().await;
    let held = bench.begin().await;
    let waiting = tokio::time::timeout(Duration::from_millis(1), bench.store.begin(bench.tenant)).await;
    assert!(waiting.is_err(), "there is one writer at a time");
    held.commit().await.unwrap();
    bench.begin().await.commit().await.unwrap();
}

#[tokio::test]
async fn a_failed_statement_dooms_the_whole_transaction() {
    let bench = bench().await;
    let id = PlayerId::new();
    let mut tx = bench.begin().await;
    assert!(tx.insert_player(&player(id, "bob@example.com")).await.unwrap());
    let taken = tx.insert_player(&player(id, "eve@example.com")).await;
    assert!(
        matches!(&taken, Err(StoreError::Constraint { table, constraint }) if table == "players" && constraint == "UNIQUE (id)"),
        "{taken:?}"
    );
    assert!(tx.commit().await.is_err());
    assert_eq!(bench.read().await.player(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_reader_sees_one_moment_and_writes_nothing() {
    let bench = bench().await;
    let id = PlayerId::new();
    let mut reader = bench.read().await;
    let mut tx = bench.begin().await;
    assert!(tx.insert_player(&player(id, "bob@example.com")).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(reader.player(id).await.unwrap(), None);
    assert!(
        reader
            .insert_player(&player(PlayerId::new(), "eve@example.com"))
            .await
            .is_err()
    );
    drop(reader);
    assert!(bench.read().await.player(id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_move_one_balance_safely() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let wallet = account(&mut *tx, AccountKind::Available, Some(bench.player)).await;
    let world = account(&mut *tx, AccountKind::World, None).await;
    tx.commit().await.unwrap();

    let other = SqliteStore::open(&bench.path, config()).unwrap();
    let start = Arc::new(tokio::sync::Barrier::new(8));
    let tasks = (0..8).map(|n| {
        let store = if n % 2 == 0 {
            bench.store.clone()
        } else {
            other.clone()
        };
        let (tenant, start) = (bench.tenant, Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            for _ in 0..5 {
                let mut tx = store.begin(tenant).await.unwrap();
                let new = transaction(TransactionId::new(), world, wallet, 3);
                post(&mut *tx, &new, at(3)).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let held = bench.read().await.account(wallet).await.unwrap().unwrap();
    assert_eq!((held.posted, held.version), (120, 40));
    assert_eq!(bench.store.broken_running_balances().await.unwrap(), []);
}

#[tokio::test]
async fn a_lock_of_another_process_is_a_collision_after_the_time_limit() {
    let bench = bench().await;
    let impatient = SqliteConfig {
        busy_timeout: Duration::from_millis(20),
        ..config()
    };
    let other = SqliteStore::open(&bench.path, impatient).unwrap();
    let held = bench.begin().await;
    let refused = other.begin(bench.tenant).await.err().expect("the file is locked");
    assert!(refused.may_retry(), "{refused:?}");
    other
        .read(bench.tenant)
        .await
        .expect("readers do not wait for writers");
    held.commit().await.unwrap();
    other
        .begin(bench.tenant)
        .await
        .expect("the writer's lane is free again");
}

#[tokio::test]
async fn a_pool_without_a_free_connection_says_so_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        readers: 1,
        acquire_timeout: Duration::from_millis(20),
        ..config()
    };
    let store = SqliteStore::open(&dir.path().join("mizan.db"), config).unwrap();
    let tenant = mizan_core::TenantId(1);
    let held = store.read(tenant).await.unwrap();
    assert!(matches!(
        store.read(tenant).await.err(),
        Some(StoreError::Unavailable(_))
    ));
    drop(held);
    store.read(tenant).await.expect("the reader is free again");
}

#[tokio::test]
async fn a_file_that_cannot_serve_is_a_typed_error() {
    let dir = tempfile::tempdir().unwrap();
    let missing = SqliteStore::open(&dir.path().join("no/such/dir.db"), config()).err();
    assert!(matches!(missing, Some(StoreError::Unavailable(_))));

    let text = dir.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, and long enough to be seen as none".repeat(40),
    )
    .unwrap();
    assert!(matches!(
        SqliteStore::open(&text, config()).err(),
        Some(StoreError::Database(_))
    ));

    let empty = SqliteStore::open(&dir.path().join("empty.db"), config()).unwrap();
    empty.ping().await.unwrap();
    assert_eq!(empty.applied_revisions().await.unwrap(), Vec::<String>::new());
    let mut tx = empty.begin(mizan_core::TenantId(1)).await.unwrap();
    assert!(matches!(
        tx.own_tenant().await.err(),
        Some(StoreError::NotMigrated(_))
    ));
}

#[cfg(unix)]
#[test]
fn a_new_file_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mizan.db");
    let _store = SqliteStore::open(&path, config()).unwrap();
    for file in ["mizan.db", "mizan.db-wal", "mizan.db-shm"] {
        let mode = dir
            .path()
            .join(file)
            .metadata()
            .map(|it| it.permissions().mode() & 0o777);
        assert!(mode.as_ref().map_or(true, |it| *it == 0o600), "{file}: {mode:?}");
    }
    assert!(path.exists());
}

//! What connections do when things go wrong.

use std::time::Duration;

use mizan_core::AccountId;
use mizan_store::{Engine, Store, StoreError};
use mizan_store_postgres::{PostgresConfig, PostgresStore, login_refused};
use mizan_testkit::{Postgres, eventually, port::free_port};

use crate::tester::{PATIENCE, Tester, custom};

#[tokio::test]
async fn a_store_is_made_while_the_server_is_away() -> anyhow::Result<()> {
    let url = format!("postgresql://mizan:x@127.0.0.1:{}/mizan", free_port()?);
    let store = PostgresStore::connect(&PostgresConfig::new(url.into()))?;
    assert_eq!(store.engine(), Engine::Postgres);
    let error = store.ping().await.expect_err("nobody listens");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(!login_refused(&error));
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_server_that_is_away() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    it.store.ping().await?;
    let url = format!(
        "postgresql://mizan:wrong@127.0.0.1:{}/{}",
        it.server.port(),
        it.database.name()
    );
    let store = PostgresStore::connect(&PostgresConfig::new(url.into()))?;
    let error = store.ping().await.expect_err("the password is wrong");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(login_refused(&error), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_not_migrated_says_so() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let empty = mizan_testkit::fresh_database(it.server).await?;
    let store = PostgresStore::connect(&PostgresConfig::new(empty.url().into()))?;
    store.ping().await?;
    let error = store
        .platform()
        .await?
        .tenants()
        .await
        .expect_err("there are no tables");
    assert!(matches!(error, StoreError::NotMigrated(_)), "{error:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_transaction_is_undone_and_its_connection_used_again() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let mut config = PostgresConfig::new(it.database.url().into());
    config.pool_size = 2;
    let store = PostgresStore::connect(&config)?;
    for _ in 0..10 {
        let mut tx = store.begin(it.tenant).await?;
        tx.open_account(&custom("dropped")?).await?;
        drop(tx);
    }
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    eventually(PATIENCE, || async {
        let row = it.owner.query_one(open, &[]).await.map_err(|it| it.to_string())?;
        if row.get::<_, i64>(0) == 0 {
            Ok(())
        } else {
            Err("a transaction is open".to_owned())
        }
    })
    .await?;
    let mut tx = store.begin(it.tenant).await?;
    assert!(
        tx.accounts_by_code(&[("dropped".parse()?, mizan_core::Currency::TRY)])
            .await?
            .is_empty()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_statement_failed_cannot_pretend_to_commit() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let mut tx = it.begin().await?;
    tx.open_account(&custom("first")?).await?;
    let mut bad = custom("second")?;
    bad.kind = mizan_ledger::AccountKind::Held; // no player: refused by ck_accounts_wallet
    let error = tx
        .open_account(&bad)
        .await
        .expect_err("a constraint is in the way");
    let named =
        matches!(&error, StoreError::Constraint { constraint, .. } if constraint == "ck_accounts_wallet");
    assert!(named, "{error:?}");
    assert!(
        tx.commit().await.is_err(),
        "the server would have undone it without a word"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_no_lock() -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let a = it.account("a").await?;
    let mut holder = it.begin().await?;
    holder.lock_balances(&[a.id]).await?;
    let (store, tenant) = (it.store.clone(), it.tenant);
    let waiting = tokio::spawn(async move {
        let mut tx = store.begin(tenant).await?;
        tx.lock_balances(&[a.id]).await
    });
    it.wait_for_waiters(1).await?;
    waiting.abort();
    holder.rollback().await?;
    let mut next = it.begin().await?;
    assert_eq!(next.lock_balances(&[a.id]).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_unavailable_and_comes_back() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let mut config = PostgresConfig::new(server.url().into());
    config.statement_timeout = Duration::from_millis(200);
    config.acquire_timeout = Duration::from_millis(500);
    let store = PostgresStore::connect(&config)?;
    let mut tx = store.read(mizan_core::TenantId(1)).await?;
    server.pause().await?;
    let error = tx.account(AccountId(1)).await.expect_err("nobody answers");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    tx.rollback().await?;
    let error = store.ping().await.expect_err("nobody answers");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    server.resume()?;
    eventually(PATIENCE, || async { store.ping().await }).await
}

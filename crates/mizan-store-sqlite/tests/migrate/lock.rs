//! Two migrations at once, a file in use, a step that fails: who waits, how long, and what is said.

use std::time::Duration;

use mizan_store::migrate::{Direction, Expected, Migrate as _, MigrateError, Revision};
use mizan_store_sqlite::migrate::REVISIONS;
use tokio::time::Instant;

use crate::tester::{PATIENCE, Tester};

#[tokio::test]
async fn who_holds_the_run_lock_is_named_at_the_deadline() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    let mut holder = tester.open()?;
    holder.lock(PATIENCE).await?;
    let began = Instant::now();
    let deadline = Duration::from_millis(200);
    let error = tester.run(Direction::Up, "head", deadline).await.err();
    assert!(began.elapsed() >= deadline);
    let error = error.expect("the lock is held").to_string();
    let expected = format!("pid {}, mizan-migrate, since 2", std::process::id());
    assert!(error.contains(&expected), "{error}");
    assert!(tester.applied().await?.is_empty());
    // A holder that dies leaves its file behind, and that keeps nobody out.
    drop(holder);
    assert!(tester.files()?.contains(&"mizan.db-migrate".to_owned()));
    tester.upgrade("+1").await?;
    assert_eq!(tester.files()?, ["mizan.db"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_upgrades_at_once_one_works_and_the_others_find_head() -> anyhow::Result<()> {
    let tester = std::sync::Arc::new(Tester::empty()?);
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let tester = std::sync::Arc::clone(&tester);
            tokio::spawn(async move { tester.upgrade("head").await })
        })
        .collect();
    let mut steps = 0;
    for run in runs {
        let done = run.await??.done;
        assert_eq!(done.to.as_deref(), REVISIONS.last().map(|it| it.id));
        steps += done.steps.len();
    }
    assert_eq!(steps, REVISIONS.len());
    Ok(())
}

#[tokio::test]
async fn a_writer_that_does_not_end_is_waited_for_three_seconds() -> anyhow::Result<()> {
    let tester = Tester::populated().await?;
    let writer = tester.connection()?;
    writer.execute_batch("BEGIN IMMEDIATE")?;
    let began = Instant::now();
    let error = tester.downgrade("0007").await.err();
    let waited = began.elapsed();
    assert!(matches!(error, Some(MigrateError::Busy { .. })), "{error:?}");
    assert!(
        waited >= Duration::from_secs(3) && waited < Duration::from_secs(8),
        "{waited:?}"
    );
    writer.execute_batch("ROLLBACK")?;
    assert_eq!(tester.applied().await?.len(), REVISIONS.len());
    tester.downgrade("-1").await?;
    Ok(())
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_and_gives_the_lock_back() -> anyhow::Result<()> {
    for up in [
        "CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1);",
        "CREATE TABLE half (id INTEGER REFERENCES other (id)); CREATE TABLE other (id INTEGER PRIMARY KEY);
         INSERT INTO half VALUES (1);",
    ] {
        let revisions: &'static [Revision] = Box::leak(Box::new([Revision {
            id: "0001",
            name: "broken",
            up,
            down: "",
        }]));
        let tester = Tester::empty()?;
        let mut database = tester.open()?.with_revisions(revisions, Expected::default());
        let target = "head".parse()?;
        let error = mizan_store::migrate::upgrade(&mut database, &target, PATIENCE, &mut |_| {})
            .await
            .err();
        assert!(matches!(error, Some(MigrateError::Step { .. })), "{error:?}");
        assert!(tester.live().await?.objects.is_empty());
        assert!(tester.applied().await?.is_empty());
        tester.run(Direction::Up, "+1", Duration::ZERO).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    let text = "an old letter, not a database at all\n".repeat(200);
    std::fs::write(tester.path(), &text)?;
    assert!(tester.upgrade("head").await.is_err());
    assert_eq!(std::fs::read_to_string(tester.path())?, text);
    Ok(())
}

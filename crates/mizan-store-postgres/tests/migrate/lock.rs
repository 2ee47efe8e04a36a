//! Two migrations at once, a table in use, a pooler in between: who waits, how long, and what is said.

use std::time::Duration;

use mizan_store::migrate::{Direction, Expected, Migrate, MigrateError, Revision, Step};
use mizan_store_postgres::migrate::REVISIONS;
use mizan_testkit::eventually;
use tokio::time::{Instant, timeout};

use crate::tester::{PATIENCE, Tester};

#[tokio::test]
async fn who_holds_the_run_lock_is_named_at_the_deadline() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    let mut holder = tester.open().await?;
    holder.lock(PATIENCE).await?;
    let pid = tester
        .psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'mizan-migrate' AND datname = current_database()")
        .await?;
    let began = Instant::now();
    let deadline = Duration::from_millis(300);
    let error = tester.run(Direction::Up, "head", deadline).await.err();
    assert!(began.elapsed() >= deadline && began.elapsed() < deadline * 10);
    let error = error.expect("the lock is held").to_string();
    for part in [
        format!("pid {pid}, mizan-migrate, user mizan at 127.0.0.1"),
        "connected since 2".into(),
    ] {
        assert!(error.contains(&part), "{part:?} in {error}");
    }
    assert!(tester.applied().await?.is_empty());
    drop(holder);
    tester.upgrade("+1").await?;
    Ok(())
}

#[tokio::test]
async fn of_two_upgrades_at_once_one_works_and_the_other_finds_head() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    let (one, other) = tokio::try_join!(tester.upgrade("head"), tester.upgrade("head"))?;
    let mut steps = [one.done.steps.len(), other.done.steps.len()];
    steps.sort_unstable();
    assert_eq!(steps, [0, REVISIONS.len()]);
    assert_eq!(one.done.to.as_deref(), REVISIONS.last().map(|it| it.id));
    assert_eq!(other.done.to.as_deref(), REVISIONS.last().map(|it| it.id));
    Ok(())
}

#[tokio::test]
async fn a_table_in_use_is_waited_for_three_seconds_and_its_user_is_named() -> anyhow::Result<()> {
    let tester = Tester::populated().await?;
    let reading = format!("{}?application_name=a-report", tester.database.url());
    let reader = tester.server.psql(
        &reading,
        "BEGIN; SELECT count(*) FROM reconciliation_findings; SELECT pg_sleep(600)",
    );
    let downgrade = async {
        let in_use = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'a-report' AND wait_event = 'PgSleep'";
        eventually(PATIENCE, || async {
            tester.psql(in_use).await.is_ok_and(|it| it == "1")
        })
        .await?;
        let began = Instant::now();
        let error = tester.downgrade("0007").await.err();
        anyhow::Ok((error, began.elapsed()))
    };
    let (error, waited) = tokio::select! {
        it = downgrade => it?,
        it = reader => panic!("the reader ended: {it:?}"),
    };
    assert!(
        waited >= Duration::from_secs(3) && waited < Duration::from_secs(8),
        "{waited:?}"
    );
    let Some(MigrateError::Busy { blockers, .. }) = error else {
        panic!("{error:?}");
    };
    assert!(
        blockers.contains("(a-report, active) holds reconciliation_findings"),
        "{blockers}"
    );
    assert_eq!(
        tester.applied().await?.len(),
        9,
        "only the steps before it were taken back"
    );
    Ok(())
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_and_gives_the_lock_back() -> anyhow::Result<()> {
    const BROKEN: &[Revision] = &[Revision {
        id: "0001",
        name: "broken",
        up: "CREATE TABLE half (id int); SELECT 1 / 0;",
        down: "",
    }];
    let tester = Tester::empty().await?;
    let mut database = tester.open().await?.with_revisions(BROKEN, Expected::default());
    let target = "head".parse()?;
    let error = mizan_store::migrate::upgrade(&mut database, &target, PATIENCE, &mut |_| {})
        .await
        .err();
    assert!(matches!(error, Some(MigrateError::Step { .. })), "{error:?}");
    assert!(tester.live().await?.objects.is_empty());
    assert!(tester.applied().await?.is_empty());
    timeout(Duration::from_secs(1), tester.upgrade("+1")).await??;
    Ok(())
}

#[tokio::test]
async fn a_session_without_the_lock_runs_no_step() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    let mut database = tester.open().await?;
    let step = Step {
        direction: Direction::Up,
        revision: REVISIONS[0],
        previous: None,
    };
    let error = database.run_step(&step).await.err();
    assert!(matches!(error, Some(MigrateError::LockLost)), "{error:?}");
    assert!(tester.applied().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_file_without_transaction_runs_statement_by_statement() -> anyhow::Result<()> {
    const CONCURRENT: &[Revision] = &[Revision {
        id: "0001",
        name: "index",
        up: "-- mizan: no-transaction\nCREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY ix_t ON t (id);",
        down: "-- mizan: no-transaction\nDROP INDEX CONCURRENTLY ix_t;\nDROP TABLE t;",
    }];
    let tester = Tester::empty().await?;
    let mut database = tester
        .open()
        .await?
        .with_revisions(CONCURRENT, Expected::default());
    let (head, base) = ("head".parse()?, "base".parse()?);
    mizan_store::migrate::upgrade(&mut database, &head, PATIENCE, &mut |_| {}).await?;
    let live = database.live().await?;
    assert_eq!(
        live.objects["t"].parts.get("index ix_t").map(String::as_str),
        Some("btree (id)")
    );
    mizan_store::migrate::downgrade(&mut database, &base, PATIENCE, &mut |_| {}).await?;
    assert!(database.live().await?.objects.is_empty() && database.applied().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_unreachable_server_is_said_to_be_one() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    let mut config = tester.config();
    config.url = tester.database.url_on(mizan_testkit::port::free_port()?).into();
    let error = mizan_store_postgres::migrate::upgrade_to_head(&config)
        .await
        .err();
    assert!(matches!(error, Some(MigrateError::Unreachable(_))), "{error:?}");
    Ok(())
}

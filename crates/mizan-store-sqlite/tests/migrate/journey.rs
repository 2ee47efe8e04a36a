//! Up, down one by one, and up again, on a database with rows in every table.

use std::time::Duration;

use mizan_store::migrate::{Standing, check};
use mizan_store_sqlite::migrate::{REVISIONS, upgrade_to_head};
use rusqlite::types::Value::Integer;
use tokio::time::timeout;

use crate::tester::Tester;

/// No step may hold its locks longer than it may wait for them.
const STEP_LIMIT: Duration = Duration::from_secs(3);

const WRONG_BALANCES: &str = "\
SELECT count(*) FROM balances b
WHERE posted <> (
    SELECT coalesce(sum(CASE WHEN j.credit_account_id = b.account_id THEN j.amount ELSE -j.amount END), 0)
    FROM journal j
    WHERE b.account_id IN (j.debit_account_id, j.credit_account_id))";

#[tokio::test]
async fn an_empty_database_goes_to_head_in_one_run_and_then_stays() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    let ran = tester.upgrade("head").await?;
    assert_eq!(ran.lines.len(), REVISIONS.len());
    assert_eq!(ran.lines[0], "Running upgrade  -> 0001, application role");
    assert_eq!(
        ran.lines[7],
        "Running upgrade 0007 -> 0008, reconciliation findings"
    );
    let again = upgrade_to_head(&tester.path()).await?;
    assert_eq!(
        (again.steps.len(), again.to.as_deref()),
        (0, REVISIONS.last().map(|it| it.id))
    );
    assert_eq!(tester.files()?, ["mizan.db"], "the lock file is gone");
    Ok(())
}

#[tokio::test]
async fn asking_makes_no_file() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    assert!(tester.applied().await?.is_empty());
    assert_eq!(check(&mut tester.open()?).await?.standing.word(), "behind");
    assert!(tester.files()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn rows_of_tables_that_stay_survive_every_way_down_and_up() -> anyhow::Result<()> {
    for goal in 0..REVISIONS.len() {
        let tester = Tester::populated().await?;
        let before = tester.contents().await?;
        assert!(
            before.values().all(|rows| !rows.is_empty()),
            "a row in each: {before:?}"
        );
        for step in (goal..REVISIONS.len()).rev() {
            let ran = timeout(STEP_LIMIT, tester.downgrade("-1")).await??;
            assert_eq!(ran.done.from.as_deref(), Some(REVISIONS[step].id));
            // The role and the partitions are PostgreSQL's alone, and 0013 is one column.
            let nothing = ["0001", "0012", "0013"].contains(&REVISIONS[step].id);
            assert_eq!(ran.dropped.is_empty(), nothing, "{:?}", ran.dropped);
            for (name, rows) in tester.contents().await? {
                assert_eq!(rows, before[&name], "{name} below {}", REVISIONS[step].id);
            }
        }
        let survivors = tester.contents().await?;
        for _ in goal..REVISIONS.len() {
            timeout(STEP_LIMIT, tester.upgrade("+1")).await??;
        }
        let after = tester.contents().await?;
        assert!(after.keys().eq(before.keys()), "all tables are back");
        for (name, rows) in after {
            let expected = survivors.get(&name).cloned().unwrap_or_default();
            assert_eq!(rows, expected, "{name} after {goal} and up again");
        }
        assert_eq!(tester.rows(WRONG_BALANCES)?, [[Integer(0)]]);
        if goal >= 3 {
            let wallet = tester.rows("SELECT available, held FROM wallet_balances")?;
            assert_eq!(wallet, [[Integer(7000), Integer(3000)]]);
        }
        let found = check(&mut tester.open()?).await?;
        assert!(found.is_clean() && found.standing == Standing::Head, "{found:?}");
    }
    Ok(())
}

#[tokio::test]
async fn base_leaves_nothing_but_the_list_of_migrations() -> anyhow::Result<()> {
    let tester = Tester::populated().await?;
    let ran = tester.downgrade("base").await?;
    assert_eq!(ran.done.to, None);
    assert!(
        ran.dropped.contains(&"view wallet_balances".to_owned()),
        "{:?}",
        ran.dropped
    );
    assert!(tester.live().await?.objects.is_empty());
    assert!(tester.rows("SELECT revision FROM mizan_migrations")?.is_empty());
    Ok(())
}

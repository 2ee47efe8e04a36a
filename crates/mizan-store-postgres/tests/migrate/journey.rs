//! Up, down one by one, and up again, on a database with rows in every table.

use std::time::Duration;

use mizan_store::migrate::{Standing, check};
use mizan_store_postgres::migrate::{REVISIONS, upgrade_to_head};
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

/// Empty as long as nothing is archived; after that there is no way back.
const ONLY_BY_ARCHIVING: [&str; 2] = ["archived_balances", "journal_archives"];

#[tokio::test]
async fn an_empty_database_goes_to_head_in_one_run_and_then_stays() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    assert!(tester.applied().await?.is_empty());
    let ran = tester.upgrade("head").await?;
    assert_eq!(ran.lines.len(), REVISIONS.len());
    assert_eq!(ran.lines[0], "Running upgrade  -> 0001, application role");
    assert_eq!(
        ran.lines[7],
        "Running upgrade 0007 -> 0008, reconciliation findings"
    );
    let again = upgrade_to_head(&tester.config()).await?;
    assert_eq!(
        (again.steps.len(), again.to.as_deref()),
        (0, REVISIONS.last().map(|it| it.id))
    );
    Ok(())
}

#[tokio::test]
async fn rows_of_tables_that_stay_survive_every_way_down_and_up() -> anyhow::Result<()> {
    for goal in 0..REVISIONS.len() {
        let tester = Tester::populated().await?;
        let before = tester.contents().await?;
        assert!(
            before
                .iter()
                .all(|(name, rows)| rows.is_empty() == ONLY_BY_ARCHIVING.contains(&name.as_str())),
            "a row in each: {before:?}"
        );
        for step in (goal..REVISIONS.len()).rev() {
            let ran = timeout(STEP_LIMIT, tester.downgrade("-1")).await??;
            assert_eq!(ran.done.from.as_deref(), Some(REVISIONS[step].id));
            // The role is no table, and 0013 is one column.
            let nothing = ["0001", "0013"].contains(&REVISIONS[step].id);
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
            let derived = name == "transactions" && survivors.contains_key("journal");
            let kept = if derived { &before } else { &survivors };
            let expected = kept.get(&name).map_or("", String::as_str);
            assert_eq!(rows, expected, "{name} after {goal} and up again");
        }
        assert_eq!(tester.psql(WRONG_BALANCES).await?, "0");
        if goal >= 3 {
            let wallet = tester.psql("SELECT available, held FROM wallet_balances").await?;
            assert_eq!(wallet, "7000|3000");
        }
        let found = check(&mut tester.open().await?).await?;
        assert!(found.is_clean() && found.standing == Standing::Head, "{found:?}");
    }
    Ok(())
}

#[tokio::test]
async fn base_leaves_nothing_but_the_list_of_migrations() -> anyhow::Result<()> {
    let tester = Tester::populated().await?;
    let ran = tester.downgrade("base").await?;
    assert_eq!(ran.done.to, None);
    assert_eq!(
        ran.lines.last().map(String::as_str),
        Some("Running downgrade 0001 -> , application role")
    );
    assert!(
        ran.dropped.contains(&"view wallet_balances".to_owned()),
        "{:?}",
        ran.dropped
    );
    let tables = "SELECT string_agg(relname, ' ') FROM pg_class \
                  WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 't')";
    assert_eq!(tester.psql(tables).await?, "mizan_migrations");
    assert_eq!(tester.psql("SELECT count(*) FROM mizan_migrations").await?, "0");
    Ok(())
}

#[tokio::test]
async fn the_service_may_read_what_is_applied_and_not_change_it() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    tester.upgrade("head").await?;
    let count = "SET ROLE mizan_app; SELECT count(*) FROM mizan_migrations";
    assert_eq!(tester.psql(count).await?, REVISIONS.len().to_string());
    for write in [
        "DELETE FROM mizan_migrations",
        "UPDATE mizan_migrations SET checksum = 'x'",
        "INSERT INTO mizan_migrations VALUES ('9999', 'x', 'x', now())",
        "TRUNCATE mizan_migrations",
        "UPDATE journal SET amount = 1",
        "CREATE TABLE extra (id int)",
    ] {
        let refused = tester.psql(&format!("SET ROLE mizan_app; {write}")).await;
        let refused = refused.expect_err(write).to_string();
        assert!(refused.contains("permission denied"), "{write}: {refused}");
    }
    Ok(())
}

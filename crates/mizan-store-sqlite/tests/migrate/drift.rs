//! Hands in the schema, and files that were edited after they were applied.

use mizan_store::migrate::{Expected, MigrateError, PlanError, Standing, Target, check, stamp};
use mizan_store_sqlite::migrate::REVISIONS;

use crate::tester::{PATIENCE, Tester};

#[tokio::test]
async fn every_kind_of_drift_is_named() -> anyhow::Result<()> {
    for (sql, expected) in [
        (
            "ALTER TABLE deposits ADD COLUMN extra TEXT",
            ["deposits: column extra is not part of this revision (TEXT)"].as_slice(),
        ),
        (
            "DROP INDEX ix_accounts_player",
            &[
                "accounts: index ix_accounts_player is missing (CREATE INDEX ix_accounts_player ON accounts(player_id)WHERE player_id IS NOT NULL)",
            ],
        ),
        (
            "DROP VIEW wallet_balances",
            &["wallet_balances is missing (view)"],
        ),
        (
            "CREATE INDEX mine ON balances (posted)",
            &["balances: index mine is not part of this revision (CREATE INDEX mine ON balances(posted))"],
        ),
        (
            "CREATE TRIGGER hush BEFORE INSERT ON journal BEGIN SELECT RAISE(IGNORE); END",
            &[
                "journal: trigger hush is not part of this revision (CREATE TRIGGER hush BEFORE INSERT ON journal BEGIN SELECT RAISE(IGNORE); END)",
            ],
        ),
    ] {
        let tester = Tester::empty()?;
        tester.upgrade("head").await?;
        tester.sql(sql)?;
        let found = check(&mut tester.open()?).await?;
        let lines: Vec<_> = found.differences.iter().map(ToString::to_string).collect();
        assert!(
            expected.iter().all(|it| lines.iter().any(|line| line == it)),
            "{sql}: {lines:?}"
        );
        assert!(!found.is_clean());
    }
    Ok(())
}

#[tokio::test]
async fn tables_of_others_and_less_than_head_are_no_drift() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    tester.upgrade("0004").await?;
    tester.sql("CREATE TABLE theirs (id int); CREATE TABLE recon_runs (id int)")?;
    let found = check(&mut tester.open()?).await?;
    assert!(found.is_clean(), "{found:?}");
    assert_eq!(found.in_the_way, ["recon_runs"]);
    assert_eq!(
        (found.standing.word(), found.foreign),
        ("behind", vec!["theirs".to_owned()])
    );
    Ok(())
}

#[tokio::test]
async fn an_edited_migration_stops_everything_and_is_named() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    tester.upgrade("0004").await?;
    tester.sql("UPDATE mizan_migrations SET checksum = '0' WHERE revision = '0003'")?;
    for error in [
        tester.upgrade("head").await.err(),
        tester.downgrade("-1").await.err(),
    ] {
        assert!(
            matches!(&error, Some(MigrateError::Plan(PlanError::Diverged { revision, .. })) if revision == "0003"),
            "{error:?}"
        );
    }
    let found = check(&mut tester.open()?).await?;
    assert!(!found.is_clean() && found.differences.is_empty());
    assert_eq!(found.standing.exit_code(), 3);
    let target = Target::Rev("0004".into());
    stamp(&mut tester.open()?, &target, false, PATIENCE).await?;
    assert!(
        check(&mut tester.open()?).await?.is_clean(),
        "a stamp takes the new checksum over"
    );
    Ok(())
}

#[tokio::test]
async fn an_older_binary_sees_that_the_database_is_ahead() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    tester.upgrade("head").await?;
    let mut older = tester
        .open()?
        .with_revisions(&REVISIONS[..REVISIONS.len() - 3], Expected::default());
    let found = check(&mut older).await?;
    let unknown = REVISIONS[REVISIONS.len() - 3..]
        .iter()
        .map(|it| it.id.to_owned())
        .collect();
    assert_eq!(found.standing, Standing::Ahead { unknown });
    Ok(())
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_taken_for_an_empty_one() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    tester.sql("CREATE TABLE mizan_migrations (id int)")?;
    let error = tester.upgrade("head").await.err();
    assert!(matches!(error, Some(MigrateError::Unreadable(_))), "{error:?}");
    assert!(tester.live().await?.objects.is_empty(), "nothing was made");
    Ok(())
}

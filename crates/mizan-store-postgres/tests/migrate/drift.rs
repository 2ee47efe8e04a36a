//! Hands in the schema, and files that were edited after they were applied.

use mizan_store::migrate::{Expected, MigrateError, PlanError, Standing, Target, check, stamp};
use mizan_store_postgres::migrate::REVISIONS;

use crate::tester::{PATIENCE, Tester};

#[tokio::test]
async fn every_kind_of_drift_is_named() -> anyhow::Result<()> {
    for (sql, expected) in [
        (
            "ALTER TABLE deposits ADD COLUMN extra text",
            "deposits: column extra is not part of this revision (text)",
        ),
        (
            "ALTER TABLE deposits ALTER COLUMN method DROP NOT NULL",
            "deposits: column method is text, expected text not null",
        ),
        (
            "ALTER TABLE journal DROP CONSTRAINT ck_journal_amount",
            "journal: constraint ck_journal_amount is missing (CHECK ((amount > 0)))",
        ),
        (
            "DROP INDEX ix_journal_debit",
            "journal: index ix_journal_debit is missing (btree (debit_account_id, seq))",
        ),
        ("DROP VIEW wallet_balances", "wallet_balances is missing (view)"),
        (
            "CREATE INDEX mine ON balances (posted)",
            "balances: index mine is not part of this revision (btree (posted))",
        ),
        (
            "ALTER TABLE balances RESET (fillfactor)",
            "balances: options is missing (fillfactor=50)",
        ),
        (
            "ALTER TABLE flag_overrides DROP CONSTRAINT flag_overrides_tenant_id_fkey",
            "flag_overrides: constraint flag_overrides_tenant_id_fkey is missing (FOREIGN KEY (tenant_id) REFERENCES tenants(id))",
        ),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER hush BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION f()",
            "journal: trigger hush is not part of this revision (hush BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION f())",
        ),
    ] {
        let tester = Tester::empty().await?;
        tester.upgrade("head").await?;
        tester.psql(sql).await?;
        let found = check(&mut tester.open().await?).await?;
        let lines: Vec<_> = found.differences.iter().map(ToString::to_string).collect();
        assert_eq!(lines, [expected], "{sql}");
        assert!(!found.is_clean());
    }
    Ok(())
}

#[tokio::test]
async fn tables_of_others_and_less_than_head_are_no_drift() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    tester.upgrade("0004").await?;
    tester
        .psql("CREATE TABLE theirs (id int); CREATE TABLE recon_runs (id int)")
        .await?;
    let found = check(&mut tester.open().await?).await?;
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
    let tester = Tester::empty().await?;
    tester.upgrade("0004").await?;
    tester
        .psql("UPDATE mizan_migrations SET checksum = repeat('0', 64) WHERE revision = '0003'")
        .await?;
    for error in [
        tester.upgrade("head").await.err(),
        tester.downgrade("-1").await.err(),
    ] {
        assert!(
            matches!(&error, Some(MigrateError::Plan(PlanError::Diverged { revision, .. })) if revision == "0003"),
            "{error:?}"
        );
    }
    let found = check(&mut tester.open().await?).await?;
    assert!(!found.is_clean() && found.differences.is_empty());
    assert_eq!(found.standing.exit_code(), 3);
    let target = Target::Rev("0004".into());
    stamp(&mut tester.open().await?, &target, false, PATIENCE).await?;
    assert!(
        check(&mut tester.open().await?).await?.is_clean(),
        "a stamp takes the new checksum over"
    );
    Ok(())
}

#[tokio::test]
async fn an_older_binary_sees_that_the_database_is_ahead() -> anyhow::Result<()> {
    let tester = Tester::empty().await?;
    tester.upgrade("head").await?;
    let mut older = tester
        .open()
        .await?
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
    let tester = Tester::empty().await?;
    tester.psql("CREATE TABLE mizan_migrations (id int)").await?;
    let error = tester.upgrade("head").await.err();
    assert!(matches!(error, Some(MigrateError::Unreadable(_))), "{error:?}");
    assert!(tester.live().await?.objects.is_empty(), "nothing was made");
    Ok(())
}

//! "Already exists" is APPLY, STAMP or CONFLICT, and never papered over.

use mizan_store::migrate::{Stamped, Stopped, Target, check, stamp};
use mizan_store_sqlite::migrate::REVISIONS;
use rusqlite::types::Value;

use crate::tester::{PATIENCE, Tester};

#[tokio::test]
async fn a_foreign_table_in_the_way_is_a_conflict_and_stays_untouched() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    tester
        .sql("CREATE TABLE reconciliation_findings (id int, note text); INSERT INTO reconciliation_findings VALUES (1, 'mine')")?;
    let ran = tester.upgrade("head").await?;
    let Some(Stopped::Conflict {
        step,
        taken,
        differences,
    }) = ran.done.stopped
    else {
        panic!("no conflict: {:?}", ran.done);
    };
    assert_eq!(
        (step.revision.id, taken),
        ("0008", vec!["reconciliation_findings".to_owned()])
    );
    let first = differences[0].to_string();
    assert!(first.starts_with("reconciliation_findings: "), "{first}");
    assert_eq!(
        tester.rows("SELECT * FROM reconciliation_findings")?,
        [[Value::Integer(1), Value::Text("mine".into())]]
    );
    assert_eq!(
        tester.applied().await?.last().map(String::as_str),
        Some("0007"),
        "earlier steps stay"
    );
    assert_eq!(ran.done.to.as_deref(), Some("0007"));
    Ok(())
}

#[tokio::test]
async fn anything_that_has_a_tables_name_is_in_its_way() -> anyhow::Result<()> {
    for sql in [
        "CREATE VIEW deposits AS SELECT 1 AS id",
        "CREATE TABLE payout_attempts (id TEXT)",
    ] {
        let tester = Tester::empty()?;
        tester.sql(sql)?;
        let ran = tester.upgrade("head").await?;
        assert!(
            matches!(ran.done.stopped, Some(Stopped::Conflict { .. })),
            "{sql}: {:?}",
            ran.done
        );
        assert_eq!(ran.done.to.as_deref(), Some("0003"), "{sql}");
    }
    Ok(())
}

#[tokio::test]
async fn the_same_table_unrecorded_asks_for_a_stamp_and_does_nothing_by_itself() -> anyhow::Result<()> {
    let tester = Tester::populated().await?;
    tester.downgrade("0008").await?;
    let rows = tester.contents().await?;
    tester.sql("DELETE FROM mizan_migrations WHERE revision = '0008'")?;
    let ran = tester.upgrade("head").await?;
    assert!(
        matches!(&ran.done.stopped, Some(Stopped::Stamp { step }) if step.revision.id == "0008"),
        "{:?}",
        ran.done
    );
    assert!(ran.lines.is_empty());
    assert_eq!(tester.applied().await?.len(), 7);

    let head = Target::Rev("0008".into());
    let stamped = stamp(&mut tester.open()?, &head, false, PATIENCE).await?;
    assert!(matches!(stamped, Stamped::Recorded { .. }), "{stamped:?}");
    assert_eq!(tester.applied().await?.len(), 8);
    assert_eq!(tester.contents().await?, rows);
    assert!(tester.upgrade("head").await?.done.stopped.is_none());
    assert_eq!(tester.applied().await?.len(), REVISIONS.len());
    Ok(())
}

#[tokio::test]
async fn a_stamp_that_is_not_true_is_refused_unless_it_is_forced() -> anyhow::Result<()> {
    let tester = Tester::empty()?;
    let target = Target::Head;
    let refused = stamp(&mut tester.open()?, &target, false, PATIENCE).await?;
    assert!(matches!(&refused, Stamped::Refused { differences } if !differences.is_empty()));
    assert!(tester.applied().await?.is_empty());
    stamp(&mut tester.open()?, &target, true, PATIENCE).await?;
    assert_eq!(tester.applied().await?.len(), REVISIONS.len());
    assert!(!check(&mut tester.open()?).await?.is_clean());
    stamp(&mut tester.open()?, &Target::Base, false, PATIENCE).await?;
    assert!(tester.applied().await?.is_empty());
    Ok(())
}

//! What `--sql` prints does the same when somebody else runs it.

use mizan_store::migrate::{Direction, Standing, Step, check};
use mizan_store_postgres::migrate::{DIALECT, REVISIONS};

use crate::tester::Tester;

fn steps(direction: Direction) -> Vec<Step> {
    let step = |index: usize| Step {
        direction,
        revision: REVISIONS[index],
        previous: index.checked_sub(1).map(|it| REVISIONS[it].id),
    };
    match direction {
        Direction::Up => (0..REVISIONS.len()).map(step).collect(),
        Direction::Down => (0..REVISIONS.len()).rev().map(step).collect(),
    }
}

fn script(direction: Direction) -> String {
    steps(direction).iter().map(|it| DIALECT.script(it)).collect()
}

#[tokio::test]
async fn the_printed_sql_leaves_the_same_schema_and_history() -> anyhow::Result<()> {
    let (by_us, by_psql) = (Tester::empty().await?, Tester::empty().await?);
    by_us.upgrade("head").await?;
    by_psql.psql(&script(Direction::Up)).await?;
    let (ours, theirs) = (by_us.live().await?, by_psql.live().await?);
    assert_eq!(ours.fingerprint(), theirs.fingerprint());
    let found = check(&mut by_psql.open().await?).await?;
    assert!(found.is_clean() && found.standing == Standing::Head, "{found:?}");
    by_psql.psql(&script(Direction::Down)).await?;
    assert!(by_psql.live().await?.objects.is_empty());
    assert!(by_psql.applied().await?.is_empty());
    Ok(())
}

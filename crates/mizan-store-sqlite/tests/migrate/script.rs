//! What `--sql` prints does the same when somebody else runs it.

use mizan_store::migrate::{Direction, Standing, Step, check};
use mizan_store_sqlite::migrate::{DIALECT, REVISIONS};

use crate::tester::Tester;

fn script(direction: Direction) -> String {
    let step = |index: usize| Step {
        direction,
        revision: REVISIONS[index],
        previous: index.checked_sub(1).map(|it| REVISIONS[it].id),
    };
    let mut steps: Vec<_> = (0..REVISIONS.len()).map(step).collect();
    if direction == Direction::Down {
        steps.reverse();
    }
    steps.iter().map(|it| DIALECT.script(it)).collect()
}

#[tokio::test]
async fn the_printed_sql_leaves_the_same_schema_and_history() -> anyhow::Result<()> {
    let (by_us, by_others) = (Tester::empty()?, Tester::empty()?);
    by_us.upgrade("head").await?;
    by_others.sql(&script(Direction::Up))?;
    let (ours, theirs) = (by_us.live().await?, by_others.live().await?);
    assert_eq!(ours.fingerprint(), theirs.fingerprint());
    let found = check(&mut by_others.open()?).await?;
    assert!(found.is_clean() && found.standing == Standing::Head, "{found:?}");
    by_others.sql(&script(Direction::Down))?;
    assert!(by_others.live().await?.objects.is_empty());
    assert!(by_others.applied().await?.is_empty());
    Ok(())
}

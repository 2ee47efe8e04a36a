//! Polling ends at the first success and at the deadline, whatever the probe does.

use std::{cell::Cell, future::pending, time::Duration};

use mizan_testkit::eventually;
use tokio::time::Instant;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn it_stops_at_the_first_success_and_returns_its_value() {
    let looks = Cell::new(0);
    let value = eventually(LONG, || async {
        looks.set(looks.get() + 1);
        (looks.get() == 3).then_some("third")
    });
    assert_eq!(value.await.expect("the third look succeeds"), "third");
    assert_eq!(looks.get(), 3);
}

#[tokio::test]
async fn the_error_says_what_the_last_probe_saw() {
    let error = eventually(SHORT, || async { Err::<(), _>("connection refused") }).await;
    assert_eq!(
        error.expect_err("it never succeeds").to_string(),
        "not within 50ms: connection refused"
    );
}

#[tokio::test]
async fn a_probe_that_hangs_is_cut_off_at_the_deadline() {
    let begin = Instant::now();
    eventually(SHORT, pending::<bool>)
        .await
        .expect_err("it never answers");
    assert!(begin.elapsed() < LONG / 2);
}

//! Workers that are killed, frozen or told to stop while they run something.

use mizan_testkit::{Signal, eventually};
use serde_json::{Value, json};

use super::{COMPLETED, Floor, STARTED, id, said, saw, stopped};
use crate::harness::PATIENCE;
use crate::recon::RUNS;

/// A floor with two deposits booked, one of which the statement will miss nothing of; and a window over them.
async fn with_business(floor: &Floor) -> Value {
    let mut worker = floor.ready_worker(&[]).await;
    let player = floor.app.player().await;
    floor
        .psp
        .once(mizan_providers::mockpsp::simulator::Fault::StatementAlter);
    floor.paid(&player, &["10.00", "7.00", "3.00"]).await;
    let booked = eventually(PATIENCE, || async {
        let holds = player.balance().await.0;
        if holds == "20.00" { Ok(()) } else { Err(holds) }
    });
    booked.await.expect("the deposits are booked");
    stopped(&mut worker).await;
    json!({ "provider": "mockpsp", "window_start": "2020-01-01T00:00:00Z", "window_end": "2100-01-01T00:00:00Z" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_run_of_a_killed_worker_is_taken_over_and_ends_the_same() {
    let floor = Floor::start().await;
    let window = with_business(&floor).await;
    let first = floor.ready_worker(&["--lease", "3"]).await;
    let undisturbed = id(&floor.app.post(RUNS, window.clone()).await.expect(200));
    let undisturbed = floor.until(&undisturbed, "completed").await;

    floor.wire.black_hole();
    let run = id(&floor.app.post(RUNS, window).await.expect(200));
    floor.until(&run, "running").await;
    first.signal(Signal::SIGKILL).expect("it is killed");
    let mut second = floor.ready_worker(&["--lease", "3"]).await;
    floor.wire.heal();
    let ended = floor.until(&run, "completed").await;
    assert_eq!(ended["attempts"], 2, "{ended}");
    let digest = |run: &Value| run["stats_json"]["summary"]["digest"].clone();
    assert!(
        digest(&ended).is_string() && undisturbed["stats_json"]["summary"]["findings_total"] == 1,
        "{undisturbed}"
    );
    assert_eq!(digest(&ended), digest(&undisturbed));
    assert_eq!(
        ended["stats_json"]["findings_seen_again"], 1,
        "no finding is there twice: {ended}"
    );
    stopped(&mut second).await;
    floor.app.verify_holds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_writes_that_slept_past_its_lease_is_refused() {
    let floor = Floor::start().await;
    floor.wire.black_hole();
    let sleeper = floor.ready_worker(&["--lease", "3"]).await;
    let run = id(&floor.queue_quiet_day().await);
    saw(&sleeper, STARTED).await;
    sleeper.signal(Signal::SIGSTOP).expect("it is frozen");
    let other = floor.ready_worker(&["--lease", "3"]).await;
    saw(&other, STARTED).await;
    floor.wire.heal();
    let ended = floor.until(&run, "completed").await;
    sleeper.signal(Signal::SIGCONT).expect("it wakes up");
    let refused = eventually(PATIENCE, || async {
        let log = sleeper.transcript();
        log.contains("the run is not ours any more") || log.contains("the lease was lost")
    });
    refused.await.expect("it notices");
    let after = floor.queue_quiet_day().await;
    floor.until(&id(&after), "completed").await;
    assert_eq!(floor.status(&run).await, ended, "not one field has changed");
    let mine = said(&sleeper, COMPLETED)
        .iter()
        .filter(|it| it["run_id"] == json!(run))
        .count();
    assert_eq!(mine, 0, "it does not claim to have completed it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_stop_lets_its_run_end() {
    let floor = Floor::start().await;
    floor.wire.black_hole();
    let mut worker = floor.ready_worker(&[]).await;
    let run = id(&floor.queue_quiet_day().await);
    floor.until(&run, "running").await;
    worker.signal(Signal::SIGTERM).expect("it is told to stop");
    saw(&worker, "draining").await;
    floor.wire.heal();
    assert_eq!(
        worker.exit_code(PATIENCE).await.expect("it ends"),
        0,
        "{}",
        worker.transcript()
    );
    assert_eq!(floor.until(&run, "completed").await["attempts"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_time_hands_its_run_back_at_once() {
    let floor = Floor::start().await;
    floor.wire.black_hole();
    // A lease so long that the test would give up before it ran out.
    let mut worker = floor.ready_worker(&["--lease", "600", "--grace", "0"]).await;
    let run = id(&floor.queue_quiet_day().await);
    floor.until(&run, "running").await;
    let mut other = floor.ready_worker(&["--lease", "600"]).await;
    stopped(&mut worker).await;
    saw(&worker, "the job is handed back").await;
    saw(&other, STARTED).await;
    floor.wire.heal();
    assert_eq!(floor.until(&run, "completed").await["attempts"], 2);
    stopped(&mut other).await;
}

//! Runs that nothing disturbs.

use std::collections::BTreeMap;

use futures::future::join_all;
use mizan_testkit::{MizanProcess, eventually};
use serde_json::{Value, json};

use super::{COMPLETED, Floor, STARTED, id, said, saw, stopped};
use crate::harness::{LEASE_AND_MORE, PATIENCE};
use crate::recon::{FINDINGS, RUNS};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_queued_then_running_then_completed_and_the_worker_says_so() {
    let floor = Floor::start().await;
    floor.wire.black_hole();
    let run = id(&floor.queue_quiet_day().await);
    assert_eq!(
        floor.status(&run).await["status"],
        "queued",
        "nobody but a worker runs it"
    );
    let mut worker = floor.ready_worker(&[]).await;
    floor.until(&run, "running").await;
    floor.wire.heal();
    let ended = floor.until(&run, "completed").await;
    assert_eq!(
        (&ended["attempts"], &ended["error_json"]),
        (&json!(1), &Value::Null),
        "{ended}"
    );
    saw(&worker, COMPLETED).await;
    for message in [STARTED, COMPLETED] {
        let lines = said(&worker, message);
        assert_eq!(lines.len(), 1, "{message}");
        let line = &lines[0];
        assert_eq!(
            (&line["run_id"], &line["provider"], &line["attempt"]),
            (&json!(run), &json!("mockpsp"), &json!(1))
        );
        assert!(
            line["worker"]
                .as_str()
                .is_some_and(|it| it.starts_with("worker-")),
            "{line}"
        );
        assert_eq!(line["duration_ms"].is_u64(), message == COMPLETED, "{line}");
        assert!(line["request_id"].is_string(), "{line}");
    }
    assert!(
        !floor.app.process.transcript().contains(STARTED),
        "the service runs no jobs itself"
    );
    stopped(&mut worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_cannot_be_asked_fails_the_run_with_a_reason() {
    let floor = Floor::start().await;
    let worker = floor.ready_worker(&[]).await;
    let made = floor
        .app
        .post(
            "/api/v1/admin/connections",
            json!({ "provider": "plain", "kind": "hmac" }),
        )
        .await;
    made.expect(201);
    let body = json!({ "provider": "plain", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z" });
    let run = id(&floor.app.post(RUNS, body).await.expect(200));
    let failed = floor.until(&run, "failed").await;
    assert!(failed["error_json"]["message"].is_string(), "{failed}");
    saw(&worker, "reconciliation run failed").await;
    let lines = said(&worker, "reconciliation run failed");
    assert_eq!(
        (&lines[0]["run_id"], lines[0]["duration_ms"].is_u64()),
        (&json!(run), true),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_over_an_empty_past_window_writes_nothing() {
    let floor = Floor::start().await;
    let mut worker = floor.ready_worker(&[]).await;
    let body = json!({
        "provider": "mockpsp", "window_start": "2020-01-01T00:00:00Z", "window_end": "2020-01-02T00:00:00Z", "dry_run": true,
    });
    let run = id(&floor.app.post(RUNS, body).await.expect(200));
    let ended = floor.until(&run, "completed").await;
    let summary = &ended["stats_json"]["summary"];
    assert_eq!(
        (&summary["statement_rows"], &summary["ledger_rows"]),
        (&json!(0), &json!(0)),
        "{ended}"
    );
    assert_eq!(ended["stats_json"]["would_have_found"], json!([]));
    assert_eq!(floor.app.items(FINDINGS).await, Vec::<Value>::new());
    stopped(&mut worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_applied_by_a_worker() {
    let floor = Floor::start().await;
    let worker = floor.ready_worker(&[]).await;
    let player = floor.app.player().await;
    floor.paid(&player, &["10.00", "5.00"]).await;
    let booked = eventually(PATIENCE, || async {
        let holds = player.balance().await.0;
        if holds == "15.00" { Ok(()) } else { Err(holds) }
    });
    booked
        .await
        .unwrap_or_else(|error| panic!("{error}: {}", worker.transcript()));
    floor.app.verify_holds().await;
}

/// How often each run is in the lines with this message, over all workers.
fn tally(workers: &[MizanProcess], message: &str) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for line in workers.iter().flat_map(|it| said(it, message)) {
        *tally
            .entry(line["run_id"].as_str().expect("an id").to_owned())
            .or_default() += 1;
    }
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_workers_share_two_hundred_runs_and_each_runs_once() {
    const RUN_COUNT: usize = 200;
    let floor = Floor::start().await;
    let mut workers: Vec<_> = (0..4).map(|_| floor.worker(&["--concurrency", "4"])).collect();
    for worker in &workers {
        saw(worker, "taking jobs from queue").await;
    }
    let mut runs = Vec::new();
    for _ in 0..RUN_COUNT / 20 {
        let made = join_all((0..20).map(|_| floor.queue_quiet_day())).await;
        runs.extend(made.iter().map(id));
    }
    let all_over = eventually(LEASE_AND_MORE, || async {
        let left = floor
            .app
            .get(&format!("{RUNS}?status=completed&offset=0"))
            .await
            .expect(200);
        let done = left.body["meta"]["total"].as_u64();
        if done == Some(RUN_COUNT as u64) {
            Ok(())
        } else {
            Err(format!("{done:?} are completed"))
        }
    });
    all_over.await.expect("all complete");
    for worker in &mut workers {
        stopped(worker).await;
    }
    let once: BTreeMap<String, usize> = runs.into_iter().map(|it| (it, 1)).collect();
    assert_eq!(tally(&workers, STARTED), once);
    assert_eq!(tally(&workers, COMPLETED), once);
    let shares: Vec<_> = workers.iter().map(|it| said(it, COMPLETED).len()).collect();
    assert!(
        shares.iter().all(|it| *it > 0),
        "every worker had some: {shares:?}"
    );
    let rows = floor.app.items(&format!("{RUNS}?limit=200")).await;
    assert!(rows.iter().all(|it| it["attempts"] == 1), "the rows agree");
}

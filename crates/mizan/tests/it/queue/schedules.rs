//! Runs that are made by the clock, by whichever process is first, once a window.

use mizan_testkit::eventually;
use serde_json::{Value, json};

use super::{Floor, saw, stopped};
use crate::harness::{LEASE_AND_MORE, PATIENCE};
use crate::recon::RUNS;

const SCHEDULES: &str = "/api/v1/reconciliation/schedules";

fn daily() -> Value {
    json!({ "cron": "0 0 * * *", "time_zone": "Europe/Istanbul", "settlement_lag_s": 3600, "catch_up": 3 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missed_windows_get_one_run_each_however_many_workers_look() {
    let floor = Floor::start().await;
    let path = format!("{SCHEDULES}/mockpsp");
    let made = floor.app.put(&path, daily()).await.expect(200).body;
    assert_eq!(
        (&made["cron"], &made["catch_up"]),
        (&json!("0 0 * * *"), &json!(3)),
        "{made}"
    );
    let sql = "UPDATE recon_schedules SET done_until = done_until - interval '10 days', \
               next_due_at = next_due_at - interval '10 days'";
    floor.app.home.sql(sql).await.expect("the clock is moved");
    let mut workers: Vec<_> = (0..3).map(|_| floor.worker(&["--concurrency", "2"])).collect();
    for worker in &workers {
        saw(worker, "taking jobs from queue").await;
    }
    let all = eventually(LEASE_AND_MORE, || async {
        let all = floor.app.items(&format!("{RUNS}?status=completed")).await;
        if all.len() >= 3 {
            Ok(all)
        } else {
            Err(format!("{} runs", all.len()))
        }
    });
    let all = all.await.expect("the latest windows get their runs");
    for worker in &mut workers {
        stopped(worker).await;
    }
    let mut windows: Vec<_> = all
        .iter()
        .map(|it| (it["window_start"].clone(), it["window_end"].clone()))
        .collect();
    windows.reverse();
    assert_eq!(floor.app.items(RUNS).await.len(), 3, "no more than is caught up");
    assert!(
        windows
            .iter()
            .all(|(start, _)| start.as_str().is_some_and(|it| it.ends_with("T21:00:00Z"))),
        "{windows:?}"
    );
    assert!(
        windows.windows(2).all(|pair| pair[0].1 == pair[1].0),
        "they join: {windows:?}"
    );
    let logs: String = workers.iter().map(mizan_testkit::MizanProcess::stderr).collect();
    assert_eq!(logs.matches("a run was made by schedule").count(), 3);
    assert_eq!(logs.matches("windows were missed and get no run").count(), 1);
    let now = &floor.app.items(SCHEDULES).await[0];
    assert_eq!(now["done_until"], windows[2].1, "{now}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_set_shown_and_ended_over_http_and_from_the_shell() {
    let floor = Floor::start().await;
    let path = format!("{SCHEDULES}/mockpsp");
    let change = |name: &str, value: Value| {
        let mut body = daily();
        body[name] = value;
        body
    };
    for (name, value) in [
        ("cron", json!("0 0 * *")),
        ("time_zone", json!("Mars/Olympus")),
        ("settlement_lag_s", json!(-1)),
        ("catch_up", json!(0)),
        ("surprise", json!(1)),
    ] {
        floor
            .app
            .put(&path, change(name, value))
            .await
            .expect_error(422, "VALIDATION_FAILED");
    }
    floor
        .app
        .put(&format!("{SCHEDULES}/nobody"), daily())
        .await
        .expect_error(400, "UNSUPPORTED_PROVIDER");
    let first = floor.app.put(&path, daily()).await.expect(200).body;
    let again = floor
        .app
        .put(&path, change("settlement_lag_s", json!(0)))
        .await
        .expect(200)
        .body;
    assert_eq!(again["done_until"], first["done_until"], "it goes on where it is");

    let shell = async |args: &[&str]| {
        let command = floor.app.command().args(["recon", "schedule"]).args(args);
        command.run(PATIENCE).await.expect("it ends")
    };
    let listed = shell(&["list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!(listed["items"][0]["time_zone"], "Europe/Istanbul");
    let wrong = shell(&["set", "--provider", "mockpsp", "--cron", "nonsense"]).await;
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    let set = shell(&[
        "set",
        "--provider",
        "mockpsp",
        "--cron",
        "0 * * * *",
        "--time-zone",
        "Europe/Berlin",
    ])
    .await;
    assert!(
        set.code == 0 && set.stdout.contains("Europe/Berlin"),
        "{}{}",
        set.stdout,
        set.stderr
    );
    assert_eq!(shell(&["delete", "--provider", "mockpsp"]).await.code, 0);
    assert_eq!(
        shell(&["delete", "--provider", "mockpsp"]).await.code,
        1,
        "there is none any more"
    );
    assert_eq!(floor.app.items(SCHEDULES).await, Vec::<Value>::new());
    let trail = floor.app.items("/api/v1/audit?action=recon_schedule.put").await;
    assert_eq!(trail.len(), 3, "{trail:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_from_the_shell_is_done_by_a_worker_and_waited_for() {
    let floor = Floor::start().await;
    let mut worker = floor.ready_worker(&[]).await;
    let redis = floor.redis.url();
    let shell = async |more: &[&str]| {
        let command = floor.app.command().env("REDIS_URL", &redis).args([
            "recon",
            "run",
            "--provider",
            "mockpsp",
            "--from",
            "2026-01-01T00:00:00Z",
            "--to",
            "2026-01-02T00:00:00Z",
            "--json",
        ]);
        let done = command.args(more).run(PATIENCE).await.expect("it ends");
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        serde_json::from_str::<Value>(&done.stdout).expect("JSON")
    };
    let waited = shell(&["--wait", "--dry-run"]).await;
    assert_eq!(
        (&waited["status"], &waited["dry_run"]),
        (&json!("completed"), &json!(true)),
        "{waited}"
    );
    let left = shell(&[]).await;
    assert_eq!(left["status"], "queued", "{left}");
    floor
        .until(left["id"].as_str().expect("an id"), "completed")
        .await;
    stopped(&mut worker).await;
}

//! Redis stops, restarts empty, or forgets everything.

use mizan_testkit::{Persistence, eventually};

use super::{COMPLETED, Floor, id, said, saw, stopped};
use crate::harness::PATIENCE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_asked_for_while_redis_is_away_completes_when_it_is_back() {
    let floor = Floor::start().await;
    let mut worker = floor.ready_worker(&[]).await;
    floor.redis.stop().await.expect("Redis stops");
    saw(&worker, "no jobs can be taken").await;
    let run = id(&floor.queue_quiet_day().await);
    saw(&floor.app.process, "jobs do not reach the queue").await;
    assert_eq!(
        floor.status(&run).await["status"],
        "queued",
        "in strict mode a worker waits for Redis"
    );
    floor
        .redis
        .restart(Persistence::None)
        .await
        .expect("Redis starts");
    floor.until(&run, "completed").await;
    stopped(&mut worker).await;
    assert_eq!(said(&worker, COMPLETED).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_strict_mode_a_worker_does_without_redis_after_a_while() {
    let floor = Floor::start().await;
    let worker = floor
        .command(&[])
        .env("ENV", "test")
        .env("LOG_FORMAT", "json")
        .spawn()
        .expect("it starts");
    saw(&worker, "taking jobs from queue").await;
    floor.redis.stop().await.expect("Redis stops");
    let run = id(&floor.queue_quiet_day().await);
    floor.until(&run, "completed").await;
    saw(&worker, "jobs are claimed from the database until it is back").await;
    floor
        .redis
        .restart(Persistence::None)
        .await
        .expect("Redis starts");
    saw(&worker, "jobs can be taken again").await;
    let next = id(&floor.queue_quiet_day().await);
    floor.until(&next, "completed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_loses_none_of_fifty_queued_runs() {
    let floor = Floor::start().await;
    let mut runs = Vec::new();
    for _ in 0..50 {
        runs.push(id(&floor.queue_quiet_day().await));
    }
    let carried = eventually(PATIENCE, || async {
        let length = floor.redis.command(&["XLEN", "mizan:{jobs}:stream"]).await?;
        anyhow::ensure!(length == "50", "{length} messages");
        Ok::<_, anyhow::Error>(())
    });
    carried.await.expect("all are on their way");
    floor.redis.flush().await.expect("Redis forgets");
    let mut worker = floor.ready_worker(&[]).await;
    for run in &runs {
        let ended = floor.until(run, "completed").await;
        assert_eq!(ended["attempts"], 1, "{ended}");
    }
    floor
        .redis
        .flush()
        .await
        .expect("Redis forgets, while a worker waits for messages");
    let last = id(&floor.queue_quiet_day().await);
    floor.until(&last, "completed").await;
    stopped(&mut worker).await;
}

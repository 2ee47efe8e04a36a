//! `queue`: from asking for a run until a worker has started it, and how many runs a second there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use futures::future::try_join_all;
use mizan_testkit::{Persistence, Redis};
use serde_json::json;

use super::redis_loop;
use crate::bench::Options;
use crate::case::{Case, Series};
use crate::floor::{Floor, RUNS, Worker, quiet_day};
use crate::http::{Connection, request};
use crate::timing::{self, Latencies};
use crate::usage::{Meter, own_pid, words_each};
use crate::{screen, server::Server};

pub const ABOUT: &str = "runs over an empty window, queued to started and a second, against a Redis stream";
pub const METHOD: &str = "`POST /api/v1/reconciliation/runs` of `mizan serve` with a Redis queue, for windows in which \
nothing happened; one and four `mizan worker` processes, which ask a simulated provider (`mizan mockpsp`) for its empty \
statement. Started is when the worker took the run, enqueued is when the service began to store it, both by the clock of \
this machine and read from the run's row; one run at a time on an idle queue, 50 ms apart. Runs a second are those of a \
batch that 16 connections ask for, from the first request to the end of the last run. The yardstick is a loop of as many \
clients as there are workers against a Redis of its own, each `XADD`, `XREADGROUP`, `XACK` and `XDEL` of one message \
after the other with the same client library: it carries a message, where a run is a request with its audit record, a \
durable job, a durable start, a call to the provider and a durable end: five commits that wait for the disk. The plain \
loop keeps nothing: that is what the goal is held against. Beside it stands the same loop against a Redis that syncs its \
append-only file on every write, which is what a queue in Redis costs that loses nothing either.";

pub const LIMITS: &str = "A message of the yardstick is three round trips to Redis. A run is a request over \
HTTP, five commits and two round trips to Redis, and a call to the provider; the row of the database is the \
truth, so there is no shorter way that loses nothing. Loader, provider, databases and all workers share the \
processors.";

const CLIENTS: usize = 16;
const GAP: Duration = Duration::from_millis(50);
/// Between two looks at how many runs are over: a look costs a process and a connection.
const LOOK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_mins(5);

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for workers in [1, 4] {
        cases.extend(of(&options, workers).await?);
    }
    Ok(cases)
}

/// Days are never used twice, so that a batch can be found by its windows.
struct Field {
    floor: Floor,
    crew: Vec<Worker>,
    day: AtomicU64,
}

/// What every round found.
#[derive(Default)]
struct Found {
    started: Latencies,
    p50: Vec<f64>,
    rates: Vec<f64>,
    plain: Vec<f64>,
    durable: Vec<f64>,
    handed_over: Latencies,
    busy: String,
}

async fn of(options: &Options, workers: usize) -> anyhow::Result<Vec<Case>> {
    let floor = Floor::start().await?;
    let mut crew = Vec::new();
    for _ in 0..workers {
        crew.push(floor.worker(&[]).await?);
    }
    let field = Field {
        floor,
        crew,
        day: AtomicU64::default(),
    };
    let (plain, durable) = (
        Redis::start().await?,
        Redis::start_with(Persistence::AppendOnly).await?,
    );
    let (single, batch) = if options.quick { (30, 100) } else { (200, 600) };
    field.batch(batch / 4).await?; // statements are prepared, connections open, statistics there
    field.floor.server.tidy(&field.floor.database).await?;
    let mut found = Found::default();
    for _ in 0..options.rounds() {
        field.floor.server.settle().await?;
        let mut started = field.one_by_one(single).await?;
        found.p50.push(started.per_mille(500));
        found.started.extend(started);
        let (rate, busy) = field.batch(batch).await?;
        found.busy = busy;
        found.rates.push(rate);
        let stretch = options.stretch() / 3;
        found
            .plain
            .push(redis_loop::rate(&plain.url(), workers, stretch).await?);
        found
            .durable
            .push(redis_loop::rate(&durable.url(), workers, stretch).await?);
        found
            .handed_over
            .extend(redis_loop::hand_over(&plain.url(), single, GAP).await?);
        screen::note(&format!(
            "{workers} workers: p50 {:.1?} ms, {:.0?} runs/s; Redis {:.0?}, synced {:.0?} messages/s",
            found.p50, found.rates, found.plain, found.durable
        ));
    }
    Ok(found.cases(workers))
}

impl Field {
    fn meter(&self) -> anyhow::Result<Meter> {
        let mut trees = vec![
            ("PostgreSQL", self.floor.server.pid()?),
            ("mizan serve", self.floor.service.process.pid()),
            ("loader", own_pid()),
        ];
        trees.extend(self.crew.iter().map(|it| ("workers", it.process.pid())));
        Ok(Meter::start(&trees))
    }

    fn next(&self, token: &str) -> Vec<u8> {
        let day = quiet_day(self.day.fetch_add(1, Ordering::Relaxed));
        let headers = [
            format!("authorization: Bearer {token}"),
            "content-type: application/json".to_owned(),
        ];
        request("POST", RUNS, &headers, day.to_string().as_bytes())
    }

    /// One run at a time, each on an idle queue.
    async fn one_by_one(&self, runs: u64) -> anyhow::Result<Latencies> {
        let before = self.count("true").await?;
        let mut connection = Connection::open(self.floor.address()).await?;
        for _ in 0..runs {
            ask(&mut connection, &self.next(self.floor.token()?)).await?;
            tokio::time::sleep(GAP).await;
        }
        self.finished(before + runs).await?;
        self.started(before).await
    }

    /// Runs a second, from the first request to the end of the last run; and who was busy with each of them.
    async fn batch(&self, runs: u64) -> anyhow::Result<(f64, String)> {
        let before = self.count("true").await?;
        let left = Arc::new(AtomicU64::new(runs));
        let (meter, began) = (self.meter()?, timing::now());
        let clients = (0..CLIENTS).map(|_| async {
            let mut connection = Connection::open(self.floor.address()).await?;
            let token = self.floor.token()?;
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                .is_ok()
            {
                ask(&mut connection, &self.next(token)).await?;
            }
            anyhow::Ok(())
        });
        try_join_all(clients).await?;
        self.finished(before + runs).await?;
        let busy = words_each(&together(&meter.busy()), timing::rate(runs, began.elapsed()));
        let took = self.took(before).await?;
        Ok((timing::rate(runs, took), busy))
    }

    /// Waits until so many runs are over, and expects that they all completed.
    async fn finished(&self, runs: u64) -> anyhow::Result<()> {
        let began = timing::now();
        while self.count("finished_at IS NOT NULL").await? < runs {
            ensure!(began.elapsed() < PATIENCE, "the runs do not end");
            tokio::time::sleep(LOOK).await;
        }
        let failed = self.count("status <> 'completed'").await?;
        ensure!(failed == 0, "{failed} runs did not complete");
        Ok(())
    }

    /// From the first request to the end of the last of the runs after the first so many.
    async fn took(&self, after: u64) -> anyhow::Result<Duration> {
        let sql = format!(
            "SELECT (extract(epoch FROM max(finished_at) - min(created_at)) * 1000000)::bigint \
             FROM (SELECT * FROM recon_runs ORDER BY created_at, id OFFSET {after}) AS batch"
        );
        Ok(Duration::from_micros(self.sql(&sql).await?.trim().parse()?))
    }

    async fn count(&self, condition: &str) -> anyhow::Result<u64> {
        let sql = format!("SELECT count(*) FROM recon_runs WHERE {condition}");
        Ok(self.sql(&sql).await?.trim().parse()?)
    }

    /// Of the runs after the first so many, in the order in which they were made.
    async fn started(&self, after: u64) -> anyhow::Result<Latencies> {
        let sql = format!(
            "SELECT (extract(epoch FROM started_at - created_at) * 1000000)::bigint FROM recon_runs \
             ORDER BY created_at, id OFFSET {after}"
        );
        let mut latencies = Latencies::default();
        for line in self.sql(&sql).await?.lines() {
            latencies.push_us(line.trim().parse()?);
        }
        Ok(latencies)
    }

    async fn sql(&self, sql: &str) -> anyhow::Result<String> {
        let server: &Server = &self.floor.server;
        server.sql(&self.floor.database, sql).await
    }
}

/// Adds up what has the same name.
fn together(busy: &[(&'static str, f64)]) -> Vec<(&'static str, f64)> {
    let mut sums: Vec<(&'static str, f64)> = Vec::new();
    for (name, cores) in busy {
        match sums.iter_mut().find(|it| it.0 == *name) {
            Some(sum) => sum.1 += cores,
            None => sums.push((name, *cores)),
        }
    }
    sums
}

async fn ask(connection: &mut Connection, request: &[u8]) -> anyhow::Result<()> {
    let answer = connection.send(request).await?;
    let body = String::from_utf8_lossy(&answer.body);
    ensure!(answer.status == 200, "a run is refused: {} {body}", answer.status);
    Ok(())
}

impl Found {
    fn cases(mut self, workers: usize) -> Vec<Case> {
        let crew = if workers == 1 {
            "1 worker".to_owned()
        } else {
            format!("{workers} workers")
        };
        let p99 = self.started.per_mille(990);
        let handed = [500, 990].map(|it| self.handed_over.per_mille(it));
        let runs = || Series::new("Mizan", "runs/s", self.rates.clone());
        vec![
            Case::alone(
                format!("enqueued to started, p50, {crew}"),
                Series::new("Mizan", "ms", self.p50),
            )
            .at_most(10.0)
            .seen(format!(
                "p99 {p99:.1} ms; XADD to XREADGROUP alone takes {:.2} ms (p99 {:.2} ms)",
                handed[0], handed[1]
            ))
            .raw(json!({ "started": self.started.raw(), "redis": self.handed_over.raw() })),
            Case::against(
                format!("runs with an empty window, {crew}"),
                runs(),
                Series::new("Redis loop", "messages/s", self.plain),
            )
            .at_least(0.3)
            .seen(self.busy),
            Case::against(
                format!("the same against a Redis that syncs, {crew}"),
                runs(),
                Series::new("Redis loop, appendfsync always", "messages/s", self.durable),
            ),
        ]
    }
}

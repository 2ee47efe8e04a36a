//! `ready`: the probe that load balancers ask, when all is well and when nothing answers.

use std::time::Duration;

use anyhow::ensure;
use mizan_testkit::{Redis, eventually};
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series};
use crate::http::{self, Connection};
use crate::server::Server;
use crate::subject::Service;
use crate::usage::{Meter, own_pid, words};

pub const ABOUT: &str = "/api/ready at 200 requests/s, healthy and with PostgreSQL and Redis frozen";
pub const METHOD: &str = "`GET /api/ready` of `mizan serve` on PostgreSQL and Redis, 200 requests a second at fixed times; \
a latency counts from when its request was due. Then both servers are stopped with SIGSTOP (connections stay open, \
nothing answers) and the same load goes on: every answer has to be 503, within the time limit. The rate is that of 16 \
connections that ask again as soon as they are answered.";
pub const LIMITS: &str = "";

const EVERY: Duration = Duration::from_millis(5);

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let server = Server::start().await?;
    let redis = Redis::start().await?;
    let database = server.database().await?;
    let service = Service::start(&database.url(), &[("REDIS_URL", &redis.url())]).await?;
    let request = http::request("GET", "/api/ready", &[], b"");
    let body = Connection::open(service.address)
        .await?
        .send(&request)
        .await?
        .body;
    let body: serde_json::Value = serde_json::from_slice(&body)?;
    ensure!(
        !body["dependencies"]["redis"].is_null(),
        "the probe does not look at Redis: {body}"
    );

    let (mut rates, mut healthy, mut black_holed, mut raw) = (vec![], vec![], vec![], vec![]);
    let mut seen = String::new();
    for _ in 0..options.rounds() {
        let trees = [
            ("PostgreSQL", server.pid()?),
            ("mizan serve", service.process.pid()),
            ("loader", own_pid()),
        ];
        let mut calm =
            http::open_loop(service.address, EVERY, options.stretch(), 200, request.clone()).await?;
        healthy.push(calm.latencies.per_mille(990));

        let again = request.clone();
        let make = std::sync::Arc::new(move |_, _| again.clone());
        let meter = Meter::start(&trees);
        rates.push(
            http::closed_loop(service.address, 16, options.stretch(), 200, make)
                .await?
                .rate(),
        );
        seen = words(&meter.busy());

        server.postgres.pause().await?;
        redis.pause().await?;
        // A report may be a moment old; from the first 503 on every question is one to servers that do not answer.
        eventually(Duration::from_secs(10), || says_no(&service, &request)).await?;
        let mut frozen =
            http::open_loop(service.address, EVERY, options.stretch(), 503, request.clone()).await?;
        redis.resume()?;
        server.postgres.resume()?;
        black_holed.push(frozen.latencies.per_mille(990));
        raw.push(json!({ "healthy": calm.latencies.raw(), "black_holed": frozen.latencies.raw() }));
        service
            .process
            .wait_ready(&format!("http://{}", service.address), Duration::from_secs(30))
            .await?;
    }
    let of = |unit: &str, rounds| Series::new("Mizan", unit, rounds);
    Ok(vec![
        Case::alone("p99 at 200 requests/s, healthy", of("ms", healthy))
            .at_most(5.0)
            .raw(json!(raw)),
        Case::alone(
            "p99 at 200 requests/s, PostgreSQL and Redis frozen",
            of("ms", black_holed),
        )
        .at_most(1_000.0),
        Case::alone("rate, healthy, 16 connections", of("requests/s", rates)).seen(seen),
    ])
}

async fn says_no(service: &Service, request: &[u8]) -> bool {
    let Ok(mut connection) = Connection::open(service.address).await else {
        return false;
    };
    connection.send(request).await.is_ok_and(|it| it.status == 503)
}

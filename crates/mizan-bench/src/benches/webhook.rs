//! `webhook`: events of a provider taken in over HTTP, and until their money is booked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use mizan_core::{Clock, SystemClock};
use mizan_testkit::{Database, MizanCommand, MizanProcess, sign_mockpsp};
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series};
use crate::http::{self, Maker};
use crate::screen;
use crate::server::Server;
use crate::subject::{Service, WEBHOOK_SECRET};
use crate::timing;
use crate::usage::{Meter, own_pid, words};

pub const ABOUT: &str = "signed events taken in and applied, against a handler that only reads the body";
pub const METHOD: &str = "`POST /api/v1/payments/webhook/mockpsp` of `mizan serve` over 64 keep-alive connections: captured \
deposits of 1 000 players, each event signed, one in twenty a repetition of the one before on its connection. A reply \
means: verified, told apart from repetitions, stored durably with its job. The yardstick is a bare axum server in a \
process of its own that reads the same bodies and says 200; it touches no disk. `Applied` counts from the first request \
until no event is left that was received and not applied, while the intake goes on. A warm-up gives the tables \
statistics.";
pub const LIMITS: &str = "an event is ten rows in PostgreSQL before it is applied (inbox, job, deposit, effect, \
audit, journal, transaction, balances, and the inbox and the job again), about 300 µs of a core's time there and \
110 µs in Mizan, and it is applied while others come in. The yardstick takes 20 µs and writes nothing, so on two \
cores the goal asks for a whole event in less time than its rows take. In a profile of PostgreSQL the indexes \
are 18 % and the checks of foreign keys 10 %; fewer indexes and no foreign keys on these tables were tried and \
changed nothing beyond the noise. Next: jobs that are claimed as they are made, which saves one of the two \
changes of each, and one statement for event and job, which saves a round trip of each batch.";

const CONNECTIONS: usize = 64;
/// How long a backlog may take to be applied before the rate so far counts.
const PATIENCE: Duration = Duration::from_mins(3);
const PLAYERS: &str = include_str!("../../sql/players.sql");
const BACKLOG: &str = include_str!("../../sql/webhook_backlog.sql");
const STATES: &str = include_str!("../../sql/webhook_states.sql");

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let server = Server::start().await?;
    let database = server.database().await?;
    let service = Service::start(&database.url(), &[]).await?;
    server.sql(&database, PLAYERS).await?;
    let (bare, bare_address) = bare_server().await?;
    warm_up(&server, &database, &service).await?;
    let (mut stored, mut bares, mut applied, mut raw) = (vec![], vec![], vec![], vec![]);
    let (mut of_intake, mut of_apply) = (String::new(), String::new());
    for round in 0..options.rounds() {
        server.settle().await?;
        let made = Arc::new(AtomicU64::new(0));
        let began = timing::now();
        let trees = [
            ("PostgreSQL", server.pid()?),
            ("mizan serve", service.process.pid()),
            ("loader", own_pid()),
        ];
        let meter = Meter::start(&trees);
        let make = events(round, Arc::clone(&made));
        let mut load = http::closed_loop(service.address, CONNECTIONS, options.stretch(), 200, make)
            .await
            .with_context(|| service.log_tail())?;
        of_intake = words(&meter.busy());
        let meter = Meter::start(&trees);
        let left = drain(&server, &database, began).await?;
        of_apply = words(&meter.busy());
        let distinct = made.load(Ordering::Relaxed);
        stored.push(load.rate());
        applied.push(timing::rate(distinct.saturating_sub(left), began.elapsed()));
        raw.push(json!({ "intake": load.latencies.raw(), "distinct": distinct, "left": left, "until_applied_s": began.elapsed().as_secs_f64() }));
        service.pause()?;
        let make = events(round, Arc::default());
        bares.push(
            http::closed_loop(bare_address, CONNECTIONS, options.stretch(), 200, make)
                .await?
                .rate(),
        );
        service.resume()?;
        screen::note(&format!(
            "stored {stored:.0?}, applied {applied:.0?}, bare {bares:.0?}"
        ));
    }
    drop(bare);
    let states = server.sql(&database, STATES).await?;
    ensure!(!states.contains("failed"), "some events failed: {states}");
    let intake = || Series::new("Mizan, stored", "events/s", stored.clone());
    Ok(vec![
        Case::against(
            "verified, deduplicated, stored",
            intake(),
            Series::new("bare axum handler", "events/s", bares),
        )
        .at_least(0.3)
        .seen(of_intake)
        .raw(json!({ "rounds": raw, "states": states })),
        Case::against(
            "applied",
            Series::new("Mizan, applied", "events/s", applied),
            intake(),
        )
        .at_least(0.8)
        .seen(of_apply),
    ])
}

/// Fills the tables a little, so that PostgreSQL has statistics, and opens every account.
async fn warm_up(server: &Server, database: &Database, service: &Service) -> anyhow::Result<()> {
    let make = events(usize::MAX, Arc::default());
    http::closed_loop(service.address, CONNECTIONS, Duration::from_secs(2), 200, make).await?;
    drain(server, database, timing::now()).await?;
    server.tidy(database).await
}

async fn bare_server() -> anyhow::Result<(MizanProcess, SocketAddr)> {
    let process = MizanCommand::new(std::env::current_exe()?)
        .args(["bare-server"])
        .spawn()?;
    let line = process
        .wait_for_line("listening on ", Duration::from_secs(10))
        .await?;
    let address = line.rsplit(' ').next().context("no address")?.parse()?;
    Ok((process, address))
}

/// Signed events; `made` counts those that are no repetition.
fn events(round: usize, made: Arc<AtomicU64>) -> Maker {
    let day = SystemClock.now();
    Arc::new(move |worker, number| {
        // Every twentieth says again what the one before it said.
        let number = if number % 20 == 19 {
            number - 1
        } else {
            made.fetch_add(1, Ordering::Relaxed);
            number
        };
        let event = format!("{}-{round}-{worker}-{number}", day.timestamp());
        let player = (number * 64 + worker as u64) % 1_000;
        let body = json!({
            "provider_event_id": format!("evt-{event}"), "event_type": "deposit_captured",
            "provider_ref": format!("pay-{event}"), "tenant_id": "default", "amount": "12.34", "currency": "TRY",
            "player_id": format!("00000000-0000-7000-8000-{player:012x}"),
        });
        let body = body.to_string();
        let signed = sign_mockpsp(WEBHOOK_SECRET, SystemClock.now().timestamp(), body.as_bytes());
        let mut headers: Vec<String> = signed
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        headers.push("content-type: application/json".to_owned());
        http::request(
            "POST",
            "/api/v1/payments/webhook/mockpsp",
            &headers,
            body.as_bytes(),
        )
    })
}

/// Waits until nothing is left to apply; answers how much was left when patience ran out.
async fn drain(server: &Server, database: &Database, began: Instant) -> anyhow::Result<u64> {
    loop {
        let left = server.sql(database, BACKLOG).await?.parse()?;
        if left == 0 || began.elapsed() > PATIENCE {
            return Ok(left);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

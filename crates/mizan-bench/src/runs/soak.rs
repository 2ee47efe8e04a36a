//! `soak`: mixed load for minutes. Does it get slower, does it grow, and do the books agree in the end?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use mizan_core::TransactionId;
use mizan_testkit::MizanCommand;
use serde_json::{Value, json};

use super::cast::{Cast, one};
use crate::http::{self, Connection};
use crate::ledger_load::{Draw, Mix, draw};
use crate::server::Server;
use crate::subject::{Service, binary};
use crate::timing::{self, Latencies};
use crate::{report, screen, usage};

pub const ABOUT: &str = "mixed load for minutes: latency, memory, and `ledger verify` at the end";

/// The last minute's p99 may be so many times the first one's.
const SLOWER: f64 = 1.5;
/// Memory at the end may be so many times that of the second minute, when caches are warm.
const LARGER: f64 = 1.1;
const MINUTE: Duration = Duration::from_mins(1);
const BULK: usize = 200;
const VERIFY_PATIENCE: Duration = Duration::from_mins(10);

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub minutes: u32,
    pub clients: usize,
}

/// Runs it and says whether everything held.
pub async fn run(plan: Plan) -> anyhow::Result<bool> {
    ensure!((2..=240).contains(&plan.minutes), "--minutes: 2 to 240");
    ensure!((1..=1_000).contains(&plan.clients), "--clients: 1 to 1000");
    let server = Server::start().await?;
    let (database, service, cast) = Cast::gather(&server).await?;
    let load = Arc::new(Load {
        cast,
        began: timing::now(),
        ends: timing::now() + MINUTE * plan.minutes,
        asked_to_wait: AtomicU64::new(0),
    });
    let mut workers = Vec::new();
    for number in 0..plan.clients {
        let connection = Connection::open(service.address).await?;
        workers.push(tokio::spawn(client(Arc::clone(&load), number, connection)));
    }
    let memory = watch(&service, &load, plan.minutes);
    let (memory, measured) = tokio::try_join!(memory, async {
        try_join_all(workers).await.context("a client broke down")
    })?;
    let mut minutes = vec![Latencies::default(); plan.minutes as usize];
    for of_client in measured {
        for (minute, latencies) in minutes.iter_mut().zip(of_client?) {
            minute.extend(latencies);
        }
    }
    let verified = verify(&database.url()).await?;
    let outcome = Outcome::of(plan, &mut minutes, memory, verified, &load);
    report::keep_run(&outcome.line)?;
    screen::result(&outcome.line.to_string())?;
    Ok(outcome.held)
}

struct Load {
    cast: Arc<Cast>,
    began: Instant,
    ends: Instant,
    asked_to_wait: AtomicU64,
}

/// Resident memory of the service at the end of each minute.
async fn watch(service: &Service, load: &Load, minutes: u32) -> anyhow::Result<Vec<f64>> {
    let mut memory = Vec::new();
    for minute in 1..=minutes {
        tokio::time::sleep_until((load.began + MINUTE * minute).into()).await;
        let now = usage::memory_mib(service.process.pid(), "VmRSS").context("the service is gone")?;
        memory.push(now);
        service.trim_log()?;
        screen::note(&format!("minute {minute}: {now:.1} MiB resident"));
    }
    Ok(memory)
}

/// One client: asks, waits for the answer, asks again. Latencies by the minute in which they ended.
async fn client(
    load: Arc<Load>,
    number: usize,
    mut connection: Connection,
) -> anyhow::Result<Vec<Latencies>> {
    let mut numbers = Draw::from(number as u64);
    let mut minutes: Vec<Latencies> = Vec::new();
    let mut last = None;
    while timing::now() < load.ends {
        let step = Step::draw(&load.cast, &mut numbers, number, last.as_deref());
        let sent = timing::now();
        let answer = connection.send(&step.request).await?;
        let (minute, took) = (load.began.elapsed().as_secs() / 60, sent.elapsed());
        let minute = usize::try_from(minute)?;
        minutes.resize(minutes.len().max(minute + 1), Latencies::default());
        minutes[minute].push(took);
        match answer.status {
            429 => {
                load.asked_to_wait.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            status if status == step.expected => {}
            status => bail!(
                "{}: {status} {}",
                step.what,
                String::from_utf8_lossy(&answer.body)
            ),
        }
        if step.then_cancel && answer.status == 200 {
            cancel(&load.cast, number, &mut connection, &answer.body).await?;
        }
        last = step.id.or(last);
    }
    Ok(minutes)
}

/// One thing to ask.
struct Step {
    what: &'static str,
    request: Vec<u8>,
    expected: u16,
    /// The transaction that it posts.
    id: Option<String>,
    /// A withdrawal's hold is given back at once.
    then_cancel: bool,
}

impl Step {
    /// Of a hundred: 75 single postings, 1 bulk of 200, 18 readings, 6 withdrawals that are cancelled.
    fn draw(cast: &Cast, numbers: &mut Draw, client: usize, last: Option<&str>) -> Self {
        let plain = |what, request| Self {
            what,
            request,
            expected: 200,
            id: None,
            then_cancel: false,
        };
        let ledger = [format!("x-api-key: {}", cast.ledger)];
        let get = |path: String| http::request("GET", &path, &ledger, b"");
        match (numbers.between(0, 99), last) {
            (0, _) => {
                let items: Vec<String> = (0..BULK).map(|_| posting(numbers).1).collect();
                let body = format!("{{\"transactions\":[{}]}}", items.join(","));
                plain(
                    "bulk",
                    post("/api/v1/ledger/transactions/bulk", &ledger[0], &body),
                )
            }
            (1..=6, _) => {
                let own = format!(
                    "authorization: Bearer {}",
                    cast.players[client % cast.players.len()]
                );
                let body =
                    "{\"amount\":\"0.01\",\"method\":\"iban\",\"address\":\"TR330006100519786457841326\"}";
                Self {
                    then_cancel: true,
                    ..plain("withdraw", post("/api/v1/player/wallet/withdraw", &own, body))
                }
            }
            (7..=12, Some(id)) => plain("transaction", get(format!("/api/v1/ledger/transactions/{id}"))),
            (7..=18, _) => {
                let id = cast.accounts[numbers.between(0, cast.accounts.len() - 1)];
                plain("account", get(format!("/api/v1/ledger/accounts/{id}")))
            }
            (19..=24, _) => {
                let id = cast.accounts[numbers.between(0, cast.accounts.len() - 1)];
                plain(
                    "entries",
                    get(format!("/api/v1/ledger/accounts/{id}/entries?limit=20")),
                )
            }
            _ => {
                let (id, body) = posting(numbers);
                Self {
                    expected: 201,
                    id: Some(id),
                    ..plain("single", post("/api/v1/ledger/transactions", &ledger[0], &body))
                }
            }
        }
    }
}

fn posting(numbers: &mut Draw) -> (String, String) {
    let (debit, credit, amount) = draw(numbers, Mix::Spread, 0);
    let id = TransactionId::new().to_string();
    let body = one(&id, debit.unwrap_or_default(), credit, amount);
    (id, body)
}

fn post(path: &str, credential: &str, body: &str) -> Vec<u8> {
    let headers = [
        credential.to_owned(),
        format!("idempotency-key: {}", TransactionId::new()),
        "content-type: application/json".to_owned(),
    ];
    http::request("POST", path, &headers, body.as_bytes())
}

/// Gives the hold of a withdrawal back.
async fn cancel(
    cast: &Cast,
    client: usize,
    connection: &mut Connection,
    withdrawal: &[u8],
) -> anyhow::Result<()> {
    let asked: Value = serde_json::from_slice(withdrawal)?;
    let id = asked["transaction"]["id"]
        .as_str()
        .context("a withdrawal has an id")?;
    let own = format!(
        "authorization: Bearer {}",
        cast.players[client % cast.players.len()]
    );
    let request = post(&format!("/api/v1/player/withdrawals/{id}/cancel"), &own, "{}");
    let answer = connection.send(&request).await?;
    ensure!(
        answer.status == 200,
        "cancel: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    Ok(())
}

/// `mizan ledger verify`: whether it found nothing, and what it said.
pub async fn verify(database_url: &str) -> anyhow::Result<(bool, String)> {
    let command = MizanCommand::new(binary()?)
        .args(["ledger", "verify", "--seal"])
        .env("ENV", "test")
        .env("DATABASE_URL", database_url);
    let done = command.run(VERIFY_PATIENCE).await?;
    Ok((done.code == 0, done.stdout + &done.stderr))
}

struct Outcome {
    held: bool,
    line: Value,
}

impl Outcome {
    fn of(
        plan: Plan,
        minutes: &mut [Latencies],
        memory: Vec<f64>,
        (clean, said): (bool, String),
        load: &Load,
    ) -> Self {
        let requests: usize = minutes.iter().map(Latencies::len).sum();
        let shown: Vec<Value> = minutes.iter_mut().map(Latencies::raw).collect();
        let p99 = |it: Option<&mut Latencies>| it.map_or(0.0, |it| it.per_mille(990));
        let (first, last) = (p99(minutes.first_mut()), p99(minutes.last_mut()));
        let ratio = last / first;
        let growth = memory
            .last()
            .zip(memory.get(1))
            .map_or(1.0, |(end, warm)| end / warm);
        let held = ratio <= SLOWER && growth <= LARGER && clean;
        let line = json!({
            "name": "soak", "minutes": plan.minutes, "clients": plan.clients, "requests": requests,
            "asked_to_wait": load.asked_to_wait.load(Ordering::Relaxed),
            "p99_first_ms": first, "p99_last_ms": last, "p99_ratio": ratio, "by_minute": shown,
            "rss_mib": memory, "rss_growth": growth, "verify_clean": clean,
            "verify": said.lines().collect::<Vec<_>>(), "held": held,
        });
        Self { held, line }
    }
}

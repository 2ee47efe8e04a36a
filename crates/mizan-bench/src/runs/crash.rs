//! `crash`: the service and PostgreSQL are killed under load, again and again. What was acknowledged is there once,
//! and nothing is there twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use mizan_core::TransactionId;
use mizan_testkit::eventually;
use serde_json::json;

use super::cast::{Cast, one};
use super::soak::verify;
use crate::http::{self, Answer, Connection};
use crate::ledger_load::{ACCOUNTS, Draw, Mix, draw};
use crate::server::Server;
use crate::{report, screen};

pub const ABOUT: &str = "kill -9 of the service and of PostgreSQL under load: nothing lost, nothing doubled";

const CLIENTS: usize = 64;
const BULK: usize = 20;
/// Acknowledged requests before the first kill of a round, and more in each later one.
const REPLIES: u64 = 400;
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two tries of a client whose server is away.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub rounds: u32,
    pub kill_server: bool,
    pub kill_postgres: bool,
}

/// Runs it and says whether everything held.
pub async fn run(plan: Plan) -> anyhow::Result<bool> {
    ensure!((1..=1_000).contains(&plan.rounds), "--rounds: 1 to 1000");
    let server = Server::start().await?;
    let (database, mut service, cast) = Cast::gather(&server).await?;
    let before = journal(&server, &database).await?;
    let load = Arc::new(Load::new(cast, service.address));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(client(Arc::clone(&load), number)))
        .collect();
    for round in 0..plan.rounds {
        let more = load.replies() + REPLIES + u64::from(round % 7) * 150;
        eventually(PATIENCE, || async { load.replies() >= more })
            .await
            .context("the load stands still")?;
        let [service_dies, postgres_dies] = victims(plan, round);
        screen::note(&format!(
            "round {round}: {} acknowledged; kills service: {service_dies}, PostgreSQL: {postgres_dies}",
            load.replies()
        ));
        if service_dies {
            service.kill().await?;
        }
        if postgres_dies {
            server.postgres.kill9().await?;
            server.postgres.restart().await?;
        }
        if service_dies {
            service.start_again()?;
        }
        service.wait_ready().await?;
    }
    let last = load.replies() + REPLIES;
    eventually(PATIENCE, || async { load.replies() >= last })
        .await
        .context("the load stands still")?;
    load.stop.store(true, Ordering::Relaxed);
    for ended in try_join_all(clients).await? {
        ended?;
    }
    let (clean, said) = verify(&database.url()).await?;
    let found = journal(&server, &database).await?;
    ensure!(
        before.keys().all(|it| found.contains_key(it)),
        "rows from before the load are gone"
    );
    let tally = load.tally(&found);
    let held = clean && tally.lost == 0 && tally.doubled == 0;
    let line = json!({
        "name": "crash", "rounds": plan.rounds, "clients": CLIENTS, "acked": tally.acked,
        "retried": load.retried.load(Ordering::Relaxed), "given_up": tally.given_up, "given_up_but_found": tally.unheard,
        "found": tally.found, "lost": tally.lost, "doubled": tally.doubled, "verify_clean": clean,
        "verify": said.lines().collect::<Vec<_>>(), "held": held,
    });
    report::keep_run(&line)?;
    screen::result(&line.to_string())?;
    Ok(held)
}

/// Who dies in a round: the service, PostgreSQL, both, and again.
fn victims(plan: Plan, round: u32) -> [bool; 2] {
    match (plan.kill_server, plan.kill_postgres) {
        (true, true) => match round % 3 {
            0 => [true, false],
            1 => [false, true],
            _ => [true, true],
        },
        either => [either.0, either.1],
    }
}

/// Every transaction of the journal, with how many rows it has.
async fn journal(
    server: &Server,
    database: &mizan_testkit::Database,
) -> anyhow::Result<HashMap<String, u64>> {
    let sql = "SELECT transaction_id, count(*) FROM journal GROUP BY transaction_id";
    let rows = server.sql(database, sql).await?;
    let row = |line: &str| {
        Some((
            line.split_once('|')?.0.to_owned(),
            line.split_once('|')?.1.parse().ok()?,
        ))
    };
    rows.lines()
        .map(|line| row(line).with_context(|| format!("psql said {line}")))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Acknowledged,
    /// The server died while it was asked, and nobody asked again.
    GivenUp,
}

struct Load {
    cast: Arc<Cast>,
    address: std::net::SocketAddr,
    stop: AtomicBool,
    replies: AtomicU64,
    retried: AtomicU64,
    fates: Mutex<HashMap<String, Fate>>,
}

#[derive(Debug, Default)]
struct Tally {
    acked: u64,
    given_up: u64,
    /// Committed, though the reply never arrived.
    unheard: u64,
    found: u64,
    lost: u64,
    doubled: u64,
}

impl Load {
    fn new(cast: Arc<Cast>, address: std::net::SocketAddr) -> Self {
        Self {
            cast,
            address,
            stop: AtomicBool::new(false),
            replies: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            fates: Mutex::default(),
        }
    }

    fn replies(&self) -> u64 {
        self.replies.load(Ordering::Relaxed)
    }

    fn settle(&self, ids: Vec<String>, fate: Fate) {
        let mut fates = self.fates.lock().unwrap_or_else(PoisonError::into_inner);
        fates.extend(ids.into_iter().map(|it| (it, fate)));
        if fate == Fate::Acknowledged {
            self.replies.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tally(&self, found: &HashMap<String, u64>) -> Tally {
        let fates = self.fates.lock().unwrap_or_else(PoisonError::into_inner);
        // Of every transaction in the journal, also of those that nobody sent: each has one transfer.
        let mut tally = Tally {
            doubled: found.values().filter(|rows| **rows != 1).count() as u64,
            ..Tally::default()
        };
        for (id, fate) in fates.iter() {
            match (fate, found.contains_key(id)) {
                (Fate::Acknowledged, there) => {
                    tally.acked += 1;
                    tally.found += u64::from(there);
                    tally.lost += u64::from(!there);
                }
                (Fate::GivenUp, there) => {
                    tally.given_up += 1;
                    tally.unheard += u64::from(there);
                }
            }
        }
        tally
    }
}

/// Asks until it is told to stop. Most requests that a crash cut off are sent again with their key until they are
/// answered; every fourth is given up.
async fn client(load: Arc<Load>, number: usize) -> anyhow::Result<()> {
    let mut numbers = Draw::from(number as u64);
    let mut connection = None;
    let mut cut_off = 0_u64;
    while !load.stop.load(Ordering::Relaxed) {
        let (ids, request, expected) = step(&load.cast, &mut numbers);
        let mut tries = 0_u32;
        loop {
            tries += 1;
            match ask(&load, &mut connection, &request).await {
                Some(answer) if expected.contains(&answer.status) => {
                    load.settle(ids, Fate::Acknowledged);
                    break;
                }
                // Away, draining, busy, or cut off in the middle: what happened is not known.
                None
                | Some(Answer {
                    status: 429 | 500.., ..
                }) => {}
                Some(answer) => bail!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)),
            }
            cut_off += u64::from(tries == 1);
            if tries == 1 && cut_off.is_multiple_of(4) {
                load.settle(ids, Fate::GivenUp);
                break;
            }
            load.retried.fetch_add(1, Ordering::Relaxed);
            ensure!(tries < 4_000, "no answer after {tries} tries");
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// One request, on a new connection if the old one broke.
async fn ask(load: &Load, connection: &mut Option<Connection>, request: &[u8]) -> Option<Answer> {
    if connection.is_none() {
        *connection = Connection::open(load.address).await.ok();
    }
    let answer = tokio::time::timeout(PATIENCE, connection.as_mut()?.send(request)).await;
    let Ok(Ok(answer)) = answer else {
        *connection = None;
        return None;
    };
    Some(answer)
}

/// A single posting, or now and then twenty in one request. All can be paid for, so all must post.
fn step(cast: &Cast, numbers: &mut Draw) -> (Vec<String>, Vec<u8>, &'static [u16]) {
    let (path, count, expected): (_, _, &[u16]) = match numbers.between(0, 19) {
        0 => ("/api/v1/ledger/transactions/bulk", BULK, &[200]),
        _ => ("/api/v1/ledger/transactions", 1, &[200, 201]),
    };
    let mut ids = Vec::with_capacity(count);
    let mut bodies = Vec::with_capacity(count);
    for _ in 0..count {
        let (debit, credit, amount) = draw(numbers, Mix::Spread, 0);
        let id = TransactionId::new().to_string();
        bodies.push(one(&id, debit.unwrap_or(ACCOUNTS), credit, amount));
        ids.push(id);
    }
    let body = if count == 1 {
        bodies.remove(0)
    } else {
        format!("{{\"transactions\":[{}],\"atomic\":true}}", bodies.join(","))
    };
    let headers = [
        format!("x-api-key: {}", cast.ledger),
        format!("idempotency-key: {}", TransactionId::new()),
        "content-type: application/json".to_owned(),
    ];
    (
        ids,
        http::request("POST", path, &headers, body.as_bytes()),
        expected,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_and_what_is_doubled_is_counted() {
        let cast = Cast {
            ledger: String::new(),
            players: Vec::new(),
            accounts: Vec::new(),
        };
        let load = Load::new(Arc::new(cast), ([127, 0, 0, 1], 1).into());
        let ids = |ids: &[&str]| ids.iter().map(|it| (*it).to_owned()).collect();
        load.settle(ids(&["there", "lost", "twice"]), Fate::Acknowledged);
        load.settle(ids(&["unheard", "never"]), Fate::GivenUp);
        let found = [("there", 1), ("twice", 2), ("unheard", 1), ("older", 1)];
        let found = found.map(|(id, rows)| (id.to_owned(), rows)).into();
        let tally = load.tally(&found);
        assert_eq!(
            (tally.acked, tally.found, tally.lost, tally.doubled),
            (3, 2, 1, 1)
        );
        assert_eq!((tally.given_up, tally.unheard), (2, 1));
    }

    #[test]
    fn each_and_both_die_in_turn_unless_one_is_spared() {
        let plan = |kill_server, kill_postgres| Plan {
            rounds: 3,
            kill_server,
            kill_postgres,
        };
        let of = |plan| [0, 1, 2].map(|round| victims(plan, round));
        assert_eq!(of(plan(true, true)), [[true, false], [false, true], [true, true]]);
        assert_eq!(of(plan(true, false)), [[true, false]; 3]);
        assert_eq!(of(plan(false, true)), [[false, true]; 3]);
    }
}

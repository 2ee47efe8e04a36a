//! `post-http`: one transfer a request, 64 callers at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use mizan_core::TransactionId;
use serde_json::json;

use super::post_bulk::{posting_headers, row_at_a_time};
use crate::bench::Options;
use crate::case::{Case, Series};
use crate::http;
use crate::ledger_load::{ACCOUNTS, Books, Draw, Mix, code, draw};
use crate::pgbench;
use crate::server::Server;
use crate::subject::Service;
use crate::usage::{Meter, own_pid, words, words_each};

pub const ABOUT: &str = "single transfers over HTTP with 64 connections, against pgbench with 64 clients";
pub const METHOD: &str = "`POST /api/v1/ledger/transactions` of `mizan serve`, one transfer each between 10 000 accounts, \
every request with an id and an Idempotency-Key of its own, over 64 keep-alive connections that each wait for their \
answer (the reply and its key are stored, so that a repetition gets the same answer). The yardstick is the row-at-a-time \
pgbench of `post-bulk`: the better of 16 and 64 clients for the rate, 64 clients for the latency. Its transactions say \
nothing over HTTP, sign nobody in and store no key. They take turns; `mizan serve` is frozen while pgbench runs.";
pub const LIMITS: &str = "nobody is busy all the time: PostgreSQL and Mizan 0.6 of a core each, the loader 0.1, \
of two. All 64 callers are in one batch, so Mizan waits while it is posted, and PostgreSQL while replies go out \
and the next requests come in. A transfer costs PostgreSQL 88 µs, Mizan 87 µs (a third of it in the kernel, \
sending and receiving; a fourteenth for the line in the log) and the loader 18 µs, so that two cores could do 10 \
000 a second at the most. Next: two batches of a tenant in flight, so that both sides work at once; that was \
tried when a batch took nine round trips and both cores were full (ADR 0001), and is to be tried again now that \
they are not.";

const CONNECTIONS: usize = 64;

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let server = Server::start().await?;
    let (database, rival) = (server.database().await?, server.database().await?);
    let books = Books::open(Arc::new(Server::store(&database)?)).await?;
    let rival_books = Books::open(Arc::new(Server::store(&rival)?)).await?;
    server.sql(&rival, pgbench::SETUP).await?;
    server.tidy(&database).await?;
    server.tidy(&rival).await?;
    let service = Service::start(&database.url(), &[]).await?;
    let token = service.token().await?;
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let make: http::Maker = Arc::new(move |_, _| {
        single_request(&token, &mut Draw::from(counter.fetch_add(1, Ordering::Relaxed)))
    });

    let (mut rates, mut p99s, mut rows, mut row_p99s, mut raw) = (vec![], vec![], vec![], vec![], vec![]);
    let mut seen = String::new();
    for _ in 0..options.rounds() {
        server.settle().await?;
        let trees = [
            ("PostgreSQL", server.pid()?),
            ("mizan serve", service.process.pid()),
            ("loader", own_pid()),
        ];
        let meter = Meter::start(&trees);
        let mut load = http::closed_loop(
            service.address,
            CONNECTIONS,
            options.stretch(),
            201,
            Arc::clone(&make),
        )
        .await?;
        let busy = meter.busy();
        seen = format!("{}; {}", words(&busy), words_each(&busy, load.rate()));
        service.pause()?;
        rates.push(load.rate());
        p99s.push(load.latencies.per_mille(990));
        let mut best: f64 = 0.0;
        let mut rival_raw = json!({});
        for clients in [16, 64] {
            server.settle().await?;
            let mut measured =
                row_at_a_time(&rival, &rival_books, Mix::Spread, clients, options.stretch()).await?;
            best = best.max(measured.tps);
            rival_raw[format!("{clients} clients")] =
                json!({ "tps": measured.tps, "latency": measured.latencies.raw() });
            if clients == 64 {
                row_p99s.push(measured.latencies.per_mille(990));
            }
        }
        rows.push(best);
        raw.push(json!({ "mizan": load.latencies.raw(), "pgbench": rival_raw }));
        service.resume()?;
    }
    let posted = books.verify().await?;
    let expected = sent.load(Ordering::Relaxed) + ACCOUNTS as u64;
    ensure!(
        posted == expected,
        "{posted} journal rows where {expected} were acknowledged"
    );
    let yardstick = |unit: &str, rounds| Series::new("pgbench, row at a time", unit, rounds);
    Ok(vec![
        Case::against(
            "rate",
            Series::new("Mizan", "transfers/s", rates),
            yardstick("transfers/s", rows),
        )
        .at_least(2.0)
        .seen(seen)
        .raw(json!(raw)),
        Case::against("p99", Series::new("Mizan", "ms", p99s), yardstick("ms", row_p99s)).at_most(1.0),
    ])
}

fn single_request(token: &str, numbers: &mut Draw) -> Vec<u8> {
    let (debit, credit, amount) = draw(numbers, Mix::Spread, 0);
    let body = format!(
        "{{\"id\":\"{}\",\"transfers\":[{{\"debit\":\"{}\",\"credit\":\"{}\",\"amount\":\"{}.{:02}\",\"currency\":\"TRY\"}}]}}",
        TransactionId::new(),
        code(debit.unwrap_or(ACCOUNTS)),
        code(credit),
        amount / 100,
        amount % 100,
    );
    http::request(
        "POST",
        "/api/v1/ledger/transactions",
        &posting_headers(token),
        body.as_bytes(),
    )
}

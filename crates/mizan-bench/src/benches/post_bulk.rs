//! `post-bulk`: durable transfers a second, in bulk requests of 8 000.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use mizan_core::TransactionId;
use mizan_testkit::Database;
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series};
use crate::http::{self, Load};
use crate::ledger_load::{ACCOUNTS, BATCH, Books, Draw, Mix, code, draw};
use crate::pgbench::{self, Script};
use crate::screen;
use crate::server::Server;
use crate::subject::Service;
use crate::timing;
use crate::usage::{Meter, own_pid, words};

pub const ABOUT: &str = "durable transfers a second in bulk, against pgbench on the same tables";
pub const METHOD: &str = "Bulk requests of 8 000 transactions of one transfer each, four under way at a time, with an \
idempotency key, in one tenant, between 10 000 accounts none of which may go negative; through the writer (library) and \
through `POST /api/v1/ledger/transactions/bulk` of `mizan serve` (HTTP), which also keeps house. Every reply is checked, \
and at the end that balances and journal agree. The yardstick is pgbench with prepared statements in the same database: \
lock two balances, look for the key, insert the journal row, change two balances, commit; 16 and 64 clients, the better \
one counts. It stores no idempotency key, no reply and no balance after. The set-based yardstick posts 8 000 made-up \
transfers in one statement, without verdicts. All take turns, each after a checkpoint, on tables with statistics; the last \
case has none yet.";
pub const LIMITS: &str = "PostgreSQL, which is busy for 0.9 of a core and waits for its log on the disk for the \
rest; Mizan and the loader take 0.2 of a core. A row of the journal goes into three indexes and its id into one. \
Next: the account indexes of the open partition written when it is sealed, and the newest entries of an account \
read from memory until then.";

/// Bulk requests under way over HTTP.
const CONNECTIONS: usize = 4;

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let server = Server::start().await?;
    let database = server.database().await?;
    let books = Books::open(Arc::new(Server::store(&database)?)).await?;
    server.sql(&database, pgbench::SETUP).await?;
    server.tidy(&database).await?;
    let arena = Arena {
        server,
        database,
        books,
        options,
    };
    let mut cases = arena.spread().await?;
    for hot in [10, 1] {
        cases.push(arena.hot(hot).await?);
    }
    cases.push(arena.refusals().await?);
    cases.push(arena.without_statistics().await?);
    let rows = arena.books.verify().await?;
    screen::note(&format!("balances and journal agree; {rows} journal rows"));
    Ok(cases)
}

/// What all cases share.
struct Arena {
    server: Server,
    database: Database,
    books: Books,
    options: Options,
}

impl Arena {
    /// All accounts alike, through the library and over HTTP.
    async fn spread(&self) -> anyhow::Result<Vec<Case>> {
        let over_http = OverHttp::start(&self.server).await?;
        let (mut library, mut http, mut rows, mut sets) = (vec![], vec![], vec![], vec![]);
        let (mut of_library, mut of_http) = (String::new(), String::new());
        for _ in 0..self.options.rounds() {
            let (rate, busy) = self.library(Mix::Spread).await?;
            library.push(rate);
            of_library = busy;
            let (load, busy) = over_http.stretch(&self.server, self.options.stretch()).await?;
            http.push(timing::rate(load.done * BATCH as u64, load.took));
            of_http = busy;
            rows.push(self.row_at_a_time(Mix::Spread).await?);
            sets.push(self.set_based().await?);
            screen::note(&format!(
                "library {library:.0?}, http {http:.0?}, row at a time {rows:.0?}, set-based {sets:.0?}"
            ));
        }
        over_http.end().await?;
        let durability = self.server.durability().await?;
        let per_row = || Series::new("pgbench, row at a time", "transfers/s", rows.clone());
        let of = |rates: &[f64]| Series::new("Mizan", "transfers/s", rates.to_vec());
        Ok(vec![
            Case::against("library, 10 000 accounts", of(&library), per_row())
                .at_least(10.0)
                .seen(of_library)
                .raw(json!({ "durability": durability, "batch": BATCH })),
            Case::against("HTTP, 10 000 accounts", of(&http), per_row())
                .at_least(10.0)
                .seen(of_http),
            Case::against(
                "library, 10 000 accounts, against SQL alone",
                of(&library),
                Series::new("pgbench, 8 000 in one statement", "transfers/s", sets),
            ),
        ])
    }

    /// One side of every transfer is one of a few accounts.
    async fn hot(&self, accounts: usize) -> anyhow::Result<Case> {
        let mix = Mix::Hot(accounts);
        let (mut library, mut rows, mut seen) = (vec![], vec![], String::new());
        for _ in 0..self.options.rounds() {
            let (rate, busy) = self.library(mix).await?;
            library.push(rate);
            seen = busy;
            rows.push(self.row_at_a_time(mix).await?);
        }
        let name = match accounts {
            1 => "library, every transfer on 1 hot account".to_owned(),
            _ => format!("library, every transfer on one of {accounts} hot accounts"),
        };
        let subject = Series::new("Mizan", "transfers/s", library);
        let case = Case::against(
            name,
            subject,
            Series::new("pgbench, row at a time", "transfers/s", rows),
        );
        Ok(if accounts == 1 { case.at_least(3.0) } else { case }.seen(seen))
    }

    /// One in a hundred is refused; its neighbours are not.
    async fn refusals(&self) -> anyhow::Result<Case> {
        let (mut with, mut without, mut seen) = (vec![], vec![], String::new());
        for _ in 0..self.options.rounds() {
            let (rate, busy) = self.library(Mix::Refusals).await?;
            with.push(rate);
            seen = busy;
            without.push(self.library(Mix::Spread).await?.0);
        }
        let subject = Series::new("Mizan, every verdict checked", "transfers/s", with);
        let yardstick = Series::new("Mizan without refusals", "transfers/s", without);
        Ok(Case::against("library, 1 % refused for want of funds", subject, yardstick).seen(seen))
    }

    /// The first seconds of a new database, before PostgreSQL has looked at how its tables have grown.
    async fn without_statistics(&self) -> anyhow::Result<Case> {
        let database = self.server.database().await?;
        let books = Books::open(Arc::new(Server::store(&database)?)).await?;
        self.server.settle().await?;
        let fresh = books.stretch(Mix::Spread, self.options.stretch()).await?;
        self.server.tidy(&database).await?;
        self.server.settle().await?;
        let later = books.stretch(Mix::Spread, self.options.stretch()).await?;
        let subject = Series::new("Mizan, never analysed", "transfers/s", vec![fresh]);
        let yardstick = Series::new("the same after ANALYZE", "transfers/s", vec![later]);
        Ok(Case::against("library, tables without statistics", subject, yardstick).at_least(0.8))
    }

    async fn library(&self, mix: Mix) -> anyhow::Result<(f64, String)> {
        self.server.settle().await?;
        let meter = Meter::start(&[
            ("PostgreSQL", self.server.pid()?),
            ("Mizan and loader", own_pid()),
        ]);
        let rate = self.books.stretch(mix, self.options.stretch()).await?;
        Ok((rate, meter.words()))
    }

    /// The better of 16 and 64 clients.
    async fn row_at_a_time(&self, mix: Mix) -> anyhow::Result<f64> {
        let mut best: f64 = 0.0;
        for clients in [16, 64] {
            self.server.settle().await?;
            let measured =
                row_at_a_time(&self.database, &self.books, mix, clients, self.options.stretch()).await?;
            best = best.max(measured.tps);
        }
        Ok(best)
    }

    async fn set_based(&self) -> anyhow::Result<f64> {
        self.server.settle().await?;
        let mut variables = variables(&self.books, Mix::Spread)?.to_vec();
        variables.push(("batch", i64::try_from(BATCH)?));
        let script = Script {
            sql: pgbench::SET_BASED,
            variables: &variables,
            clients: 1,
            lasting: self.options.stretch(),
        };
        let measured = pgbench::run(&self.database, &script).await?;
        Ok(measured.tps * timing::number(BATCH as u64))
    }
}

/// The row-at-a-time yardstick on the accounts of some books.
pub async fn row_at_a_time(
    database: &Database,
    books: &Books,
    mix: Mix,
    clients: u32,
    lasting: Duration,
) -> anyhow::Result<pgbench::Measured> {
    let script = Script {
        sql: pgbench::ROW_AT_A_TIME,
        variables: &variables(books, mix)?,
        clients,
        lasting,
    };
    pgbench::run(database, &script).await
}

/// The two sides of a mix as ranges of account ids, which are in the order of the accounts.
fn variables(books: &Books, mix: Mix) -> anyhow::Result<[(&'static str, i64); 5]> {
    let (first, last) = (books.accounts[0].id.0, books.accounts[ACCOUNTS - 1].id.0);
    ensure!(
        last - first == i64::try_from(ACCOUNTS)? - 1,
        "the ids of the accounts have gaps"
    );
    let [a, b] = mix.sides();
    let id = |place: usize| books.accounts[place].id.0;
    Ok([
        ("tenant", i64::from(books.tenant.0)),
        ("a_from", id(a.0)),
        ("a_to", id(a.1)),
        ("b_from", id(b.0)),
        ("b_to", id(b.1)),
    ])
}

/// The service, on a database of its own.
struct OverHttp {
    service: Service,
    token: String,
    books: Books,
    sent: Arc<AtomicU64>,
}

impl OverHttp {
    async fn start(server: &Server) -> anyhow::Result<Self> {
        let database = server.database().await?;
        let books = Books::open(Arc::new(Server::store(&database)?)).await?;
        server.tidy(&database).await?;
        let service = Service::start(&database.url(), &[]).await?;
        let token = service.token().await?;
        service.pause()?;
        Ok(Self {
            service,
            token,
            books,
            sent: Arc::default(),
        })
    }

    async fn stretch(&self, server: &Server, lasting: Duration) -> anyhow::Result<(Load, String)> {
        server.settle().await?;
        self.service.resume()?;
        let (token, sent) = (self.token.clone(), Arc::clone(&self.sent));
        let make =
            Arc::new(move |_, _| bulk_request(&token, &mut Draw::from(sent.fetch_add(1, Ordering::Relaxed))));
        let trees = [
            ("PostgreSQL", server.pid()?),
            ("mizan serve", self.service.process.pid()),
            ("loader", own_pid()),
        ];
        let meter = Meter::start(&trees);
        let load = http::closed_loop(self.service.address, CONNECTIONS, lasting, 200, make).await?;
        let busy = meter.busy();
        self.service.pause()?;
        Ok((load, words(&busy)))
    }

    /// Every reply was 200, so everything was decided; nothing could be refused, so all of it is in the journal.
    async fn end(self) -> anyhow::Result<()> {
        self.service.resume()?;
        let rows = self.books.verify().await?;
        let expected = self.sent.load(Ordering::Relaxed) * BATCH as u64 + ACCOUNTS as u64;
        ensure!(
            rows == expected,
            "{rows} journal rows where {expected} were acknowledged"
        );
        Ok(())
    }
}

fn bulk_request(token: &str, numbers: &mut Draw) -> Vec<u8> {
    let mut body = String::with_capacity(BATCH * 150);
    body.push_str("{\"transactions\":[");
    for number in 0..BATCH {
        let (debit, credit, amount) = draw(numbers, Mix::Spread, number);
        let debit = code(debit.unwrap_or(ACCOUNTS));
        let comma = if number == 0 { "" } else { "," };
        let (major, minor) = (amount / 100, amount % 100);
        let written = write!(
            body,
            "{comma}{{\"id\":\"{}\",\"transfers\":[{{\"debit\":\"{debit}\",\"credit\":\"{}\",\"amount\":\"{major}.{minor:02}\",\"currency\":\"TRY\"}}]}}",
            TransactionId::new(),
            code(credit),
        );
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    body.push_str("]}");
    let headers = posting_headers(token);
    http::request(
        "POST",
        "/api/v1/ledger/transactions/bulk",
        &headers,
        body.as_bytes(),
    )
}

/// Header lines of a posting with a key that nobody used before.
pub fn posting_headers(token: &str) -> [String; 3] {
    [
        format!("authorization: Bearer {token}"),
        format!("idempotency-key: {}", TransactionId::new()),
        "content-type: application/json".to_owned(),
    ]
}

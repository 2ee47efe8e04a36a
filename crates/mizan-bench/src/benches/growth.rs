//! `growth`: whether posting and reading stay as quick while the journal grows.

use std::sync::Arc;

use anyhow::Context;
use futures::StreamExt;
use mizan_store::{Page, Start};
use mizan_testkit::Database;
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series, Spread};
use crate::ledger_load::{ACCOUNTS, Books, Draw, Mix};
use crate::screen;
use crate::server::Server;
use crate::timing::{self, Latencies};

pub const ABOUT: &str = "posting, balances and history pages as the journal grows, against itself when small";
pub const METHOD: &str = "The journal is filled to the first size by the fast path itself, and from there on by set-based \
SQL that writes the same rows without running balances; the balances are added up afterwards and checked. At each size \
the library load of `post-bulk` is measured, then reads of single balances and of history pages of 50 entries of random \
accounts: the first page and one that goes on after a random place. The yardstick is the same at the first size.";
pub const LIMITS: &str = "nothing that grows with the journal: a partition has five million rows, so the indexes \
that are written stay as small as they are at five million, and a page is read from the newest partitions first. \
Ids are unique over all partitions by one index, which is written at its end because ids are ordered by time.";

const FILL_JOURNAL: &str = include_str!("../../sql/fill_journal.sql");
const FILL_BALANCES: &str = include_str!("../../sql/fill_balances.sql");
/// Rows of one statement that fills.
const CHUNK: u64 = 500_000;
/// Statements that fill at a time.
const FILLERS: usize = 2;

/// As `MIZAN_JOURNAL_PARTITION_ROWS` is by default.
const PARTITION_ROWS: u64 = 5_000_000;
/// Reads of each kind at each size.
const READS: usize = 2_000;
const PAGE: u32 = 50;

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let sizes = match (options.sizes.is_empty(), options.quick) {
        (false, _) => options.sizes.clone(),
        (true, true) => vec![200_000, 1_000_000],
        (true, false) => vec![1_000_000, 10_000_000, 50_000_000],
    };
    let server = Server::start().await?;
    let database = server.database().await?;
    let books = Books::open(Arc::new(Server::store(&database)?)).await?;
    server.tidy(&database).await?;
    let mut cases = Vec::new();
    let mut first: Option<Vec<f64>> = None;
    for size in sizes {
        let filled = if first.is_none() {
            books.fill(size).await?
        } else {
            fill_by_sql(&server, &database, &books, size).await?
        };
        server.tidy(&database).await?;
        let mut rates = Vec::new();
        for _ in 0..options.rounds() {
            server.settle().await?;
            rates.push(books.stretch(Mix::Spread, options.stretch()).await?);
        }
        let rows = books.store.count_journal().await?;
        let size = crate::case::shown(timing::number(size));
        screen::note(&format!(
            "{size} rows: filled at {filled:.0}/s, posting {rates:.0?}, now {rows} rows"
        ));
        let raw = json!({ "fill_rows_per_s": filled, "journal_rows_after": rows });
        let subject = Series::new("Mizan", "transfers/s", rates.clone());
        let posting = format!("posting at {size} journal rows");
        cases.push(match &first {
            None => Case::alone(posting, subject).raw(raw),
            Some(small) => {
                let median = Spread::of(small).map_or(0.0, |it| it.median);
                let yardstick = Series::new(
                    "itself at the first size",
                    "transfers/s",
                    vec![median; rates.len()],
                );
                Case::against(posting, subject, yardstick).at_least(0.9).raw(raw)
            }
        });
        first.get_or_insert(rates);
        cases.extend(reads(&books, &size).await?);
    }
    Ok(cases)
}

/// Rows without the fast path, which would take most of an hour for the greatest size.
async fn fill_by_sql(server: &Server, database: &Database, books: &Books, size: u64) -> anyhow::Result<f64> {
    let have = books.store.count_journal().await?;
    let began = timing::now();
    let missing = size.saturating_sub(have);
    let from: i64 = server
        .sql(database, "SELECT last_value + 1 FROM journal_numbers")
        .await?
        .parse()?;
    let ahead = missing / PARTITION_ROWS + 2;
    let make = format!("SELECT journal_make_partitions({PARTITION_ROWS}, {ahead})");
    server.sql(database, &make).await?;
    let chunks = (0..missing.div_ceil(CHUNK)).map(|chunk| {
        let rows = CHUNK.min(missing - chunk * CHUNK);
        let fill = FILL_JOURNAL.replace("{rows}", &rows.to_string());
        async move { server.sql(database, &fill).await }
    });
    let mut filling = futures::stream::iter(chunks).buffer_unordered(FILLERS);
    while let Some(filled) = filling.next().await {
        filled?;
    }
    server
        .sql(database, &FILL_BALANCES.replace("{from}", &from.to_string()))
        .await?;
    let took = began.elapsed();
    books.verify().await?;
    Ok(timing::rate(missing, took))
}

async fn reads(books: &Books, size: &str) -> anyhow::Result<Vec<Case>> {
    let mut numbers = Draw::from(books.store.count_journal().await?);
    let (mut balance, mut newest, mut deep) =
        (Latencies::default(), Latencies::default(), Latencies::default());
    for _ in 0..READS {
        let account = books.accounts[numbers.between(0, ACCOUNTS - 1)].id;
        let began = timing::now();
        let mut tx = books.store.read(books.tenant).await?;
        tx.account(account).await?.context("an account is gone")?;
        tx.rollback().await?;
        balance.push(began.elapsed());

        let began = timing::now();
        let mut tx = books.store.read(books.tenant).await?;
        let page = tx.entries(account, &Page::first(PAGE)).await?;
        tx.rollback().await?;
        newest.push(began.elapsed());

        let last = page
            .items
            .first()
            .map_or(1, |it| usize::try_from(it.seq).unwrap_or(1));
        let after = i64::try_from(numbers.between(1, last))?;
        let page = Page {
            start: Start::After(after),
            ..Page::first(PAGE)
        };
        let began = timing::now();
        let mut tx = books.store.read(books.tenant).await?;
        tx.entries(account, &page).await?;
        tx.rollback().await?;
        deep.push(began.elapsed());
    }
    let case = |what: &str, mut latencies: Latencies| {
        let p99 = Series::new("Mizan", "ms", vec![latencies.per_mille(990)]);
        Case::alone(format!("{what} at {size} journal rows, p99"), p99).raw(latencies.raw())
    };
    Ok(vec![
        case("balance", balance),
        case("newest history page", newest).at_most(20.0),
        case("history page at a random place", deep).at_most(20.0),
    ])
}

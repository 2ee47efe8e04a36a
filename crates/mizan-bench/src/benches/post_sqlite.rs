//! `post-sqlite`: the embedded store against SQLite's own bindings in a bare loop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use mizan_core::TransactionId;
use mizan_store::migrate::upgrade_to_head;
use mizan_store_sqlite::migrate::SqliteMigrator;
use mizan_store_sqlite::{SqliteConfig, SqliteStore};
use rusqlite::{Connection, TransactionBehavior, params};
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series};
use crate::ledger_load::{BATCH, Books, Draw, Mix, draw};
use crate::timing;
use crate::usage::{Meter, own_pid};

pub const ABOUT: &str = "bulk posting on the embedded store, against a bare rusqlite loop";
pub const METHOD: &str = "The load of `post-bulk` (library, 10 000 accounts) on the SQLite store. The yardstick is one \
thread with rusqlite and prepared statements on a file with the same schema and settings (WAL, synchronous=FULL), 8 000 \
transfers a transaction: insert the journal row, change two balances. It reads nothing back, so it refuses nothing and \
finds no repetition.";
pub const LIMITS: &str = "one connection writes, and each row goes into the same indexes as the yardstick's.";

const INSERT: &str = include_str!("../../sql/sqlite_insert.sql");
const CHANGE: &str = include_str!("../../sql/sqlite_change.sql");

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let directory = tempfile::tempdir()?;
    let (ours, bare) = (
        directory.path().join("mizan.db"),
        directory.path().join("bare.db"),
    );
    let books = books(&ours).await?;
    let bare_books = self::books(&bare).await?;
    let (mut subject, mut yardstick, mut seen) = (vec![], vec![], String::new());
    for round in 0..options.rounds() as u64 {
        let meter = Meter::start(&[("Mizan and loader", own_pid())]);
        subject.push(books.stretch(Mix::Spread, options.stretch()).await?);
        seen = meter.words();
        let rival = Bare {
            file: bare.clone(),
            tenant: bare_books.tenant.0,
            accounts: bare_books.accounts.iter().map(|it| it.id.0).collect(),
        };
        let lasting = options.stretch();
        yardstick.push(tokio::task::spawn_blocking(move || rival.stretch(round, lasting)).await??);
    }
    books.verify().await?;
    bare_books.verify().await?;
    let subject = Series::new("Mizan", "transfers/s", subject);
    let yardstick = Series::new("rusqlite loop", "transfers/s", yardstick);
    let raw = json!({ "batch": BATCH, "journal_mode": "wal", "synchronous": "full", "sqlite": rusqlite::version() });
    Ok(vec![
        Case::against("library, 10 000 accounts", subject, yardstick)
            .at_least(0.5)
            .seen(seen)
            .raw(raw),
    ])
}

async fn books(file: &Path) -> anyhow::Result<Books> {
    let mut migrator = SqliteMigrator::open(file)?;
    let done = upgrade_to_head(&mut migrator, &mut |_| {}).await?;
    ensure!(
        done.stopped.is_none(),
        "the migration stopped: {:?}",
        done.stopped
    );
    drop(migrator);
    let store = SqliteStore::open(file, SqliteConfig::default()).context("the file cannot be opened")?;
    Books::open(Arc::new(store)).await
}

/// The bare loop.
struct Bare {
    file: PathBuf,
    tenant: i32,
    accounts: Vec<i64>,
}

impl Bare {
    fn stretch(&self, seed: u64, lasting: Duration) -> anyhow::Result<f64> {
        let mut db = Connection::open(&self.file)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        ensure!(mode == "wal", "the journal mode is {mode}");
        let mut numbers = Draw::from(seed);
        let (began, mut done) = (timing::now(), 0);
        while began.elapsed() < lasting {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut insert = tx.prepare_cached(INSERT)?;
                let mut change = tx.prepare_cached(CHANGE)?;
                for number in 0..BATCH {
                    let (debit, credit, amount) = draw(&mut numbers, Mix::Spread, number);
                    let debit = debit.map_or(0, |it| self.accounts[it]);
                    let (credit, id) = (self.accounts[credit], TransactionId::new().to_string());
                    let at = "2026-01-01T00:00:00.000000Z";
                    insert.execute(params![self.tenant, id, debit, credit, amount, [0_u8; 16], at])?;
                    change.execute(params![debit, -amount])?;
                    change.execute(params![credit, amount])?;
                }
            }
            tx.commit()?;
            done += BATCH as u64;
        }
        Ok(timing::rate(done, began.elapsed()))
    }
}

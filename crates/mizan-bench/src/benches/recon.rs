//! `recon`: matching a provider's statement with the ledger, as two files and with the ledger in PostgreSQL.

mod duckdb;
mod postgres;
mod watched;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::json;

use self::watched::{Used, watch};
use crate::bench::Options;
use crate::case::{Case, Series, shown};
use crate::recon_rows::Rows;
use crate::{machine, screen, subject, timing};

pub const ABOUT: &str = "matching a statement with the ledger, against DuckDB's full outer join";
pub const METHOD: &str = "`mizan recon match` of two CSV files of that many rows each, the ledger's in another order, three \
rows in a thousand different (missing on either side, another amount), findings written to a file. The yardstick is \
DuckDB (from PyPI, in a virtual environment under `target/bench`), all cores, a full outer join of the same files that \
writes the differing rows to CSV; its time is that of the statement, without the start of Python. Both find the same \
number of differences. `With PostgreSQL`: `mizan recon run`, which runs in its own process, over an uploaded statement \
and a ledger of that many rows that were put in through the store; it also keeps its findings there, durably. DuckDB's \
extension for PostgreSQL is not on PyPI, so the yardstick is what one does without it: `psql` copies the same rows to a \
CSV file, and DuckDB joins that; its time is that of both. Memory is the greatest resident set of the process (without \
PostgreSQL), processor time is user and system (of `psql` too); both read from `/proc`.";
pub const LIMITS: &str = "parsing (a third of the processor time), the join's table and unpacking (a quarter), \
the kernel copying the files and clearing pages (a fifth); and at 20 million rows the disk, since three quarters \
of 512 MiB hold a sixth of the packed rows and the rest is written and read once, while DuckDB takes four times \
the memory. The yardstick's join knows one rule, equality of the event id; Mizan also looks for duplicates and \
for partners by reference, and hashes its result. With the ledger in PostgreSQL half the time is the wait for \
its rows, which come sorted by time, over one connection; findings are written and the run ends durably. \
Findings are kept in memory apart from the limit for rows. Next: rows packed without what both sides agree on, \
and the ledger's rows read in parallel and unsorted.";

/// What both files of a million rows and what is written beside them take, in bytes.
const ROOM: u64 = 300 << 20;

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    let of_files = options.clone();
    let mut cases = tokio::task::spawn_blocking(move || files(&of_files)).await??;
    cases.extend(postgres::cases(&options).await?);
    Ok(cases)
}

fn files(options: &Options) -> anyhow::Result<Vec<Case>> {
    let sizes = match (options.sizes.is_empty(), options.quick) {
        (false, _) => options.sizes.clone(),
        (true, true) => vec![100_000],
        (true, false) => vec![1_000_000, 5_000_000, 20_000_000],
    };
    let python = duckdb::installed()?;
    let mut cases = Vec::new();
    for size in sizes {
        let needed = size / 1_000_000 * ROOM;
        let free = machine::free_bytes(&std::env::temp_dir());
        if free.is_some_and(|it| it < needed) {
            screen::note(&format!(
                "{size} rows a side are left out: they need {needed} bytes of disk"
            ));
            continue;
        }
        let directory = tempfile::tempdir()?;
        let rows = Rows(size);
        rows.write_statement(&directory.path().join("statement.csv"))?;
        rows.write_ledger(&directory.path().join("ledger.csv"))?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            ours.push(mizan(directory.path(), rows.differences())?);
            theirs.push(duckdb::join(&python, directory.path(), rows.differences())?);
        }
        let name = format!("{} rows a side", shown(timing::number(size)));
        cases.extend(compared(&name, "DuckDB", &ours, &theirs, rows));
    }
    Ok(cases)
}

/// Time, processor time and memory of both.
fn compared(name: &str, yardstick: &str, ours: &[Used], theirs: &[Used], rows: Rows) -> Vec<Case> {
    screen::note(&format!("{name}: Mizan {ours:.2?}, {yardstick} {theirs:.2?}"));
    let series = |what: &str, unit: &str, runs: &[Used], pick: fn(&Used) -> f64| {
        Series::new(what, unit, runs.iter().map(pick).collect())
    };
    let pair = |unit: &str, pick: fn(&Used) -> f64| {
        (
            series("Mizan", unit, ours, pick),
            series(yardstick, unit, theirs, pick),
        )
    };
    let (subject, others) = pair("s", |it| it.seconds);
    let time = Case::against(format!("time, {name}"), subject, others)
        .at_most(0.7)
        .raw(json!({ "differences": rows.differences() }));
    let (subject, others) = pair("s", |it| it.cpu);
    let processor = Case::against(format!("processor time, {name}"), subject, others);
    let (subject, others) = pair("MiB", |it| it.memory);
    let seen = Case::against("memory", subject.clone(), others).line();
    let memory = Case::alone(format!("greatest memory, {name}"), subject)
        .at_most(768.0)
        .seen(seen);
    vec![time, processor, memory]
}

fn mizan(directory: &Path, expected: u64) -> anyhow::Result<Used> {
    let mut command = Command::new(subject::binary()?);
    command
        .args(["recon", "match", "--json", "--statement"])
        .arg(directory.join("statement.csv"));
    command
        .arg("--ledger")
        .arg(directory.join("ledger.csv"))
        .arg("--out")
        .arg(directory.join("findings.jsonl"));
    let (used, said) = watch(&mut command)?;
    let summary: serde_json::Value = serde_json::from_str(said.trim()).with_context(|| said.clone())?;
    ensure!(
        summary["findings_total"] == expected,
        "{expected} differences are in the files, Mizan says {summary}"
    );
    Ok(used)
}

//! `recon`: matching a provider's statement with the ledger's extract, file against file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::bench::Options;
use crate::case::{Case, Series, shown};
use crate::{machine, screen, subject, timing, usage};

pub const ABOUT: &str = "matching two files, against DuckDB's full outer join of the same files";
pub const METHOD: &str = "`mizan recon match` of two CSV files of that many rows each, the ledger's in another order, three \
rows in a thousand different (missing on either side, another amount), findings written to a file. The yardstick is \
DuckDB (from PyPI, in a virtual environment under `target/bench`), all cores, a full outer join of the same files that \
writes the differing rows to CSV; its time is that of the statement, without the start of Python. Both find the same \
number of differences. Memory is the greatest resident set, processor time is user and system; both read from `/proc`.";
pub const LIMITS: &str = "";

const DUCKDB: &str = "duckdb==2.0.0";
const JOIN: &str = include_str!("../../sql/duckdb_join.sql");
const RUNNER: &str = include_str!("../../tools/duckdb_join.py");

pub async fn run(options: Options) -> anyhow::Result<Vec<Case>> {
    tokio::task::spawn_blocking(move || measure(&options)).await?
}

fn measure(options: &Options) -> anyhow::Result<Vec<Case>> {
    let sizes = match (options.sizes.is_empty(), options.quick) {
        (false, _) => options.sizes.clone(),
        (true, true) => vec![100_000],
        (true, false) => vec![1_000_000, 5_000_000],
    };
    let python = duckdb()?;
    let mut cases = Vec::new();
    for size in sizes {
        let directory = tempfile::tempdir()?;
        let expected = write_files(directory.path(), size)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            ours.push(mizan(directory.path(), expected)?);
            theirs.push(join(&python, directory.path(), expected)?);
        }
        let rows = shown(timing::number(size));
        screen::note(&format!(
            "{rows} rows a side: Mizan {ours:.2?}, DuckDB {theirs:.2?}"
        ));
        let series = |what: &str, unit: &str, runs: &[Used], pick: fn(&Used) -> f64| {
            Series::new(what, unit, runs.iter().map(pick).collect())
        };
        let pair = |unit: &str, pick: fn(&Used) -> f64| {
            (
                series("Mizan", unit, &ours, pick),
                series("DuckDB", unit, &theirs, pick),
            )
        };
        let (subject, yardstick) = pair("s", |it| it.seconds);
        cases.push(
            Case::against(format!("time, {rows} rows a side"), subject, yardstick)
                .at_most(0.7)
                .raw(json!({ "differences": expected })),
        );
        let (subject, yardstick) = pair("s", |it| it.cpu);
        cases.push(Case::against(
            format!("processor time, {rows} rows a side"),
            subject,
            yardstick,
        ));
        let (subject, yardstick) = pair("MiB", |it| it.memory);
        let seen = Case::against("memory", subject.clone(), yardstick).line();
        cases.push(
            Case::alone(format!("greatest memory, {rows} rows a side"), subject)
                .at_most(768.0)
                .seen(seen),
        );
    }
    Ok(cases)
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Used {
    seconds: f64,
    cpu: f64,
    memory: f64,
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

fn join(python: &Path, directory: &Path, expected: u64) -> anyhow::Result<Used> {
    let path = |name: &str| directory.join(name).display().to_string();
    let sql = JOIN
        .replace("{statement}", &path("statement.csv"))
        .replace("{ledger}", &path("ledger.csv"))
        .replace("{out}", &path("differences.csv"));
    std::fs::write(directory.join("join.sql"), sql)?;
    std::fs::write(directory.join("join.py"), RUNNER)?;
    let (used, said) = watch(
        Command::new(python)
            .arg(directory.join("join.py"))
            .arg(directory.join("join.sql")),
    )?;
    let seconds = said
        .strip_prefix("seconds=")
        .and_then(|it| it.split(' ').next()?.parse().ok());
    let lines = std::fs::read_to_string(directory.join("differences.csv"))?
        .lines()
        .count() as u64;
    ensure!(
        lines == expected + 1,
        "{expected} differences are in the files, DuckDB wrote {lines} lines"
    );
    Ok(Used {
        seconds: seconds.with_context(|| format!("DuckDB says {said}"))?,
        ..used
    })
}

/// Runs a program to its end, looking at its memory and processor time all along. What it prints is short.
fn watch(command: &mut Command) -> anyhow::Result<(Used, String)> {
    let began = timing::now();
    let name = command.get_program().display().to_string();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("{name} cannot be run"))?;
    let pid = i32::try_from(child.id())?;
    let (mut cpu, mut memory): (f64, f64) = (0.0, 0.0);
    let seconds = loop {
        memory = memory.max(usage::memory_mib(pid, "VmHWM").unwrap_or(0.0));
        cpu = cpu.max(usage::cpu_seconds(pid));
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "{name} ended with {status}");
            break began.elapsed().as_secs_f64();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut said = String::new();
    let mut stdout = child.stdout.take().context("no output")?;
    std::io::Read::read_to_string(&mut stdout, &mut said)?;
    Ok((Used { seconds, cpu, memory }, said))
}

/// Writes both files; answers how many differences they have.
fn write_files(directory: &Path, rows: u64) -> anyhow::Result<u64> {
    /// Shares no factor with a round number, so it visits every row once in another order.
    const STEP: u64 = 7_368_787;
    let create = |name: &str| {
        anyhow::Ok(BufWriter::with_capacity(
            1 << 20,
            File::create(directory.join(name))?,
        ))
    };
    let (mut statement, mut ledger) = (create("statement.csv")?, create("ledger.csv")?);
    writeln!(
        statement,
        "provider_event_id,provider_ref,type,amount,currency,status,occurred_at"
    )?;
    writeln!(
        ledger,
        "provider_event_id,provider_ref,type,amount,currency,status,occurred_at,transaction_id"
    )?;
    let row = |number: u64, off: u64| {
        let (minor, second) = (100 + number * 7_919 % 1_000_000 + off, number % 86_400);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!(
            "evt_{number:012},pay_{number:012},deposit,{}.{:02},TRY,settled,2026-01-{:02}T{hour:02}:{minute:02}:{:02}Z",
            minor / 100,
            minor % 100,
            1 + number / 86_400 % 28,
            second % 60
        )
    };
    let mut differences = 0;
    for number in 0..rows {
        if number % 1_000 == 1 {
            differences += 1; // only in the ledger
        } else {
            writeln!(statement, "{}", row(number, 0))?;
        }
        let other = number.wrapping_mul(STEP) % rows;
        match other % 1_000 {
            2 => differences += 1, // only in the statement
            3 => {
                differences += 1;
                writeln!(ledger, "{},tx_{other:012}", row(other, 1))?;
            }
            _ => writeln!(ledger, "{},tx_{other:012}", row(other, 0))?,
        }
    }
    statement.flush()?;
    ledger.flush()?;
    Ok(differences)
}

/// The interpreter of a virtual environment that has DuckDB, made the first time.
fn duckdb() -> anyhow::Result<PathBuf> {
    let home = machine::workshop()?.join("duckdb");
    let python = home.join("bin/python");
    let has_it = |python: &Path| {
        Command::new(python)
            .args(["-c", "import duckdb"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    if has_it(&python) {
        return Ok(python);
    }
    screen::note(&format!("installing {DUCKDB} from PyPI into {}", home.display()));
    let made = Command::new("python3").args(["-m", "venv"]).arg(&home).status();
    ensure!(
        made.is_ok_and(|it| it.success()),
        "python3 with venv is missing, for DuckDB, the yardstick; on Debian: apt-get install python3-venv"
    );
    let installed = Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            DUCKDB,
        ])
        .stdout(Stdio::null())
        .status();
    ensure!(
        installed.is_ok_and(|it| it.success()) && has_it(&python),
        "{DUCKDB} cannot be installed from PyPI, and it is the yardstick of this bench"
    );
    Ok(python)
}

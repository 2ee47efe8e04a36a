//! The yardstick for PostgreSQL: `pgbench`, with prepared statements.

use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use mizan_testkit::Database;
use tokio::process::Command;

use crate::timing::Latencies;

pub const SETUP: &str = include_str!("../sql/setup.sql");
pub const ROW_AT_A_TIME: &str = include_str!("../sql/row_at_a_time.sql");
pub const SET_BASED: &str = include_str!("../sql/set_based.sql");

/// What to run, and how.
pub struct Script<'a> {
    pub sql: &'a str,
    /// Variables of the script.
    pub variables: &'a [(&'static str, i64)],
    pub clients: u32,
    pub lasting: Duration,
}

/// What `pgbench` measured.
pub struct Measured {
    /// Transactions a second, without the time to connect.
    pub tps: f64,
    pub latencies: Latencies,
}

/// On the path, or beside the newest server.
fn program() -> anyhow::Result<PathBuf> {
    let beside_servers = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = beside_servers.map(|it| it.path().join("bin/pgbench")).collect();
    found.sort_by_key(|it| version_of(it).map_or(0, |(number, _)| number));
    found.push(PathBuf::from("pgbench"));
    let works = |it: &PathBuf| {
        Blocking::new(it)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    let newest = found
        .into_iter()
        .rev()
        .filter(works)
        .max_by_key(|it| version_of(it).map_or(0, |(number, _)| number));
    newest.context("pgbench is missing, the yardstick of this bench; on Debian: apt-get install postgresql")
}

fn version_of(program: &Path) -> Option<(u32, String)> {
    let said = Blocking::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let number = text
        .split(|it: char| !it.is_ascii_digit())
        .find(|it| !it.is_empty())?
        .parse()
        .ok()?;
    Some((number, text))
}

/// `pgbench (PostgreSQL) 15.10`, or that it is missing.
pub fn version() -> String {
    let found = program().ok().and_then(|it| version_of(&it));
    found.map_or_else(|| "pgbench is missing".to_owned(), |(_, text)| text)
}

/// Runs a script. Fails when any transaction failed.
pub async fn run(database: &Database, script: &Script<'_>) -> anyhow::Result<Measured> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("script.sql");
    std::fs::write(&file, script.sql)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut command = Command::new(program()?);
    command
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--client={}", script.clients))
        .arg(format!("--jobs={}", threads.min(script.clients as usize)))
        .arg(format!("--time={}", script.lasting.as_secs()))
        .arg(format!("--file={}", file.display()))
        .arg(format!("--log-prefix={}", directory.path().join("log").display()));
    for (name, value) in script.variables {
        command.arg(format!("--define={name}={value}"));
    }
    let done = command
        .env_clear()
        .envs(address(database)?)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("pgbench cannot be run")?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() || !said.contains("number of failed transactions: 0 ") {
        bail!("pgbench: {said}{}", String::from_utf8_lossy(&done.stderr));
    }
    let tps = said
        .lines()
        .find_map(|it| it.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    Ok(Measured {
        tps: tps.with_context(|| format!("pgbench names no tps: {said}"))?,
        latencies: latencies(directory.path())?,
    })
}

/// `client transaction time …`, one line a transaction; the third column is in microseconds.
fn latencies(directory: &Path) -> anyhow::Result<Latencies> {
    let mut all = Latencies::default();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_log = path
            .file_name()
            .is_some_and(|it| it.to_string_lossy().starts_with("log."));
        if is_log {
            let text = std::fs::read_to_string(path)?;
            for time in text.lines().filter_map(|it| it.split(' ').nth(2)?.parse().ok()) {
                all.push_us(time);
            }
        }
    }
    Ok(all)
}

/// The variables of libpq: a password in an argument would be in the list of processes.
fn address(database: &Database) -> anyhow::Result<[(&'static str, String); 5]> {
    let url = database.url();
    let parts = || {
        let (user, rest) = url.strip_prefix("postgresql://")?.split_once(':')?;
        let (password, rest) = rest.split_once('@')?;
        let (host, rest) = rest.split_once(':')?;
        let (port, name) = rest.split_once('/')?;
        Some([user, password, host, port, name].map(str::to_owned))
    };
    let [user, password, host, port, name] = parts().context("the database has an unusual address")?;
    Ok([
        ("PGUSER", user),
        ("PGPASSWORD", password),
        ("PGHOST", host),
        ("PGPORT", port),
        ("PGDATABASE", name),
    ])
}

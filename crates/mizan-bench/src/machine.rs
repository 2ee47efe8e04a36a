//! What was measured on: hardware, versions, and the commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::SecondsFormat;
use mizan_core::{Clock, SystemClock};

/// The root of the repository that this was built from.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where outcomes and downloads are kept: `target/bench`.
pub fn workshop() -> std::io::Result<PathBuf> {
    let directory = std::env::current_exe()?
        .ancestors()
        .nth(2)
        .map_or_else(|| repository().join("target"), PathBuf::from)
        .join("bench");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

pub fn today() -> String {
    SystemClock.now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The commit, with `+` when the checkout differs from it.
pub fn commit() -> String {
    let sha = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let clean = output(
        "git",
        &["status", "--porcelain", "--untracked-files=no", "--", "crates"],
    )
    .is_empty();
    if clean { sha } else { sha + "+" }
}

/// Pairs of what and how much, for the report.
pub fn description() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    vec![
        (
            "processor",
            format!("{}, {cores} cores", first_value("/proc/cpuinfo", "model name")),
        ),
        ("memory", gibibytes(&first_value("/proc/meminfo", "MemTotal"))),
        ("system", output("uname", &["-sr"])),
        ("disk of the databases", filesystem()),
        ("Rust", output("rustc", &["--version"])),
        ("PostgreSQL", crate::pgbench::version()),
        ("Redis", output("redis-server", &["--version"])),
        ("SQLite", rusqlite::version().to_owned()),
        ("Mizan", format!("{} at {}", env!("CARGO_PKG_VERSION"), commit())),
    ]
}

fn filesystem() -> String {
    let place = std::env::temp_dir();
    let listed = output("df", &["--output=source,fstype", &place.to_string_lossy()]);
    listed
        .lines()
        .last()
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(", ")
}

/// How much room there is, if that can be told.
pub fn free_bytes(place: &Path) -> Option<u64> {
    let listed = output(
        "df",
        &["--output=avail", "--block-size=1", &place.to_string_lossy()],
    );
    listed.lines().last()?.trim().parse().ok()
}

fn first_value(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|it| it.starts_with(name));
    let value = line
        .and_then(|it| it.split_once(':'))
        .map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

/// `24576000 kB` in words.
fn gibibytes(kilobytes: &str) -> String {
    let count = kilobytes.split(' ').next().and_then(|it| it.parse::<u64>().ok());
    count.map_or_else(|| kilobytes.to_owned(), |it| format!("{} GiB", it / (1 << 20)))
}

/// What a program prints, or nothing.
fn output(program: &str, args: &[&str]) -> String {
    let run = Command::new(program)
        .args(args)
        .current_dir(repository())
        .output();
    run.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
        .unwrap_or_default()
}

//! The yardstick of `recon`: DuckDB from PyPI, joining two files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::watched::{Used, watch};
use crate::{machine, screen};

const DUCKDB: &str = "duckdb==2.0.0";
const JOIN: &str = include_str!("../../../sql/duckdb_join.sql");
const RUNNER: &str = include_str!("../../../tools/duckdb_join.py");

/// The join of `statement.csv` and `ledger.csv` in a directory.
pub fn join(python: &Path, directory: &Path, expected: u64) -> anyhow::Result<Used> {
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

/// The interpreter of a virtual environment that has DuckDB, made the first time.
pub fn installed() -> anyhow::Result<PathBuf> {
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

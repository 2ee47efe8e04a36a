//! The ledger's side out of PostgreSQL, where it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::watched::{Used, watch};
use super::{compared, duckdb};
use crate::bench::Options;
use crate::case::{Case, shown};
use crate::floor::Floor;
use crate::recon_rows::{FROM, Rows, TO};
use crate::server::Server;
use crate::{subject, timing};

/// The ledger's side as a CSV file like the ones that are compared.
const COPY: &str = include_str!("../../../sql/effects_as_csv.sql");

pub(super) async fn cases(options: &Options) -> anyhow::Result<Vec<Case>> {
    let rows = Rows(match (options.sizes.first(), options.quick) {
        (Some(size), _) => *size,
        (None, true) => 50_000,
        (None, false) => 1_000_000,
    });
    let floor = Floor::start().await?;
    rows.fill(&Server::store(&floor.database)?).await?;
    floor.server.tidy(&floor.database).await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("statement.csv");
    rows.write_statement(&file)?;
    let both = Both {
        statement: floor.upload(&file).await?,
        environment: floor.environment(),
        url: floor.database.url(),
        directory: directory.path().to_owned(),
        rows,
    };
    let rounds = options.rounds();
    let (ours, theirs) = tokio::task::spawn_blocking(move || both.measure(rounds)).await??;
    let name = format!("{} rows a side, with PostgreSQL", shown(timing::number(rows.0)));
    Ok(compared(&name, "psql and DuckDB", &ours, &theirs, rows))
}

/// What both need to know.
struct Both {
    statement: String,
    environment: Vec<(&'static str, String)>,
    url: String,
    directory: PathBuf,
    rows: Rows,
}

impl Both {
    fn measure(&self, rounds: usize) -> anyhow::Result<(Vec<Used>, Vec<Used>)> {
        let python = duckdb::installed()?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(self.mizan()?);
            theirs.push(self.copy_and_join(&python)?);
        }
        Ok((ours, theirs))
    }

    fn mizan(&self) -> anyhow::Result<Used> {
        let mut command = Command::new(subject::binary()?);
        command
            .args(["recon", "run", "--json", "--provider", "mockpsp"])
            .args(["--from", FROM, "--to", TO, "--statement", &self.statement])
            .current_dir(&self.directory)
            .envs(self.environment.iter().map(|it| (it.0, &it.1)))
            .env("RECON_RUNNER", "inline");
        let (used, said) = watch(&mut command)?;
        let run: Value = serde_json::from_str(said.trim()).with_context(|| said.clone())?;
        ensure!(
            run["status"] == "completed"
                && run["stats_json"]["summary"]["findings_total"] == self.rows.differences(),
            "{} differences are there, Mizan says {run}",
            self.rows.differences()
        );
        Ok(used)
    }

    fn copy_and_join(&self, python: &Path) -> anyhow::Result<Used> {
        let ledger = self.directory.join("ledger.csv");
        let mut psql = Command::new("psql");
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--set",
            "ON_ERROR_STOP=1",
            "--command",
            COPY,
        ])
        .arg("--output")
        .arg(ledger)
        .arg(&self.url);
        let (copied, _) = watch(&mut psql)?;
        let joined = duckdb::join(python, &self.directory, self.rows.differences())?;
        Ok(Used {
            seconds: copied.seconds + joined.seconds,
            cpu: copied.cpu + joined.cpu,
            memory: copied.memory.max(joined.memory),
        })
    }
}

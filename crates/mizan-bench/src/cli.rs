//! The command line: which benches to run, and what to do with their outcomes.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::bench::{self, Bench, Options};
use crate::case::Outcome;
use crate::runs::{self, crash, soak, takeover};
use crate::{machine, report, screen, server};

/// Measures Mizan against yardsticks in the same run. Durability is never switched off.
#[derive(Debug, Parser)]
#[command(name = "mizan-bench")]
pub struct Args {
    /// A bench, a load run (`soak`, `crash`, `takeover`), or `list`, `all` (runs every bench and writes docs/performance.md), `report` (writes it again from
    /// the last outcomes).
    name: String,
    /// Short rounds and small data: shows that a bench works, not what the machine can do.
    #[arg(long)]
    quick: bool,
    /// Nothing but one JSON line for each bench.
    #[arg(long)]
    json: bool,
    /// `growth`: the sizes of the journal; `recon`: rows a side. Separated by commas.
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<u64>,
    /// Shows before each checkpoint what PostgreSQL spent its time on since the one before. Takes time itself.
    #[arg(long)]
    profile: bool,
    /// `soak`: how long.
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// `soak`: how many ask at the same time.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// `crash`: how often something is killed.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// `crash`: kills the service and spares PostgreSQL.
    #[arg(long, conflicts_with = "postgres_only")]
    server_only: bool,
    /// `crash`: kills PostgreSQL and spares the service.
    #[arg(long)]
    postgres_only: bool,
    /// `takeover`: on each side of the run.
    #[arg(long, default_value_t = 2_000_000)]
    rows: u64,
}

/// Exit 0 when everything ran (whether or not a goal is reached), 1 when a bench failed or a load run did not hold,
/// 2 for a wrong name.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.json {
        screen::be_quiet();
    }
    if args.profile {
        server::profile();
    }
    let options = Options {
        quick: args.quick,
        sizes: args.sizes,
    };
    match args.name.as_str() {
        "list" => {
            for it in bench::ALL {
                screen::result(&format!("{:12} {}", it.name, it.about))?;
            }
            for (name, about) in runs::ALL {
                screen::result(&format!("{name:12} {about}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        // The yardstick of `webhook`: a server that reads a body and says 200.
        "bare-server" => {
            crate::benches::bare_server::serve().await?;
            Ok(ExitCode::SUCCESS)
        }
        "soak" => {
            let (minutes, clients) = (args.minutes, args.clients);
            Ok(yes_or_no(soak::run(soak::Plan { minutes, clients }).await?))
        }
        "crash" => {
            let plan = crash::Plan {
                rounds: args.rounds,
                kill_server: !args.postgres_only,
                kill_postgres: !args.server_only,
            };
            Ok(yes_or_no(crash::run(plan).await?))
        }
        "takeover" => Ok(yes_or_no(
            takeover::run(takeover::Plan { rows: args.rows }).await?,
        )),
        "report" => {
            report::write(&report::kept()?)?;
            Ok(ExitCode::SUCCESS)
        }
        "all" => all(&options).await,
        name => {
            let Some(found) = bench::ALL.iter().find(|it| it.name == name) else {
                screen::note(&format!("there is no bench {name}; `list` names them"));
                return Ok(ExitCode::from(2));
            };
            let outcome = one(found, &options).await?;
            Ok(code(&[outcome]))
        }
    }
}

async fn all(options: &Options) -> anyhow::Result<ExitCode> {
    let mut outcomes = Vec::new();
    for it in bench::ALL {
        outcomes.push(one(it, options).await?);
    }
    report::write(&outcomes)?;
    Ok(code(&outcomes))
}

fn code(outcomes: &[Outcome]) -> ExitCode {
    if outcomes.iter().any(|it| it.failed.is_some()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn yes_or_no(held: bool) -> ExitCode {
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one bench. A failure is an outcome too: the others are still run.
async fn one(bench: &Bench, options: &Options) -> anyhow::Result<Outcome> {
    screen::note(&format!("== {}: {}", bench.name, bench.about));
    let (cases, failed) = match (bench.run)(options.clone()).await {
        Ok(cases) => (cases, None),
        Err(error) => (Vec::new(), Some(format!("{error:#}"))),
    };
    if let Some(error) = &failed {
        screen::note(&format!("{} failed: {error}", bench.name));
    }
    let outcome = Outcome {
        name: bench.name.to_owned(),
        at: machine::today(),
        commit: machine::commit(),
        quick: options.quick,
        reached: failed.is_none() && cases.iter().all(|it| it.reached != Some(false)),
        cases,
        failed,
    };
    for case in &outcome.cases {
        screen::note(&case.line());
    }
    let line = serde_json::to_string(&outcome).context("an outcome is not JSON")?;
    screen::result(&line)?;
    report::keep(&outcome)?;
    Ok(outcome)
}

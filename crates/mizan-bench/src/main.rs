//! `mizan-bench`: what Mizan does in a second, beside what well-known tools do on the same machine in the same run.
//!
//! `list` names the benches, a name runs one, `all` runs them all and writes `docs/performance.md`.

mod bench;
mod benches;
mod case;
mod cli;
mod floor;
mod http;
mod ledger_load;
mod machine;
mod pgbench;
mod recon_rows;
mod report;
mod runs;
mod screen;
mod server;
mod subject;
mod timing;
mod usage;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(cli::Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            screen::note(&format!("error: {error:#}"));
            ExitCode::from(3)
        }
    }
}

//! The command line: one file per command. Each explains itself with `--help`.

#[macro_use]
pub mod say;

pub mod admin;
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod gate;
pub mod ledger;
pub mod mask;
pub mod migrate;
pub mod mockpsp;
pub mod openapi;
pub mod recon;
pub mod serve;
pub mod start;
pub mod worker;

use clap::{Parser, Subcommand};

use self::exit::Exit;

/// The ledger, money path and reconciliation of an operator who holds money for users.
#[derive(Debug, Parser)]
#[command(name = "mizan", version = crate::wire::build::LONG_VERSION, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the main job on SQLite with a simulated PSP; needs nothing installed.
    Demo(demo::DemoArgs),
    /// Serves the HTTP API.
    Serve(serve::ServeArgs),
    /// Runs jobs from the queue in Redis; any number of workers may run.
    Worker(worker::WorkerArgs),
    /// Container entry: migrates in staging and prod, then serves.
    Start(serve::ServeArgs),
    /// Moves the database schema, and says where it stands.
    Migrate(migrate::MigrateArgs),
    /// Reconciles: two files, or a provider's statement with the ledger.
    Recon(recon::ReconArgs),
    /// Verifies and exports the ledger.
    Ledger(ledger::LedgerArgs),
    /// The release gate: runs its packs, and verifies, reports and posts what they leave behind.
    Gate(gate::GateArgs),
    /// Runs a payment service provider to test against.
    Mockpsp(mockpsp::MockpspArgs),
    /// Masks secrets in a text: standard input to standard output, as a stream.
    Mask(mask::MaskArgs),
    /// Says what is configured, reachable and missing.
    Doctor(doctor::DoctorArgs),
    /// Makes staff and rotates the token-signing keys.
    Admin(admin::AdminArgs),
    /// Prints the OpenAPI document or the list of error codes.
    Openapi(openapi::OpenapiArgs),
}

/// Runs a command to its exit code. What went wrong is said on stderr, masked, with its causes.
pub async fn run(cli: Cli) -> Exit {
    let ended = match cli.command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Worker(args) => worker::run(args).await,
        Command::Start(args) => start::run(args).await,
        Command::Migrate(args) => run_migrate(args).await,
        Command::Recon(args) => recon::run(args).await,
        Command::Ledger(args) => ledger::run(args).await,
        Command::Gate(args) => gate::run(args).await,
        Command::Mockpsp(args) => mockpsp::run(args).await,
        Command::Mask(args) => mask::run(&args),
        Command::Doctor(args) => doctor::run(args).await,
        Command::Admin(args) => admin::run(args).await,
        Command::Openapi(args) => openapi::run(&args),
    };
    ended.unwrap_or_else(|error| exit::explain(&error))
}

async fn run_migrate(args: migrate::MigrateArgs) -> anyhow::Result<Exit> {
    let loaded = crate::wire::settings()?;
    migrate::run(args, &loaded.settings, &mut std::io::stdout()).await
}

//! `mizan gate`: runs a pack of checks and says GO or NO-GO, and what is done with the evidence of it.

mod keygen;
mod report;
mod ticket;
mod verify;

use clap::{Args, Subcommand};

use super::exit::Exit;

#[derive(Debug, Args)]
pub struct GateArgs {
    #[command(subcommand)]
    command: GateCommand,
}

#[derive(Debug, Subcommand)]
enum GateCommand {
    /// Checks an evidence pack offline. Exit: 0 it stands, 1 it is refused, 3 it cannot be read.
    Verify(verify::VerifyArgs),
    /// Makes a report of an evidence pack again: another language, another form.
    Report(report::ReportArgs),
    /// Makes a key to sign evidence packs with.
    Keygen(keygen::KeygenArgs),
    /// Writes the closure report to a ticket as a comment; for a NO-GO also what failed and a template for its cause.
    Post(ticket::PostArgs),
    /// Closes a ticket, if the pack stands and says GO.
    Close(ticket::CloseArgs),
}

pub async fn run(args: GateArgs) -> anyhow::Result<Exit> {
    match args.command {
        GateCommand::Verify(args) => verify::run(&args),
        GateCommand::Report(args) => report::run(&args),
        GateCommand::Keygen(args) => keygen::run(&args),
        GateCommand::Post(args) => ticket::post(args).await,
        GateCommand::Close(args) => ticket::close(args).await,
    }
}

//! `mizan gate`: runs a pack of checks and says GO or NO-GO, and what is done with the evidence of it.

mod keygen;
mod list;
mod local;
mod report;
mod run;
mod ticket;
mod verify;
mod words;

use clap::{Args, Subcommand};

use super::exit::{self, Exit};

#[derive(Debug, Args)]
pub struct GateArgs {
    #[command(subcommand)]
    command: GateCommand,
}

#[derive(Debug, Subcommand)]
enum GateCommand {
    /// Runs a pack. Exit: 0 GO, 1 NO-GO, 2 bad pack file, 3 could not run, 4 the leak guard stopped it.
    Run(run::RunArgs),
    /// Lists the packs of a directory with what they need, and runs that did not come to their end.
    List(list::ListArgs),
    /// Prints the JSON Schema of packs, for editors.
    Schema,
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
        GateCommand::Run(args) => run::run(args).await,
        GateCommand::List(args) => list::run(&args),
        GateCommand::Schema => {
            say!("{}", mizan_gate::schema::gate_pack().trim_end());
            Ok(exit::DONE)
        }
        GateCommand::Verify(args) => verify::run(&args),
        GateCommand::Report(args) => report::run(&args),
        GateCommand::Keygen(args) => keygen::run(&args),
        GateCommand::Post(args) => ticket::post(args).await,
        GateCommand::Close(args) => ticket::close(args).await,
    }
}

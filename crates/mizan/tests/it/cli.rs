//! The command line as an operator uses it: exit codes, what is printed, and that it is masked.

mod admin;
mod demo;
mod doctor;
mod gate;
mod help;
mod jobs;
mod masked;
mod migrate;
mod openapi;
mod recon_formats;
mod recon_match;

use mizan_testkit::{Finished, MizanCommand};

use crate::harness::{BINARY, PATIENCE};

/// Runs the binary with nothing in its environment but this.
pub async fn mizan(args: &[&str], env: &[(&str, &str)]) -> Finished {
    let mut command = MizanCommand::new(BINARY).args(args);
    for (name, value) in env {
        command = command.env(name, value);
    }
    command.run(PATIENCE).await.expect("the command ends")
}

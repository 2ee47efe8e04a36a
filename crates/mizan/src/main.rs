//! `mizan`: parse, dispatch, exit code. Everything else is in `cli` and `wire`.

mod cli;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return cli::exit::COULD_NOT.into();
        }
    };
    runtime.block_on(cli::run(cli)).into()
}

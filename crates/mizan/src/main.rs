//! `mizan`: parse, dispatch, exit code. Everything else is in `cli` and `wire`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::say::mask_panics();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            cli::say::usage(&error);
            return cli::exit::WRONG_USE.into();
        }
        // Help and version, which quote nothing.
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::say::err(format_args!("error: the runtime cannot be started: {error}"));
            return cli::exit::COULD_NOT.into();
        }
    };
    runtime.block_on(cli::run(cli)).into()
}

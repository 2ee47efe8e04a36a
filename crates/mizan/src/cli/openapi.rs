//! `mizan openapi`: what is checked in under `schemas/` and `docs/`, printed from the handlers themselves.

use clap::Args;

use super::exit::{self, Exit};

#[derive(Debug, Args)]
pub struct OpenapiArgs {
    /// Prints the list of error codes as Markdown instead.
    #[arg(long)]
    error_codes: bool,
}

#[expect(clippy::print_stdout, reason = "documents that were made when this was built")]
pub fn run(args: &OpenapiArgs) -> anyhow::Result<Exit> {
    if args.error_codes {
        print!("{}", mizan_http::error::catalogue_markdown());
    } else {
        println!(
            "{}",
            serde_json::to_string_pretty(&mizan_http::openapi::document())?
        );
    }
    Ok(exit::DONE)
}

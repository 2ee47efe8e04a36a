//! `mizan mask`: text in, masked text out, as a stream.

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;
use mizan_mask::{MaskStream, Masker};

use super::exit::{self, Exit};

#[derive(Debug, Args)]
pub struct MaskArgs {
    /// Shortens host names and addresses too, keeping enough to tell two apart.
    #[arg(long)]
    shorten_hosts: bool,
}

/// Learns the secrets of the environment by their names, then passes standard input on, masked.
#[expect(
    clippy::disallowed_methods,
    reason = "the masker learns every secret of the environment, by name"
)]
pub fn run(args: &MaskArgs) -> anyhow::Result<Exit> {
    let builder = Masker::builder()
        .learn_from_env(std::env::vars())
        .shorten_hosts(args.shorten_hosts);
    let masker = builder.build();
    for refused in masker.refused() {
        complain!(
            "warning: {} is not masked by its value: {}",
            refused.name,
            refused.reason
        );
    }
    let mut out = MaskStream::new(masker, io::stdout().lock());
    io::copy(&mut io::stdin().lock(), &mut out).context("the text cannot be passed on")?;
    out.finish()
        .context("the text cannot be written to its end")?
        .flush()?;
    Ok(exit::DONE)
}

//! `mizan gate keygen`: a key for signing, made here and shown to nobody.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use mizan_gate::key;
use mizan_mask::Secret;

use crate::cli::exit::{self, Exit};

#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// Where the private key goes; the public key goes beside it, with `.pub` at the end.
    #[arg(long, default_value = "gate.key")]
    out: PathBuf,
}

pub fn run(args: &KeygenArgs) -> anyhow::Result<Exit> {
    let seed: [u8; 32] = rand::random();
    let key = key::generate(&Secret::from(seed.to_vec())).context("no key can be made")?;
    let public = key::write(&key, &args.out)?;
    say!(
        "private key: {} (for its owner only; keep it secret)",
        args.out.display()
    );
    say!("public key:  {} (give it to those who verify)", public.display());
    say!("keyid:       {}", key::id(&key.verifying_key()));
    Ok(exit::DONE)
}

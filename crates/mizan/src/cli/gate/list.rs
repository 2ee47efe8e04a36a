//! `mizan gate list`: packs, and what they need.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use mizan_gate::pack::check::{Wishes, check};
use mizan_gate::pack::parse::parse;

use crate::cli::exit::{self, Exit};
use crate::cli::recon::table;

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Where the packs are.
    #[arg(default_value = "gates")]
    dir: PathBuf,
    /// Where runs leave their evidence.
    #[arg(long, default_value = "evidence")]
    out: PathBuf,
}

/// Exit 2 when a pack cannot be read.
pub fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let entries =
        fs::read_dir(&args.dir).with_context(|| format!("{} cannot be read", args.dir.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|it| it.ok().map(|it| it.path()))
        .filter(|it| it.extension().is_some_and(|it| it == "yaml" || it == "yml"))
        .collect();
    paths.sort();
    let mut rows = table(&["pack", "gate", "packets", "requires", "needs", "title"]);
    let mut bad = false;
    for path in &paths {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let pack = match parse(&text) {
            Ok(pack) => pack,
            Err(problems) => {
                complain!("{}: {problems}", path.display());
                bad = true;
                continue;
            }
        };
        for problem in check(&pack, &text, &Wishes::default()) {
            complain!("{}: {problem}", path.display());
            bad = true;
        }
        let requires: Vec<&str> = pack.requires.iter().map(|it| it.0.as_str()).collect();
        rows.add_row([
            path.display().to_string(),
            pack.gate.clone(),
            pack.packets.len().to_string(),
            requires.join(", "),
            pack.env.join(", "),
            pack.title.clone(),
        ]);
    }
    say!("{rows}");
    super::run::say_unfinished(&args.out);
    Ok(if bad { exit::WRONG_USE } else { exit::DONE })
}

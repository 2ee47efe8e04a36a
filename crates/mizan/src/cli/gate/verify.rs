//! `mizan gate verify`: what a pack is worth, in sentences or as JSON.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use mizan_gate::key;
use mizan_gate::record::Verdict;
use mizan_gate::verify::{Report, Signature, verify};
use serde_json::json;

use crate::cli::exit::{self, Exit};
use crate::wire;

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory of the pack.
    pack: PathBuf,
    /// The public key that must have signed it. Without it, who made the pack is not checked.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

pub fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let report = check(&args.pack, args.key.as_deref())?;
    if args.json {
        let refusals = report.refusals.iter();
        let refusals: Vec<_> = refusals
            .map(|it| json!({ "code": it.code(), "says": it.to_string() }))
            .collect();
        let text = json!({
            "pack": args.pack,
            "stands": report.stands(),
            "verdict": report.verdict(),
            "signature": report.signature,
            "signed_by": report.summary.as_ref().and_then(|it| it.signed_by.as_deref()),
            "refusals": refusals,
        });
        say!("{}", wire::masker().mask(&serde_json::to_string_pretty(&text)?));
    } else {
        say(&args.pack, &report);
    }
    Ok(if report.stands() { exit::DONE } else { exit::NO })
}

/// Reads the key, if one is named, and checks the pack.
pub fn check(pack: &Path, key: Option<&Path>) -> anyhow::Result<Report> {
    let key = key.map(key::public_from_file).transpose()?;
    verify(pack, key.as_ref()).with_context(|| format!("{} cannot be read", pack.display()))
}

/// The sentences, refusals on stderr.
pub fn say(pack: &Path, report: &Report) {
    let masker = wire::masker();
    for refusal in &report.refusals {
        complain!("{}", masker.mask(&format!("refused: {refusal}")));
    }
    let signature = match report.signature {
        Signature::Valid => "signed with the given key",
        Signature::NotChecked => "signed; give --key to check by whom",
        Signature::Unsigned => "unsigned, so nothing shows who made it",
        Signature::Invalid => "the signature is refused",
    };
    let text = match report.verdict() {
        Some(verdict) => format!(
            "{}: it stands ({signature}); the verdict is {}",
            pack.display(),
            word(verdict)
        ),
        None => format!(
            "{}: it does not stand ({} refusals)",
            pack.display(),
            report.refusals.len()
        ),
    };
    say!("{}", masker.mask(&text));
}

pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Go => "GO",
        Verdict::GoWithWaiver => "GO WITH WAIVER",
        Verdict::NoGo => "NO-GO",
    }
}

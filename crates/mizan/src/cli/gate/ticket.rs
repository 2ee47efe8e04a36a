//! `mizan gate post` and `mizan gate close`: the ticket learns what the gate found.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use mizan_gate::manifest;
use mizan_gate::record::Verdict;
use mizan_gate::ticket::{About, System, Ticket, comments};
use mizan_gate::verify::{Report, Signature};
use mizan_mask::Secret;

use super::verify;
use crate::cli::exit::{self, Exit};

#[derive(Debug, Args)]
struct TicketArgs {
    /// The directory of the pack.
    pack: PathBuf,
    /// Where the ticket is kept.
    #[arg(long, value_enum)]
    to: Kind,
    /// GitHub: owner/name. GitLab: group/name, or the number of the project.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// The number of the issue.
    #[arg(long, value_name = "NUMBER")]
    issue: Option<u64>,
    /// The address of the API of an own server; for a webhook, its address.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The environment variable that holds the token; by default GITHUB_TOKEN or GITLAB_TOKEN, and none for a webhook.
    #[arg(long, value_name = "VARIABLE")]
    token_env: Option<String>,
    /// The public key that must have signed the pack.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Github,
    Gitlab,
    Webhook,
}

#[derive(Debug, Args)]
pub struct PostArgs {
    #[command(flatten)]
    ticket: TicketArgs,
    /// Posts also what is on the ticket already.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub struct CloseArgs {
    #[command(flatten)]
    ticket: TicketArgs,
    /// Closes on GO WITH WAIVER too.
    #[arg(long)]
    accept_waiver: bool,
    /// Closes although nothing shows who made the pack.
    #[arg(long, conflicts_with = "key")]
    allow_unsigned: bool,
}

/// Only a pack that stands is posted, whatever its verdict: exit 1 otherwise. Posting it again changes nothing.
pub async fn post(args: PostArgs) -> anyhow::Result<Exit> {
    let PostArgs { ticket: args, force } = args;
    let report = verify::check(&args.pack, args.key.as_deref())?;
    let Some(about) = about(&args.pack, &report) else {
        verify::say(&args.pack, &report);
        return Ok(exit::NO);
    };
    let ticket = open(&args)?;
    let record = report.record.as_ref().context("the pack has no record")?;
    let texts = comments(&args.pack, record, ticket.system.longest_comment())?;
    let posted = ticket.post(&about, &texts, force).await?;
    let verdict = verify::word(about.verdict);
    match (posted.written, posted.there) {
        (0, there) => say!(
            "posted before: {verdict} ({there} comments of this pack are on the ticket; --force posts them again)"
        ),
        (written, 0) => say!("posted: {verdict} ({written} comments)"),
        (written, there) => {
            say!("posted: {verdict} ({written} comments; {there} were on the ticket before)");
        }
    }
    Ok(exit::DONE)
}

/// Exit 1, and the ticket stays open, unless the pack stands, is signed by the key and says GO.
pub async fn close(args: CloseArgs) -> anyhow::Result<Exit> {
    let report = verify::check(&args.ticket.pack, args.ticket.key.as_deref())?;
    let Some(about) = about(&args.ticket.pack, &report) else {
        verify::say(&args.ticket.pack, &report);
        return Ok(exit::NO);
    };
    let against = match about.verdict {
        Verdict::NoGo => Some("the verdict is NO-GO"),
        Verdict::GoWithWaiver if !args.accept_waiver => {
            Some("the verdict is GO WITH WAIVER; --accept-waiver closes it all the same")
        }
        _ if report.signature != Signature::Valid && !args.allow_unsigned => Some(
            "the signature was not checked; give --key, or --allow-unsigned to trust the directory as it is",
        ),
        Verdict::Go | Verdict::GoWithWaiver => None,
    };
    if let Some(why) = against {
        complain!("the ticket stays open: {why}");
        return Ok(exit::NO);
    }
    open(&args.ticket)?.close(&about).await?;
    say!("closed: {}", verify::word(about.verdict));
    Ok(exit::DONE)
}

/// What is told about a pack that stands; `None` for another.
fn about(pack: &Path, report: &Report) -> Option<About> {
    let verdict = report.verdict()?;
    let summary = report.summary.as_ref()?;
    let folder = std::fs::canonicalize(pack).ok()?;
    Some(About {
        gate: summary.gate.clone(),
        title: summary.title.clone(),
        verdict,
        run_id: summary.run_id.clone(),
        pack: folder.file_name()?.to_string_lossy().into_owned(),
        digest: manifest::sha256_of(&pack.join(manifest::NAME)).ok()?,
    })
}

fn open(args: &TicketArgs) -> anyhow::Result<Ticket> {
    let project = || {
        args.project
            .clone()
            .context("--project is missing: owner/name of the repository")
    };
    let issue = || args.issue.context("--issue is missing: the number of the ticket");
    let base = |usual: &str| args.base_url.clone().unwrap_or_else(|| usual.to_owned());
    let (system, usual_token) = match args.to {
        Kind::Github => {
            let base = base("https://api.github.com");
            (
                System::GitHub {
                    base,
                    repository: project()?,
                    issue: issue()?,
                },
                Some("GITHUB_TOKEN"),
            )
        }
        Kind::Gitlab => {
            let base = base("https://gitlab.com/api/v4");
            (
                System::GitLab {
                    base,
                    project: project()?,
                    issue: issue()?,
                },
                Some("GITLAB_TOKEN"),
            )
        }
        Kind::Webhook => {
            let url = args
                .base_url
                .clone()
                .context("--base-url is missing: the address of the webhook")?;
            (System::Webhook { url }, None)
        }
    };
    let variable = args.token_env.as_deref().or(usual_token);
    let token = variable.map(token_of).transpose()?;
    Ok(Ticket::new(system, token)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the token is that of another system, not a setting of Mizan"
)]
fn token_of(variable: &str) -> anyhow::Result<Secret> {
    match std::env::var(variable) {
        Ok(token) if !token.trim().is_empty() => Ok(Secret::from(token.trim())),
        _ => bail!(
            "the environment variable {variable} holds no token; set it, or name another with --token-env"
        ),
    }
}

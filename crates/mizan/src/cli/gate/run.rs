//! `mizan gate run`: the options, the signals, the exit code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use mizan_core::SystemClock;
use mizan_gate::evidence::{PackError, PackOptions, write_pack};
use mizan_gate::key;
use mizan_gate::pack::check::{Wishes, check};
use mizan_gate::pack::parse::parse;
use mizan_gate::record::{About, Verdict, Waiver};
use mizan_gate::report::Lang;
use mizan_gate::run::Done;
use mizan_gate::{CouldNot, Options, Problem, Problems, Stop, unfinished};
use mizan_mask::Secret;
use tokio::signal::unix::{SignalKind, signal};

use super::local::Local;
use super::words;
use crate::cli::exit::{self, Exit};
use crate::wire::build;

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The pack: a YAML file.
    pack: PathBuf,
    /// Gives a variable of the pack a value. May be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    vars: Vec<(String, String)>,
    /// Runs only these packets. The verdict is NO-GO as long as a required one is missing.
    #[arg(long, value_name = "PACKET", value_delimiter = ',')]
    only: Vec<String>,
    /// Where the evidence goes: a new directory below this one.
    #[arg(long, default_value = "evidence")]
    out: PathBuf,
    /// Runs on PostgreSQL and Redis servers that are started for it and thrown away.
    #[arg(long)]
    local: bool,
    /// Accepts a required packet that did not pass; with --by and --reason, once for each.
    #[arg(long, value_name = "PACKET", requires_all = ["by", "reason"])]
    waive: Vec<String>,
    /// Who accepts it: a person's name.
    #[arg(long, value_name = "NAME", requires = "waive")]
    by: Vec<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "waive")]
    reason: Vec<String>,
    /// Who runs the gate, for the record.
    #[arg(long)]
    operator: Option<String>,
    /// Shortens host names and addresses in all that is written.
    #[arg(long)]
    shorten_hosts: bool,
    /// The private key that signs the evidence, in place of MIZAN_GATE_KEY.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The language of the pages for people, tr or en; by default as LC_ALL, LC_MESSAGES or LANG say.
    #[arg(long)]
    lang: Option<Lang>,
    /// Prints the record as JSON in place of the verdict.
    #[arg(long)]
    json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let text = match std::fs::read_to_string(&args.pack) {
        Ok(text) => text,
        Err(error) => {
            complain!("error: {} cannot be read: {error}", args.pack.display());
            return Ok(exit::WRONG_USE);
        }
    };
    let Some(waivers) = waivers(&args) else {
        complain!("error: each --waive needs a --by and a --reason of its own");
        return Ok(exit::WRONG_USE);
    };
    let wishes = Wishes {
        only: &args.only,
        waivers: &waivers,
    };
    // Before any server is started for it.
    let wrong = parse(&text).map(|pack| check(&pack, &text, &wishes));
    let (Err(Problems(problems)) | Ok(problems)) = wrong;
    if !problems.is_empty() {
        return Ok(refuse(&args.pack, &problems));
    }
    say_unfinished(&args.out);
    let mut env = environment();
    let variable = env.get(key::VARIABLE).map(|it| Secret::from(it.as_str()));
    let key = key::load(args.key.as_deref(), variable.as_ref())?;
    let lang = args.lang.unwrap_or_else(super::report::lang_of_locale);
    let local = if args.local {
        Some(Local::start(&mut env).await?)
    } else {
        None
    };
    let stop = Stop::default();
    let listening = tokio::spawn(listen(stop.clone())?);
    let about = about(&args, &env);
    let options = Options {
        pack_path: args.pack.clone(),
        given: args.vars.iter().cloned().collect::<BTreeMap<_, _>>(),
        env,
        known: key.as_ref().map(key::spellings).unwrap_or_default(),
        only: args.only.clone(),
        waivers,
        out: args.out.clone(),
        path_first: std::env::current_exe()
            .ok()
            .and_then(|it| it.parent().map(Path::to_path_buf)),
        about,
        shorten_hosts: args.shorten_hosts,
        clock: Arc::new(SystemClock),
        stop,
        progress: Arc::new(words::progress),
        keep: mizan_gate::KeepLimit::default(),
    };
    let done = mizan_gate::run(&text, options).await;
    listening.abort();
    drop(local);
    let done = match done {
        Ok(done) => done,
        Err(CouldNot::Pack(problems)) => return Ok(refuse(&args.pack, &problems.0)),
        Err(error) => return Err(error.into()),
    };
    let verdict = done.record.verdict;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&done.record)?);
    } else {
        words::summary(&done.record);
    }
    keep(done, &args, key.as_ref(), lang, verdict)
}

/// Makes the evidence pack; what the run wrote on its way goes, once it is in there.
fn keep(
    done: Done,
    args: &RunArgs,
    key: Option<&key::SigningKey>,
    lang: Lang,
    verdict: Verdict,
) -> anyhow::Result<Exit> {
    let options = PackOptions {
        root: &args.out,
        lang,
        key,
        masker: &done.masker,
    };
    let place = match write_pack(&done.record, &done.workdir.path, &options) {
        Ok(place) => place,
        Err(error @ PackError::Leak(_)) => {
            done.workdir.remove()?;
            complain!("error: {error}");
            return Ok(exit::LEAK);
        }
        Err(error) => return Err(error.into()),
    };
    done.workdir.remove()?;
    complain!("evidence: {}", place.display());
    if key.is_none() {
        complain!(
            "the evidence is not signed: give --key, or a key in {}",
            key::VARIABLE
        );
    }
    Ok(match verdict {
        Verdict::Go | Verdict::GoWithWaiver => exit::DONE,
        Verdict::NoGo => exit::NO,
    })
}

fn refuse(pack: &Path, problems: &[Problem]) -> Exit {
    for problem in problems {
        complain!("{}: {problem}", pack.display());
    }
    exit::WRONG_USE
}

/// One waiver for each `--waive`, in their order.
fn waivers(args: &RunArgs) -> Option<Vec<Waiver>> {
    if args.by.len() != args.waive.len() || args.reason.len() != args.waive.len() {
        return None;
    }
    let named = args.waive.iter().zip(&args.by).zip(&args.reason);
    let waiver = |((packet, by), reason): ((&String, &String), &String)| Waiver {
        packet: packet.clone(),
        by: by.clone(),
        reason: reason.clone(),
    };
    Some(named.map(waiver).collect())
}

/// Says which earlier runs were killed before they could write a verdict.
pub fn say_unfinished(out: &Path) {
    for it in unfinished(out) {
        let place = it.path.display();
        if it.running {
            complain!("note: {place} belongs to a run that goes on in another process");
        } else {
            complain!(
                "warning: {place} was left by a run that did not come to its end; it is no evidence: NO-GO"
            );
        }
    }
}

/// Ends the run when the process is asked to end; the record is written all the same.
fn listen(stop: Stop) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    Ok(async move {
        let why = tokio::select! {
            _ = interrupt.recv() => "interrupted by SIGINT",
            _ = terminate.recv() => "interrupted by SIGTERM",
        };
        complain!("{why}: ending what runs, then writing the record");
        stop.now(why);
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a gate hands its steps the variables that the pack names"
)]
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn about(args: &RunArgs, env: &BTreeMap<String, String>) -> About {
    let word = |name: &str| env.get(name).filter(|it| !it.is_empty()).cloned();
    About {
        environment: word("ENV"),
        service_version: None,
        git_sha: word("GITHUB_SHA").or_else(|| word("CI_COMMIT_SHA")),
        runner: word("RUNNER_NAME").or_else(|| word("USER")),
        host: word("HOSTNAME").or_else(|| {
            std::fs::read_to_string("/proc/sys/kernel/hostname")
                .ok()
                .map(|it| it.trim().to_owned())
        }),
        operator: args.operator.clone(),
        tool: format!("mizan {} ({})", build::VERSION, build::GIT_SHA),
    }
}

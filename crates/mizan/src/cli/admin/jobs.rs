//! `mizan admin jobs`: the queue as rows, and what to do about dead letters.

use std::collections::HashMap;

use clap::{Args, Subcommand, ValueEnum};
use mizan_core::{TenantId, TenantKey};
use mizan_flows::{App, FlowError, queued_jobs, tenants};
use mizan_store::queued_jobs::{JobFilter, JobState, QueuedJob};
use serde_json::Value;

use super::super::exit::{self, Exit};
use super::super::recon::table;

/// How much of an error a table shows; `show` has all of it.
const SHORT: usize = 60;

#[derive(Debug, Args)]
pub(super) struct JobsArgs {
    #[command(subcommand)]
    command: JobsCommand,
    /// The tenant's key; jobs of all tenants without it.
    #[arg(long, global = true)]
    tenant: Option<TenantKey>,
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// Shows dead letters, then what workers hold, then what waits.
    List {
        /// Only jobs of this state.
        #[arg(long, value_enum)]
        state: Option<StateArg>,
        /// Only jobs of this kind: `apply_webhook`, `execute_payout`, `run_reconciliation`.
        #[arg(long)]
        kind: Option<String>,
        /// How many of each state.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=999))]
        limit: u32,
    },
    /// Shows one job with its whole error.
    Show { id: i64 },
    /// Puts a dead letter back: due at once, with all its tries before it.
    Requeue {
        id: i64,
        /// Goes into the audit trail.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Deletes a dead letter. What it was for stays as it is.
    Drop {
        id: i64,
        /// Goes into the audit trail, with the job.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateArg {
    Dead,
    Running,
    Waiting,
}

impl From<StateArg> for JobState {
    fn from(it: StateArg) -> Self {
        match it {
            StateArg::Dead => Self::Dead,
            StateArg::Running => Self::Running,
            StateArg::Waiting => Self::Waiting,
        }
    }
}

type Names = HashMap<TenantId, TenantKey>;

pub(super) async fn run(app: &App, args: JobsArgs) -> anyhow::Result<Exit> {
    let tenant = match &args.tenant {
        Some(key) => Some(tenants::by_key(app, key).await?.id),
        None => None,
    };
    let all = tenants::list(app).await?;
    let names: Names = all.into_iter().map(|it| (it.id, it.key)).collect();
    let done = match args.command {
        JobsCommand::List { state, kind, limit } => {
            let states = state.map_or_else(|| JobState::ALL.to_vec(), |it| vec![it.into()]);
            return list(app, tenant, &states, kind, limit, &names, args.json).await;
        }
        JobsCommand::Show { id } => queued_jobs::get(app, tenant, id).await,
        JobsCommand::Requeue { id, reason } => queued_jobs::requeue(app, tenant, id, reason.as_deref()).await,
        JobsCommand::Drop { id, reason } => queued_jobs::drop(app, tenant, id, &reason).await,
    };
    match done {
        Ok(job) => {
            print_one(&job, &names, args.json);
            Ok(exit::DONE)
        }
        Err(error @ (FlowError::Invalid { .. } | FlowError::NotFound(_) | FlowError::State { .. })) => {
            complain!("error: {error}");
            Ok(exit::NO)
        }
        Err(error) => Err(error.into()),
    }
}

async fn list(
    app: &App,
    tenant: Option<TenantId>,
    states: &[JobState],
    kind: Option<String>,
    limit: u32,
    names: &Names,
    json: bool,
) -> anyhow::Result<Exit> {
    let (mut jobs, mut more) = (Vec::new(), Vec::new());
    for state in states {
        let filter = JobFilter {
            state: *state,
            kind: kind.clone(),
            tenant,
            limit: limit + 1,
        };
        let mut found = queued_jobs::list(app, &filter).await?;
        if found.len() > limit as usize {
            found.truncate(limit as usize);
            more.push(state.as_str());
        }
        jobs.extend(found);
    }
    if json {
        let items: Vec<_> = jobs.iter().map(|it| object(it, names)).collect();
        let body = serde_json::json!({ "items": items, "more": more });
        say!("{body}");
        return Ok(exit::DONE);
    }
    let mut rows = table(&["id", "state", "kind", "tenant", "due", "attempts", "error"]);
    for it in &jobs {
        rows.add_row([
            it.id.to_string(),
            it.state.as_str().to_owned(),
            it.kind.clone(),
            name(it, names),
            it.run_at.to_rfc3339(),
            it.attempts.to_string(),
            it.error.as_deref().unwrap_or("-").chars().take(SHORT).collect(),
        ]);
    }
    say!("{rows}");
    for state in more {
        say!("There are more {state} jobs: raise --limit, or say --state, --kind or --tenant.");
    }
    Ok(exit::DONE)
}

fn print_one(job: &QueuedJob, names: &Names, json: bool) {
    let body = object(job, names);
    if json {
        say!("{body}");
        return;
    }
    for (key, value) in body.as_object().into_iter().flatten() {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        say!("{key:<12} {shown}");
    }
}

fn object(it: &QueuedJob, names: &Names) -> Value {
    // A dead letter may be no JSON at all.
    let job = serde_json::from_str(&it.job).unwrap_or_else(|_| Value::String(it.job.clone()));
    serde_json::json!({
        "id": it.id, "state": it.state.as_str(), "kind": it.kind, "tenant": name(it, names), "job": job,
        "run_at": it.run_at, "attempts": it.attempts, "lost": it.lost, "worker": it.worker,
        "lease_until": it.lease_until, "error": it.error, "request_id": it.request_id,
        "created_at": it.created_at, "finished_at": it.finished_at,
    })
}

fn name(it: &QueuedJob, names: &Names) -> String {
    names
        .get(&it.tenant)
        .map_or_else(|| it.tenant.0.to_string(), ToString::to_string)
}

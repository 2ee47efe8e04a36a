//! `mizan recon run`: one run from the shell, here or by a worker.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use mizan_config::{ReconRunner, Settings};
use mizan_core::{ProviderKey, RunId, StatementId, TimeWindow, Timestamp};
use mizan_flows::recon_runs::{Executor, NewRun};
use mizan_flows::{App, Caller, recon_execute, recon_runs, tenants};
use mizan_mask::Masker;
use mizan_store::recon_runs::{ReconRun, RunStatus};
use mizan_worker::{Relay, RelaySettings};

use super::super::exit::{self, Exit};
use super::{spinner, table};
use crate::wire;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The key of the provider connection.
    #[arg(long)]
    provider: ProviderKey,
    /// RFC 3339; the window includes its start.
    #[arg(long, value_name = "TIME", alias = "window-start")]
    from: Timestamp,
    /// RFC 3339; the window does not include its end.
    #[arg(long, value_name = "TIME", alias = "window-end")]
    to: Timestamp,
    /// The id of an uploaded statement to compare; without it the provider is asked for its statement.
    #[arg(long, value_name = "ID")]
    statement: Option<StatementId>,
    /// Keeps no findings.
    #[arg(long)]
    dry_run: bool,
    #[arg(long)]
    idempotency_key: Option<String>,
    /// The id of an uploaded bank statement in which the payouts of --statement have to be.
    #[arg(long, value_name = "ID", requires = "statement")]
    bank_statement: Option<StatementId>,
    /// The tenant's key; the default tenant without it.
    #[arg(long)]
    tenant: Option<mizan_core::TenantKey>,
    /// Waits until a worker has run it; without a queue that is so anyway.
    #[arg(long)]
    wait: bool,
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let loaded = wire::settings()?;
    let masker = wire::masker();
    wire::logging::start_quiet(&loaded.settings.log, &masker);
    let Ok(window) = TimeWindow::new(args.from, args.to) else {
        complain!("error: --to must be after --from");
        return Ok(exit::WRONG_USE);
    };
    let store = wire::stores::open(&loaded.settings)?;
    let app = wire::app(&loaded.settings, store)?;
    let key = args.tenant.unwrap_or_else(|| app.settings.default_tenant.clone());
    let tenant = tenants::by_key(&app, &key).await?;
    let caller = Caller::system(tenant.id, "cli", None);
    let new = NewRun {
        provider: args.provider,
        window,
        dry_run: args.dry_run,
        idempotency_key: args.idempotency_key,
        statement: args.statement.map(|it| it.0),
        bank_statement: args.bank_statement.map(|it| it.0),
    };
    let bar = spinner("queued");
    let run = if loaded.settings.recon.runner == ReconRunner::Queue {
        let queued = recon_runs::create(&app, &caller, &new, Executor::Worker).await?;
        relay(&loaded.settings, &app).await;
        if args.wait {
            follow(&app, &caller, queued.id, &bar).await?
        } else {
            queued
        }
    } else {
        let queued = recon_runs::create(&app, &caller, &new, Executor::Caller).await?;
        bar.set_message("running");
        recon_execute::run_now(&app, &caller, queued.id).await?
    };
    bar.finish_and_clear();
    print(&run, args.json, &masker);
    Ok(match run.status {
        RunStatus::Failed | RunStatus::Cancelled => exit::COULD_NOT,
        _ => exit::DONE,
    })
}

/// Gives the job to the queue at once. If that fails, a relay of a service or worker does it within a second.
async fn relay(settings: &Settings, app: &std::sync::Arc<App>) {
    let Some(redis) = &settings.redis else { return };
    let pushed = async {
        let queue = wire::queue::open(redis, &settings.queue.name)?;
        let relay = Relay::new(std::sync::Arc::clone(app), queue, RelaySettings::default());
        relay.pass(false).await.context("the queue cannot be told")
    };
    if let Err(error) = pushed.await {
        tracing::warn!(
            error = &*error as &dyn std::error::Error,
            "the run waits for a relay"
        );
    }
}

/// Shows how a run gets on, until it is over.
async fn follow(app: &App, caller: &Caller, id: RunId, bar: &ProgressBar) -> anyhow::Result<ReconRun> {
    let mut shown = RunStatus::Queued;
    loop {
        let run = recon_runs::get(app, caller, id).await?;
        if run.status != shown {
            bar.set_message(run.status.as_str());
            shown = run.status;
        }
        if run.status.is_final() {
            return Ok(run);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn print(run: &ReconRun, json: bool, masker: &Masker) {
    let parse = |it: &Option<String>| -> serde_json::Value {
        it.as_deref()
            .and_then(|it| serde_json::from_str(it).ok())
            .unwrap_or_default()
    };
    let (stats, error) = (parse(&run.stats_json), parse(&run.error_json));
    if json {
        let body = serde_json::json!({
            "id": run.id, "provider": run.provider, "status": run.status.as_str(), "dry_run": run.dry_run,
            "stats_json": stats, "error_json": error,
        });
        say!("{}", masker.mask(&body.to_string()));
        return;
    }
    say!("run {} {}", run.id, run.status);
    if run.status.is_final() {
        let mut findings = table(&["finding", "count"]);
        for (name, count) in stats["summary"]["findings"].as_object().into_iter().flatten() {
            findings.add_row([name.clone(), count.to_string()]);
        }
        say!("{findings}");
    }
    if !error.is_null() {
        say!("{}", masker.mask(&error.to_string()));
    }
}

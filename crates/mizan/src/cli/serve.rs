//! `mizan serve`: the HTTP API, with housekeeping, and the job runner or the relay of the queue.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use mizan_config::{Database, ReconRunner, Settings};
use mizan_flows::Caller;
use mizan_flows::{App, bootstrap, flags};
use mizan_worker::{
    Housekeeping, Relay, RelaySettings, Runner, WorkerSettings, follow_schedules, keep_house, measure_queue,
};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::{self, Exit};
use crate::wire::{self, anchor, build, server};

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen, in place of HOST.
    #[arg(long)]
    host: Option<String>,
    /// The port, in place of PORT; 0 takes a free one.
    #[arg(long)]
    port: Option<u16>,
}

pub async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let mut loaded = wire::settings()?;
    if let Some(host) = args.host {
        loaded.settings.listen.host = host;
    }
    if let Some(port) = args.port {
        loaded.settings.listen.port = port;
    }
    let settings = loaded.settings;
    let masker = wire::masker();
    wire::logging::start(&settings.log, &masker);
    log_boot(&settings);
    for warning in &loaded.warnings {
        tracing::warn!(event = "config.warning", "{warning}");
    }
    for refused in masker.refused() {
        tracing::warn!(event = "mask.refused", name = refused.name, reason = %refused.reason,
            "a secret is too weak to be masked by value");
    }
    if let Database::Sqlite { .. } = settings.database {
        super::migrate::upgrade_to_head(&settings.database, &mut |step| tracing::info!("{step}")).await?;
    }
    let store = wire::stores::open(&settings)?;
    let app = wire::app(&settings, store)?;
    let target = (settings.listen.host.as_str(), settings.listen.port);
    let listener = TcpListener::bind(target)
        .await
        .with_context(|| format!("{}:{} cannot be listened on", target.0, target.1))?;
    let address = listener.local_addr()?;
    tracing::info!(event = "service.listening", %address, "listening on http://{address}");

    let stop = CancellationToken::new();
    let serving = tokio::spawn(server::serve(
        Arc::clone(&app),
        settings.clone(),
        listener,
        stop.clone(),
    ));
    let working = tokio::spawn(work(Arc::clone(&app), settings.clone(), stop.clone()));
    wait_for_signal(stop.clone()).await?;
    working.await.context("the runner ended early")?;
    serving.await.context("the server ended early")??;
    tracing::info!(event = "service.stopped", "stopped");
    Ok(exit::DONE)
}

/// What is configured, one event each, masked.
pub(super) fn log_boot(settings: &Settings) {
    tracing::info!(
        event = "service.boot",
        service = "mizan",
        version = build::VERSION,
        git_sha = build::GIT_SHA,
        environment = settings.mode.env.as_str(),
        strict = settings.mode.strict,
        "starting"
    );
    let snapshot: serde_json::Map<_, _> = settings
        .snapshot()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    tracing::info!(event = "config.snapshot", config = %serde_json::Value::Object(snapshot), "configuration");
    let flags: serde_json::Map<_, _> = settings
        .flags
        .iter()
        .map(|(name, flag)| {
            let shown = serde_json::json!({ "value": flag.value, "source": flag.source.to_string() });
            (name.to_owned(), shown)
        })
        .collect();
    tracing::info!(event = "flags.effective", flags = %serde_json::Value::Object(flags), "rollout flags");
}

/// Makes what the first start needs, as soon as the database is there, then runs jobs and keeps house.
async fn work(app: Arc<App>, settings: Settings, stop: CancellationToken) {
    let mut told = false;
    loop {
        match bootstrap::run(&app, &wire::first_owner(&settings)).await {
            Ok(made) => {
                if let Some((email, password)) = made.made_up {
                    // Once, to standard output only: never through the log.
                    let mut out = std::io::stdout().lock();
                    let _ = writeln!(
                        out,
                        "first owner {email} made; password (shown once): {}",
                        password.reveal()
                    );
                }
                let caller = Caller::system(made.tenant.id, "start", None);
                if let Ok(all) = flags::list(&app, &caller).await {
                    tracing::debug!(tenant = %made.tenant.key, flags = all.len(), "flags of the default tenant");
                }
                break;
            }
            Err(error) => {
                if !told {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the first start is not done yet"
                    );
                    told = true;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
    match app.store.journal_is_append_only().await {
        Ok(true) => tracing::info!(
            event = "journal.protected",
            "the journal is append-only for this service"
        ),
        Ok(false) => tracing::warn!(
            event = "journal.unprotected",
            "no role keeps this service from changing the journal"
        ),
        Err(error) => tracing::warn!(%error, "whether the journal is protected cannot be told"),
    }
    let anchor = anchor::place(&settings).map(|path| -> mizan_worker::housekeeping::Anchor {
        Arc::new(move |head| {
            if let Err(error) = anchor::write(&path, head) {
                tracing::error!(%error, "the anchor cannot be written");
            }
        })
    });
    let house = Housekeeping {
        anchor,
        ..Housekeeping::default()
    };
    let house = keep_house(Arc::clone(&app), house, stop.clone());
    let measure = measure_queue(Arc::clone(&app), stop.clone());
    tokio::join!(house, measure, jobs(app, &settings, stop));
}

/// With a queue this process only gives jobs to it; without one it runs them.
async fn jobs(app: Arc<App>, settings: &Settings, stop: CancellationToken) {
    let (Some(redis), ReconRunner::Queue) = (&settings.redis, settings.recon.runner) else {
        let name = wire::queue::worker_name("serve");
        let runner = Runner::new(Arc::clone(&app), WorkerSettings::named(name));
        tokio::join!(runner.run(stop.clone()), follow_schedules(app, stop));
        return;
    };
    let queue = wire::queue::open(redis, &settings.queue.name);
    match queue {
        Ok(queue) => Relay::new(app, queue, RelaySettings::default()).run(stop).await,
        // The same client was set up for readiness before; this is not reached while that holds.
        Err(error) => tracing::error!(%error, "jobs are not given to the queue"),
    }
}

/// Waits for SIGTERM or Ctrl-C, then asks everything to stop.
pub(super) async fn wait_for_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    stop.cancel();
    tracing::info!(event = "service.draining", "draining: ready says no from now on");
    Ok(())
}

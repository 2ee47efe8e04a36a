//! `mizan worker`: runs jobs from the queue; and `--check`, which says whether a worker on this machine lives.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use mizan_config::{LogFormat, ReconRunner, Redis, Settings};
use mizan_core::{Clock, SystemClock};
use mizan_flows::App;
use mizan_http::health::{Detail, Probe};
use mizan_worker::consumer::GONE_AFTER;
use mizan_worker::queue::Queue;
use mizan_worker::queue::redis::RedisQueue;
use mizan_worker::{Consumer, Relay, RelaySettings, WorkerSettings, follow_schedules, measure_queue};
use tokio_util::sync::CancellationToken;

use super::exit::{self, Exit};
use super::serve::wait_for_signal;
use crate::wire::probes::RedisProbe;
use crate::wire::{self, build, queue, server};

#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// How many jobs run at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// How long a job may go without a sign of life from its worker before another takes it over, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(3..=600))]
    lease: u64,
    /// How long running jobs may take to end after SIGTERM before they are handed back, in seconds.
    #[arg(long, default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=600))]
    grace: u64,
    /// Serves /metrics on this port, in place of METRICS_PORT.
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<u16>,
    /// Exits 0 if a worker on this machine has lately said that it lives, else 1; runs nothing.
    #[arg(long)]
    check: bool,
    /// Logs as JSON; with --check, prints one JSON object.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: WorkerArgs) -> anyhow::Result<Exit> {
    let mut loaded = wire::settings()?;
    if args.json && !args.check {
        loaded.settings.log.format = LogFormat::Json;
    }
    let settings = loaded.settings;
    let Some(redis) = settings.redis.clone() else {
        complain!(
            "config error: REDIS_URL is not set (required because a worker takes its jobs from Redis; without it mizan serve runs them)"
        );
        return Ok(exit::CONFIGURATION);
    };
    if settings.recon.runner == ReconRunner::Inline {
        complain!(
            "config error: RECON_RUNNER is inline (then mizan serve runs the jobs; a worker needs queue)"
        );
        return Ok(exit::CONFIGURATION);
    }
    let masker = wire::masker();
    let queue = queue::open(&redis, &settings.queue.name)?;
    if args.check {
        wire::logging::start_quiet(&settings.log, &masker);
        return Ok(check(&queue, args.json).await);
    }
    wire::logging::start(&settings.log, &masker);
    let worker = WorkerSettings {
        concurrency: usize::from(args.concurrency),
        lease: Duration::from_secs(args.lease),
        grace: Duration::from_secs(args.grace),
        fall_back: !settings.mode.strict,
        ..WorkerSettings::named(queue::worker_name("worker"))
    };
    for warning in &loaded.warnings {
        tracing::warn!(event = "config.warning", "{warning}");
    }
    let port = args.metrics_port.or(settings.listen.metrics_port);
    work(&settings, &redis, queue, worker, port).await?;
    Ok(exit::DONE)
}

async fn work(
    settings: &Settings,
    redis: &Redis,
    queue: Arc<RedisQueue>,
    worker: WorkerSettings,
    metrics_port: Option<u16>,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    log_boot(settings, redis, &worker);
    let store = wire::stores::open(settings)?;
    let app = wire::app(settings, Arc::clone(&store))?;
    if let Some(handle) = server::metrics()? {
        server::expose(handle, &settings.listen.host, metrics_port, &stop).await?;
    }
    let signal = tokio::spawn(wait_for_signal(stop.clone()));
    let (database, migrations) = server::database_probes(settings, &store);
    let redis = RedisProbe::new(redis)?;
    until(&*database, "db", "db connected", "db connection failed", &stop).await;
    until(&redis, "redis.ping", "redis ping ok", "redis ping failed", &stop).await;
    until(
        &*migrations,
        "migrations",
        "migrations at head",
        "migrations are not at head",
        &stop,
    )
    .await;
    tracing::info!(
        event = "worker.queue",
        queue = queue.name(),
        concurrency = worker.concurrency,
        worker = worker.worker,
        lease_s = worker.lease.as_secs(),
        "taking jobs from queue {} with concurrency {}",
        queue.name(),
        worker.concurrency
    );
    // The relay outlives the consumer, so that what is handed back finds another worker at once.
    let relaying = CancellationToken::new();
    let relay = Relay::new(
        Arc::clone(&app),
        Arc::<RedisQueue>::clone(&queue),
        RelaySettings::default(),
    );
    let relayed = tokio::spawn(relay.run(relaying.clone()));
    let measured = tokio::spawn(measure_queue(Arc::clone(&app), stop.clone()));
    let scheduled = tokio::spawn(follow_schedules(Arc::clone(&app), stop.clone()));
    consume(&app, &queue, worker, &stop).await;
    relaying.cancel();
    relayed.await?;
    measured.await?;
    scheduled.await?;
    signal.await??;
    tracing::info!(event = "worker.stopped", "stopped");
    Ok(())
}

async fn consume(app: &Arc<App>, queue: &Arc<RedisQueue>, worker: WorkerSettings, stop: &CancellationToken) {
    let shared: Arc<dyn Queue> = Arc::<RedisQueue>::clone(queue);
    let consumer = Consumer::new(Arc::clone(app), Arc::clone(&shared), worker);
    consumer.run(&queue::host(), build::VERSION, stop.clone()).await;
    let last = Relay::new(Arc::clone(app), shared, RelaySettings::default());
    if let Err(error) = last.pass(true).await {
        tracing::debug!(%error, "what was handed back waits for another relay");
    }
}

fn log_boot(settings: &Settings, redis: &Redis, worker: &WorkerSettings) {
    tracing::info!(
        event = "worker.boot",
        service = "mizan-worker",
        version = build::VERSION,
        git_sha = build::GIT_SHA,
        environment = settings.mode.env.as_str(),
        strict = settings.mode.strict,
        worker = worker.worker,
        "mizan worker {} starting",
        build::VERSION
    );
    tracing::info!(
        event = "worker.targets",
        database = settings.database.masked(),
        redis = redis.masked(),
        "database {}, redis {}",
        settings.database.masked(),
        redis.masked()
    );
}

/// Waits until a probe is content, and says so; the first time it is not, says that too.
async fn until(probe: &dyn Probe, event: &str, well: &str, ill: &str, stop: &CancellationToken) {
    // A newer schema is one that this worker can work with: migrations add before they take away.
    let content = [Detail::Connected, Detail::Head, Detail::Ahead];
    let mut told = false;
    while !stop.is_cancelled() {
        let (found, target) = (probe.check().await.detail, probe.target());
        if content.contains(&found) {
            tracing::info!(event, target_masked = target, "{well} ({target})");
            return;
        }
        if !told {
            tracing::error!(
                event,
                target_masked = target,
                error_kind = found.as_str(),
                "{ill} ({target})"
            );
            told = true;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
}

/// Whether a worker of this machine has lately left a sign of life.
async fn check(queue: &RedisQueue, json: bool) -> Exit {
    let (host, now) = (queue::host(), SystemClock.now());
    let (alive, error) = match queue.beats().await {
        Ok(beats) => {
            let fresh = |at| (now - at) <= chrono::TimeDelta::from_std(GONE_AFTER).unwrap_or_default();
            let here = beats.into_iter().filter(|it| it.host == host && fresh(it.at));
            (here.collect::<Vec<_>>(), None)
        }
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    if json {
        let workers = serde_json::to_value(&alive).unwrap_or_default();
        say!(
            "{}",
            serde_json::json!({ "ok": !alive.is_empty(), "host": host, "workers": workers, "error": error })
        );
    } else if let Some(error) = error {
        say!("no worker can be asked for: {error}");
    } else if alive.is_empty() {
        say!(
            "no worker on {host} has said in the last {} s that it lives",
            GONE_AFTER.as_secs()
        );
    } else {
        for it in &alive {
            say!(
                "{} lives and runs {} of {} jobs",
                it.worker,
                it.running,
                it.concurrency
            );
        }
    }
    if alive.is_empty() { exit::NO } else { exit::DONE }
}

//! `mizan demo`: the main job in one go, with nothing installed.
//!
//! A simulated provider sends signed webhooks and plants faults; players deposit and withdraw; a
//! reconciliation run compares the provider's statement with the ledger; what it found is printed beside what
//! was planted; the ledger is verified.

mod money;
mod report;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use mizan_config::Settings;
use mizan_core::{Clock, SystemClock, TimeWindow};
use mizan_flows::recon_runs::{Executor, NewRun};
use mizan_flows::{App, Caller, bootstrap, ledger_verify, recon_execute, recon_runs, seal};
use mizan_providers::mockpsp::simulator::{Config, Fault, Handle, Plan, Simulator};
use mizan_store::tenants::Tenant;
use mizan_worker::{Runner, WorkerSettings};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::exit::{self, Exit};
use crate::wire::{self, anchor, server};

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Exits when everything is shown, instead of serving it. So does a run without a terminal.
    #[arg(long)]
    once: bool,
    /// Prints one JSON object as the last line, with `planted` and `found`: type to count.
    #[arg(long)]
    json: bool,
    /// Where the database goes; what an earlier demo left there is replaced.
    #[arg(long, default_value = ".demo")]
    dir: PathBuf,
    /// The same seed plants the same faults.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    players: u32,
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(30..=100_000))]
    deposits: u32,
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(8..=10_000))]
    withdrawals: u32,
    /// Where to serve.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

/// What happened, in numbers.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub deposits: u64,
    pub withdrawals: BTreeMap<String, u64>,
    pub webhooks_delivered: usize,
    pub planted_harmless: BTreeMap<String, u64>,
    pub planted: BTreeMap<String, u64>,
    pub found: BTreeMap<String, u64>,
    pub matched: u64,
    pub ledger_holds: bool,
    pub journal_rows: u64,
}

/// A provider that does not answer is given up after this long; production waits longer.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(1);

pub async fn run(args: DemoArgs) -> anyhow::Result<Exit> {
    let mut settings = prepare(&args.dir)?;
    wire::logging::start_quiet(&settings.log, &wire::masker());
    let steps = report::Steps::new(args.json);
    steps.say("Opening a fresh SQLite database and migrating it");
    super::migrate::upgrade_to_head(&settings.database, &mut |step| tracing::info!("{step}")).await?;
    let store = wire::stores::open(&settings)?;
    let listener = TcpListener::bind(&args.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", args.listen))?;
    let address = listener.local_addr()?;
    let simulator = simulate(&settings, args.seed, address).await?;
    settings.mockpsp_url = Some(simulator.base_url());
    let app = wire::app_with_timeout(&settings, store, Some(PROVIDER_TIMEOUT))?;
    let made = bootstrap::run(&app, &wire::first_owner(&settings)).await?;
    let stop = CancellationToken::new();
    let serving = server::serve(Arc::clone(&app), settings.clone(), listener, stop.clone());
    let serving = tokio::spawn(serving);
    let runner = Runner::new(Arc::clone(&app), WorkerSettings::named("demo".into()));
    let working = tokio::spawn(runner.run(stop.clone()));

    let story = tell(&args, &app, &made.tenant, &simulator, &steps, &settings).await?;
    steps.finish();
    let same = story.planted == story.found && story.ledger_holds;
    let look = report::Look {
        address,
        dir: &args.dir,
        made_up: made.made_up.as_ref(),
    };
    report::print(&story, &look, args.json)?;
    if !args.once && std::io::stdout().is_terminal() {
        say!("Serving until Ctrl-C.");
        tokio::signal::ctrl_c()
            .await
            .context("Ctrl-C cannot be waited for")?;
    }
    stop.cancel();
    working.await.context("the runner ended early")?;
    serving.await.context("the server ended early")??;
    simulator.shutdown().await.context("the simulator ended early")?;
    Ok(if same { exit::DONE } else { exit::NO })
}

/// Clears the folder of an earlier demo and makes settings that do not depend on the environment.
fn prepare(dir: &Path) -> anyhow::Result<Settings> {
    std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let dir = dir
        .canonicalize()
        .with_context(|| format!("{} cannot be found", dir.display()))?;
    for name in ["mizan.db", "mizan.db-wal", "mizan.db-shm", "mizan.db.anchor"] {
        match std::fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{name} of an earlier demo cannot be removed"));
            }
            _ => {}
        }
    }
    let url = format!("sqlite://{}", dir.join("mizan.db").display());
    let vars = [("ENV", "dev"), ("DATABASE_URL", &url), ("LOG_FORMAT", "pretty")];
    let loaded = Settings::from_env(vars.map(|(name, value)| (name.to_owned(), value.to_owned())))?;
    Ok(loaded.settings)
}

async fn simulate(settings: &Settings, seed: u64, app: std::net::SocketAddr) -> anyhow::Result<Handle> {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("the simulator cannot listen")?;
    let secret = settings
        .webhooks
        .secrets("mockpsp")
        .first()
        .cloned()
        .context("mockpsp has no secret")?;
    let mut config = Config::new(seed, Arc::new(SystemClock), secret);
    config.webhook_url = Some(format!("http://{app}/api/v1/payments/webhook/mockpsp"));
    config.plans = vec![
        Plan::next(Fault::WebhookDrop, 4).only_on(&["deposit_captured"]),
        Plan::next(Fault::WebhookDuplicate, 12),
        Plan::next(Fault::WebhookReorder, 6),
        Plan::next(Fault::StatementAlter, 5).only_on(&["deposit_captured"]),
        Plan::next(Fault::StatementDrop, 3).only_on(&["deposit_captured"]),
        Plan::next(Fault::StatementDuplicate, 2).only_on(&["deposit_captured"]),
        Plan::next(Fault::StatementCurrency, 1).only_on(&["deposit_captured"]),
        Plan::next(Fault::StatementStatus, 2).only_on(&["deposit_captured"]),
        Plan::next(Fault::StatementError, 1),
        Plan::next(Fault::PayoutTimeout, 1),
        Plan::next(Fault::PayoutErrorAfter, 2),
        Plan::next(Fault::PayoutErrorBefore, 1),
        Plan::next(Fault::PayoutFailure, 2),
    ];
    Simulator::start(config, listener).context("the simulator cannot be started")
}

async fn tell(
    args: &DemoArgs,
    app: &Arc<App>,
    tenant: &Tenant,
    simulator: &Handle,
    steps: &report::Steps,
    settings: &Settings,
) -> anyhow::Result<Story> {
    let started = SystemClock.now();
    let mut story = Story::default();
    let money = money::Money::new(app, tenant, simulator.base_url(), args.seed)?;

    steps.start("Players register and deposit", u64::from(args.deposits));
    let players = money.register(args.players).await?;
    story.deposits = money.deposit(&players, args.deposits, || steps.tick()).await?;
    simulator.quiesce().await;
    money.settle().await?;

    steps.start(
        "Players withdraw, finance approves, the provider pays",
        u64::from(args.withdrawals),
    );
    money
        .withdraw(&players, args.withdrawals, || steps.tick())
        .await?;
    money.settle().await?;
    let delivered = simulator.quiesce().await;
    money.settle().await?;
    story.webhooks_delivered = delivered.delivered;
    story.withdrawals = money.withdrawal_states().await?;

    steps.say("Comparing the provider's statement with the ledger");
    let ended = SystemClock.now();
    let second = chrono::TimeDelta::seconds(1);
    let window = TimeWindow::new(started - second, ended + second)?;
    let caller = Caller::system(tenant.id, "demo", None);
    let provider = "mockpsp".parse()?;
    let new = NewRun {
        provider,
        window,
        dry_run: false,
        idempotency_key: None,
        statement: None,
        bank_statement: None,
    };
    let queued = recon_runs::create(app, &caller, &new, Executor::Caller).await?;
    let run = recon_execute::run_now(app, &caller, queued.id).await?;
    let run = money.wait_for_run(run).await?;
    let stats: serde_json::Value = serde_json::from_str(run.stats_json.as_deref().unwrap_or("null"))?;
    story.matched = stats["summary"]["matched"].as_u64().unwrap_or_default();
    story.found = serde_json::from_value(stats["summary"]["findings"].clone())
        .with_context(|| format!("the run ended as {} {:?}", run.status, run.error_json))?;
    count_planted(&mut story, simulator)?;
    steps.say("Sealing the journal and verifying the ledger");
    verify(&mut story, app, settings).await?;
    Ok(story)
}

/// Counts what was planted: by the finding it must lead to, or by name where it must have no effect.
fn count_planted(story: &mut Story, simulator: &Handle) -> anyhow::Result<()> {
    for planted in simulator.planted() {
        let fault = serde_json::to_value(planted.fault)?
            .as_str()
            .unwrap_or_default()
            .to_owned();
        match planted.expected_finding {
            Some(finding) => *story.planted.entry(finding.to_owned()).or_default() += 1,
            None => *story.planted_harmless.entry(fault).or_default() += 1,
        }
    }
    Ok(())
}

async fn verify(story: &mut Story, app: &App, settings: &Settings) -> anyhow::Result<()> {
    let head = seal::seal_all(&*app.store, &*app.clock).await?;
    if let (Some(head), Some(path)) = (head, anchor::place(settings)) {
        anchor::write(&path, &head)?;
    }
    let verified =
        ledger_verify::verify(&*app.store, head, 0, ledger_verify::Shelf::default(), |_| {}).await?;
    story.ledger_holds = verified.holds;
    story.journal_rows = verified.journal_rows;
    Ok(())
}

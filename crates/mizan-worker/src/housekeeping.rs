//! What is done now and then: sealing the journal, making its partitions ahead, forgetting old keys and jobs,
//! measuring what waits.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use mizan_flows::{App, recon_schedules, seal};
use mizan_ledger::chain::Head;
use mizan_store::StoreError;
use mizan_store::outbox::QueueDepth;
use tokio_util::sync::CancellationToken;

/// Told of every new end of the chain, to keep it outside the database.
pub type Anchor = Arc<dyn Fn(&Head) + Send + Sync>;

/// How often what is done.
#[derive(Clone)]
pub struct Housekeeping {
    pub seal_every: Duration,
    pub sweep_every: Duration,
    /// How long idempotency keys are kept; at least seven days.
    pub keep_keys: TimeDelta,
    /// How long jobs that are done are kept.
    pub keep_jobs: TimeDelta,
    pub anchor: Option<Anchor>,
}

impl Default for Housekeeping {
    fn default() -> Self {
        Self {
            seal_every: Duration::from_secs(10),
            sweep_every: Duration::from_mins(1),
            keep_keys: TimeDelta::days(30),
            keep_jobs: TimeDelta::days(7),
            anchor: None,
        }
    }
}

/// How many partitions of the journal there are beyond the last row.
const AHEAD: u32 = 2;
/// How many rows one sweep deletes at a time.
const SWEEP: u32 = 1_000;

/// Keeps house until it is told to stop. A failure is logged, and the next round tries again.
pub async fn keep_house(app: Arc<App>, settings: Housekeeping, stop: CancellationToken) {
    let mut seal = tokio::time::interval(settings.seal_every);
    let mut sweep = tokio::time::interval(settings.sweep_every);
    seal.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            () = stop.cancelled() => return,
            _ = seal.tick() => seal_journal(&app, &settings).await,
            _ = sweep.tick() => sweep_up(&app, &settings).await,
        };
        if let Err(error) = done {
            metrics::counter!("mizan_housekeeping_failed_total").increment(1);
            tracing::warn!(error = &error as &dyn std::error::Error, "housekeeping failed");
        }
    }
}

async fn seal_journal(app: &App, settings: &Housekeeping) -> mizan_flows::Result<()> {
    if let Some(head) = seal::seal_all(&*app.store, &*app.clock).await? {
        let hash = head
            .hash
            .iter()
            .fold(String::new(), |text, it| text + &format!("{it:02x}"));
        // In the log, which leaves the machine, this line is an anchor too.
        tracing::info!(
            event = "ledger.sealed",
            block = head.block,
            seq = head.seq,
            hash,
            "journal sealed"
        );
        if let Some(anchor) = &settings.anchor {
            anchor(&head);
        }
    }
    Ok(())
}

async fn sweep_up(app: &App, settings: &Housekeeping) -> mizan_flows::Result<()> {
    let now = app.now();
    let mut platform = app.store.platform().await?;
    let made = platform.make_partitions(AHEAD).await?;
    if made > 0 {
        tracing::info!(
            event = "journal.partitions_made",
            made,
            "partitions of the journal made ahead"
        );
    }
    let keys = platform
        .delete_idempotency_keys(now - settings.keep_keys, SWEEP)
        .await?;
    let jobs = platform.delete_done_jobs(now - settings.keep_jobs, SWEEP).await?;
    platform.commit().await?;
    if keys + jobs > 0 {
        tracing::debug!(keys, jobs, "swept up");
    }
    Ok(())
}

/// How often the queue is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Shows how much work waits, until it is told to stop.
pub async fn measure_queue(app: Arc<App>, stop: CancellationToken) {
    let mut every = tokio::time::interval(MEASURE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        match depth(&app).await {
            #[expect(clippy::cast_precision_loss, reason = "gauges of counts, shown to people")]
            Ok(depth) => {
                metrics::gauge!("mizan_jobs_ready").set(depth.ready as f64);
                metrics::gauge!("mizan_jobs_running").set(depth.running as f64);
                metrics::gauge!("mizan_jobs_dead").set(depth.dead as f64);
                metrics::gauge!("mizan_jobs_oldest_ready_seconds").set(depth.oldest_ready_s as f64);
            }
            Err(error) => tracing::debug!(%error, "the queue could not be measured"),
        }
    }
}

async fn depth(app: &App) -> Result<QueueDepth, StoreError> {
    let mut platform = app.store.platform().await?;
    let depth = platform.queue_depth(app.now()).await?;
    platform.rollback().await?;
    Ok(depth)
}

/// How often schedules are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Makes the runs of schedules when they are due, until it is told to stop. Any number of processes may do this.
pub async fn follow_schedules(app: Arc<App>, stop: CancellationToken) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut well = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        match recon_schedules::make_due(&app).await {
            Ok(_) => well = true,
            Err(error) if well => {
                well = false;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "schedules cannot be followed"
                );
            }
            Err(_) => {}
        }
    }
}

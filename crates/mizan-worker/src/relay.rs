//! The relay: gives the ids of due jobs to the queue, and gives them again when a message must be lost.
//!
//! It marks rows first and pushes then, so any number of relays share the work. What is marked and could not be
//! pushed is unmarked; if that fails too, or the queue forgets, the sweep finds the row again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use mizan_core::Timestamp;
use mizan_flows::App;
use mizan_store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::queue::{Queue, QueueError};

/// How a relay works.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// How long to sleep when nobody rings: the delay of jobs that another process without a relay has made.
    pub poll: Duration,
    /// How often lost messages are looked for.
    pub sweep_every: Duration,
    /// How long a message may be under way before it can count as lost.
    pub grace: TimeDelta,
    /// How many rows are marked at a time.
    pub batch: u32,
    /// How many messages the queue may hold; the rest waits in the database.
    pub most: u64,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            sweep_every: Duration::from_secs(2),
            grace: TimeDelta::seconds(5),
            batch: 1_000,
            most: 10_000,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub struct Relay {
    app: Arc<App>,
    queue: Arc<dyn Queue>,
    settings: RelaySettings,
    /// How many more messages the queue may hold, as of the last look at it.
    room: AtomicU64,
}

impl Relay {
    pub fn new(app: Arc<App>, queue: Arc<dyn Queue>, settings: RelaySettings) -> Self {
        let room = AtomicU64::new(settings.most);
        Self {
            app,
            queue,
            settings,
            room,
        }
    }

    /// Runs until `stop`. A failure is logged when it begins and when it ends.
    pub async fn run(self, stop: CancellationToken) {
        let mut sweep = tokio::time::interval(self.settings.sweep_every);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut well = true;
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                _ = sweep.tick() => self.sweep().await,
                () = self.app.job_bell.notified() => self.pass(well).await,
                () = tokio::time::sleep(self.settings.poll) => self.pass(well).await,
            };
            match done {
                Ok(_) if !well => {
                    tracing::info!(
                        event = "queue.back",
                        queue = self.queue.name(),
                        "jobs reach the queue again"
                    );
                    well = true;
                    // What was made meanwhile is not rung for.
                    self.app.job_bell.notify_one();
                }
                Ok(_) => {}
                Err(error) => {
                    metrics::counter!("mizan_queue_relay_failed_total").increment(1);
                    if well {
                        tracing::error!(
                            event = "queue.away",
                            queue = self.queue.name(),
                            error = &error as &dyn std::error::Error,
                            "jobs do not reach the queue; they wait in the database"
                        );
                        well = false;
                    }
                }
            }
        }
    }

    /// Gives everything that is due and new to the queue. Returns how many jobs that were.
    pub async fn pass(&self, well: bool) -> Result<u64, RelayError> {
        if !well {
            // Marking and unmarking rows for a queue that is away would only wear the database.
            self.queue.ping().await?;
        }
        let mut relayed = 0;
        loop {
            let room = self.room.load(Ordering::Relaxed);
            if room == 0 {
                return Ok(relayed); // the sweep looks how much there is again
            }
            let limit = self.settings.batch.min(u32::try_from(room).unwrap_or(u32::MAX));
            let now = self.app.now();
            let mut platform = self.app.store.platform().await?;
            let jobs = platform.relay_jobs(now, limit).await?;
            if jobs.is_empty() {
                platform.rollback().await?;
                return Ok(relayed);
            }
            platform.commit().await?;
            let ids: Vec<i64> = jobs.iter().map(|it| it.0).collect();
            self.push(&ids, now).await?;
            let count = ids.len() as u64;
            self.room.fetch_sub(count.min(room), Ordering::Relaxed);
            for (_, due) in &jobs {
                let lag = (now - *due).to_std().unwrap_or_default();
                metrics::histogram!("mizan_queue_relay_lag_seconds").record(lag);
            }
            metrics::counter!("mizan_queue_relayed_total").increment(count);
            relayed += count;
            if count < u64::from(limit) {
                return Ok(relayed);
            }
        }
    }

    /// Gives jobs again whose message must be lost: the queue was flushed or restarted, or a worker died.
    pub async fn sweep(&self) -> Result<u64, RelayError> {
        let backlog = self.queue.backlog().await?;
        let room = self.settings.most.saturating_sub(backlog.messages);
        if self.room.swap(room, Ordering::Relaxed) == 0 && room > 0 {
            self.app.job_bell.notify_one();
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge of a count, shown to people")]
        metrics::gauge!("mizan_queue_messages").set(backlog.messages as f64);
        let now = self.app.now();
        let latest = now - self.settings.grace;
        let before = backlog
            .oldest
            .map_or(latest, |it| latest.min(it - self.settings.grace));
        let mut platform = self.app.store.platform().await?;
        let lost = platform.relay_lost_jobs(now, before, self.settings.batch).await?;
        if lost.is_empty() {
            platform.rollback().await?;
            return Ok(0);
        }
        platform.commit().await?;
        self.push(&lost, now).await?;
        metrics::counter!("mizan_queue_redelivered_total", "why" => "lost").increment(lost.len() as u64);
        tracing::warn!(
            event = "queue.redelivered",
            jobs = lost.len(),
            "jobs are given to the queue again"
        );
        Ok(lost.len() as u64)
    }

    async fn push(&self, ids: &[i64], at: Timestamp) -> Result<(), RelayError> {
        let Err(error) = self.queue.push(ids, at).await else {
            return Ok(());
        };
        let mut platform = self.app.store.platform().await?;
        platform.unrelay_jobs(ids).await?;
        platform.commit().await?;
        Err(error.into())
    }
}

//! The worker of an installation with a queue: takes ids from it, and claims their rows.
//!
//! The message is settled as soon as its row is claimed: from then on the lease of the row says who has the job,
//! and the relay brings it back when the lease runs out.

use std::sync::Arc;
use std::time::Duration;

use mizan_flows::App;
use mizan_store::StoreError;
use mizan_store::outbox::ClaimedJob;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::crew::Crew;
use crate::queue::{Beat, Message, Queue, QueueError};
use crate::runner::{claim_due, join_company};
use crate::settings::WorkerSettings;

/// How long one wait for messages lasts; a stop is noticed after it.
const WAIT: Duration = Duration::from_secs(1);
/// How often messages of workers that died on the way are taken over, and how old they are then.
const RECLAIM_EVERY: Duration = Duration::from_secs(5);
/// How long the queue may be away before jobs are claimed from the database, where that is allowed.
const FALL_BACK_AFTER: Duration = Duration::from_secs(10);
/// How often a worker says that it lives, and after how long it counts as gone.
const BEAT_EVERY: Duration = Duration::from_secs(5);
pub const GONE_AFTER: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes jobs from a queue until it is told to stop.
pub struct Consumer {
    app: Arc<App>,
    queue: Arc<dyn Queue>,
    settings: Arc<WorkerSettings>,
    crew: Crew,
}

/// Since when something does not work, and whether that was said.
#[derive(Default)]
struct Weather {
    away_since: Option<Instant>,
    fallen_back: bool,
}

impl Consumer {
    pub fn new(app: Arc<App>, queue: Arc<dyn Queue>, settings: WorkerSettings) -> Self {
        let settings = Arc::new(settings);
        Self {
            crew: Crew::new(Arc::clone(&app), Arc::clone(&settings)),
            app,
            queue,
            settings,
        }
    }

    /// Runs until `stop`; then takes nothing more, lets what runs end within the grace, and hands back the rest.
    pub async fn run(self, host: &str, version: &str, stop: CancellationToken) {
        let over = CancellationToken::new();
        let working = async {
            self.work(&stop).await;
            self.crew.disband().await;
            over.cancel();
        };
        tokio::join!(working, self.live(host, version, &over));
        if let Err(error) = self.queue.leave(&self.settings.worker).await {
            tracing::debug!(%error, "the queue could not be told that this worker stops");
        }
    }

    async fn work(&self, stop: &CancellationToken) {
        let mut weather = Weather::default();
        let mut reclaimed = Instant::now();
        while let Some(mut free) = self.crew.free(stop).await {
            let due = reclaimed.elapsed() >= RECLAIM_EVERY;
            let next = if due {
                reclaimed = Instant::now();
                self.reclaimed(free.count()).await
            } else {
                self.next(free.count(), stop).await
            };
            match next {
                Ok(jobs) => {
                    self.note_well(&mut weather);
                    self.crew.start(jobs, &mut free);
                }
                Err(trouble) => {
                    self.note(&mut weather, &trouble);
                    if weather.fallen_back && matches!(trouble, Trouble::Queue(_)) {
                        match claim_due(&self.app, &self.settings, free.count()).await {
                            Ok(jobs) => self.crew.start(jobs, &mut free),
                            Err(error) => tracing::warn!(%error, "jobs cannot be claimed"),
                        }
                    }
                    drop(free);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(self.settings.poll) => {}
                    }
                }
            }
        }
    }

    /// The jobs of the next messages. What arrives while this worker is stopping goes back to the others.
    async fn next(&self, limit: usize, stop: &CancellationToken) -> Result<Vec<ClaimedJob>, Trouble> {
        let messages = self.queue.take(&self.settings.worker, limit, WAIT).await?;
        if stop.is_cancelled() && !messages.is_empty() {
            let ids: Vec<i64> = messages.iter().map(|it| it.job).collect();
            self.queue.push(&ids, self.app.now()).await?;
            self.queue.settle(&messages).await?;
            return Ok(Vec::new());
        }
        self.claim(&messages).await
    }

    async fn reclaimed(&self, limit: usize) -> Result<Vec<ClaimedJob>, Trouble> {
        let messages = self
            .queue
            .reclaim(&self.settings.worker, RECLAIM_EVERY, limit)
            .await?;
        if !messages.is_empty() {
            let count = messages.len() as u64;
            metrics::counter!("mizan_queue_redelivered_total", "why" => "reclaimed").increment(count);
            tracing::warn!(
                event = "queue.reclaimed",
                messages = count,
                "messages of another worker are taken over"
            );
        }
        self.claim(&messages).await
    }

    /// Claims the rows in one statement. What cannot be claimed is done, held by another, or not due again yet.
    async fn claim(&self, messages: &[Message]) -> Result<Vec<ClaimedJob>, Trouble> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = messages.iter().map(|it| it.job).collect();
        let now = self.app.now();
        let until = now + self.settings.lease_delta();
        let mut platform = self.app.store.platform().await?;
        let mut jobs = platform
            .claim_listed_jobs(&self.settings.worker, &ids, now, until)
            .await?;
        let idle = messages.len().saturating_sub(jobs.len()) as u64;
        // The messages of those that come along find nothing to claim later.
        join_company(&mut *platform, &self.settings, now, &mut jobs).await?;
        platform.commit().await?;
        metrics::counter!("mizan_queue_idle_messages_total").increment(idle);
        // A message that cannot be settled is reclaimed and finds nothing to claim.
        if let Err(error) = self.queue.settle(messages).await {
            tracing::debug!(%error, "messages could not be settled");
        }
        Ok(jobs)
    }

    fn note(&self, weather: &mut Weather, trouble: &Trouble) {
        let Some(since) = weather.away_since else {
            weather.away_since = Some(Instant::now());
            tracing::error!(
                event = "queue.away",
                queue = self.queue.name(),
                error = trouble as &dyn std::error::Error,
                "no jobs can be taken; this worker keeps trying"
            );
            return;
        };
        let long = since.elapsed() >= FALL_BACK_AFTER;
        if long && self.settings.fall_back && !weather.fallen_back && matches!(trouble, Trouble::Queue(_)) {
            weather.fallen_back = true;
            tracing::warn!(
                event = "queue.fallback",
                queue = self.queue.name(),
                "the queue is away: jobs are claimed from the database until it is back (not in strict mode)"
            );
        }
    }

    fn note_well(&self, weather: &mut Weather) {
        if weather.away_since.take().is_some() {
            weather.fallen_back = false;
            tracing::info!(
                event = "queue.back",
                queue = self.queue.name(),
                "jobs can be taken again"
            );
        }
    }

    /// Leaves signs of life in the queue until `over`.
    async fn live(&self, host: &str, version: &str, over: &CancellationToken) {
        let mut every = tokio::time::interval(BEAT_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                _ = every.tick() => {}
            }
            let beat = Beat {
                worker: self.settings.worker.clone(),
                host: host.to_owned(),
                version: version.to_owned(),
                at: self.app.now(),
                running: self.crew.running(),
                concurrency: self.settings.concurrency,
            };
            #[expect(clippy::cast_precision_loss, reason = "a gauge of a count, shown to people")]
            metrics::gauge!("mizan_worker_running_jobs").set(beat.running as f64);
            if let Err(error) = self.queue.beat(&beat, GONE_AFTER).await {
                tracing::debug!(%error, "no sign of life could be left");
            }
        }
    }
}

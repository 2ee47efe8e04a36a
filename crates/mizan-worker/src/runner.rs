//! The runner: claims what is due, runs it, renews the lease while it runs, and ends the try.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use mizan_core::Job;
use mizan_flows::jobs::{self, JobOutcome, Try};
use mizan_flows::retry::is_passing;
use mizan_flows::{App, FlowError, webhook_apply};
use mizan_store::StoreError;
use mizan_store::outbox::{ClaimedJob, JobEnd};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::retry;

/// The most events that are claimed together on top of what there is room for.
const BATCH: u32 = 256;

/// How a runner works.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// The name in leases and logs; unique among the workers of an installation.
    pub worker: String,
    /// How many jobs run at a time.
    pub concurrency: usize,
    /// How long a job is held without a sign of life.
    pub lease: Duration,
    /// How long to sleep when nothing is due and nobody rings.
    pub poll: Duration,
    /// After so many failed tries a job is given up. Failures that time heals are not counted against it,
    /// except by runs, which end as failed.
    pub max_attempts: i32,
    /// How long running jobs may take to end after a stop was asked for; then they are handed back.
    pub grace: Duration,
}

impl RunnerSettings {
    pub fn named(worker: String) -> Self {
        Self {
            worker,
            concurrency: 8,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            max_attempts: 8,
            grace: Duration::from_secs(20),
        }
    }

    fn lease_delta(&self) -> TimeDelta {
        TimeDelta::from_std(self.lease).unwrap_or(TimeDelta::seconds(30))
    }
}

/// Runs jobs until it is told to stop.
pub struct Runner {
    app: Arc<App>,
    settings: Arc<RunnerSettings>,
}

impl Runner {
    pub fn new(app: Arc<App>, settings: RunnerSettings) -> Self {
        Self {
            app,
            settings: Arc::new(settings),
        }
    }

    /// Runs until `stop`; then claims nothing more, and waits for what is running.
    pub async fn run(self, stop: CancellationToken) {
        let mut running: JoinSet<Vec<ClaimedJob>> = JoinSet::new();
        let mut left = VecDeque::new();
        let mut reachable = true;
        while !stop.is_cancelled() {
            self.start_one_by_one(&mut running, &mut left);
            let free = self.settings.concurrency.saturating_sub(running.len());
            let claimed = if free == 0 || !left.is_empty() {
                Ok(Vec::new())
            } else {
                self.claim(free).await
            };
            let found = match claimed {
                Ok(jobs) => {
                    if !reachable {
                        tracing::info!("jobs can be claimed again");
                        reachable = true;
                    }
                    let found = jobs.len();
                    self.start(&mut running, jobs);
                    found
                }
                Err(error) => {
                    if reachable {
                        tracing::error!(error = &error as &dyn std::error::Error, "jobs cannot be claimed");
                        reachable = false;
                    }
                    0
                }
            };
            if found >= free && found > 0 {
                continue; // there may be more
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = running.join_next() => left.extend(ended.unwrap_or_default()),
                () = self.app.job_bell.notified(), if running.len() < self.settings.concurrency => {}
                () = tokio::time::sleep(self.settings.poll) => {}
            }
            while let Some(ended) = running.try_join_next() {
                left.extend(ended.unwrap_or_default());
            }
        }
        let wait = async {
            loop {
                self.start_one_by_one(&mut running, &mut left);
                match running.join_next().await {
                    Some(ended) => left.extend(ended.unwrap_or_default()),
                    None => break,
                }
            }
        };
        if tokio::time::timeout(self.settings.grace, wait).await.is_err() {
            tracing::warn!(
                jobs = running.len(),
                "stopped before every job ended; their leases will run out"
            );
        }
    }

    /// Runs what is due until nothing is, and returns how many tries that took. For the command line and for
    /// tests, which want to know when everything is done.
    pub async fn run_until_idle(&self) -> Result<usize, FlowError> {
        let mut tries = 0;
        loop {
            let jobs = self.claim(self.settings.concurrency).await?;
            if jobs.is_empty() {
                return Ok(tries);
            }
            tries += jobs.len();
            let mut running = JoinSet::new();
            self.start(&mut running, jobs);
            while let Some(ended) = running.join_next().await {
                for job in ended.unwrap_or_default() {
                    running.spawn(hold(Arc::clone(&self.app), Arc::clone(&self.settings), job));
                }
            }
        }
    }

    /// Starts what was claimed: the events of one provider's tenant together, anything else by itself.
    fn start(&self, running: &mut JoinSet<Vec<ClaimedJob>>, jobs: Vec<ClaimedJob>) {
        let (events, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_event);
        let mut by_tenant: HashMap<_, Vec<_>> = HashMap::new();
        for job in events {
            by_tenant.entry(job.tenant).or_default().push(job);
        }
        let (mut alone, mut batches) = (others, Vec::new());
        for batch in by_tenant.into_values() {
            if batch.len() > 1 {
                batches.push(batch);
            } else {
                alone.extend(batch);
            }
        }
        for batch in batches {
            running.spawn(together(Arc::clone(&self.app), batch));
        }
        for job in alone {
            running.spawn(hold(Arc::clone(&self.app), Arc::clone(&self.settings), job));
        }
    }

    /// Starts those of a batch that are to be done one by one, as many as there is room for.
    fn start_one_by_one(&self, running: &mut JoinSet<Vec<ClaimedJob>>, left: &mut VecDeque<ClaimedJob>) {
        while running.len() < self.settings.concurrency
            && let Some(job) = left.pop_front()
        {
            running.spawn(hold(Arc::clone(&self.app), Arc::clone(&self.settings), job));
        }
    }

    async fn claim(&self, free: usize) -> Result<Vec<ClaimedJob>, StoreError> {
        let now = self.app.now();
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        let mut platform = self.app.store.platform().await?;
        let until = now + self.settings.lease_delta();
        let mut jobs = platform
            .claim_jobs(&self.settings.worker, now, until, limit)
            .await?;
        if let Some(kind) = jobs.iter().find(|it| is_event(it)).map(|it| it.job.kind()) {
            // An event does not come alone.
            jobs.extend(
                platform
                    .claim_jobs_of(kind, &self.settings.worker, now, until, BATCH)
                    .await?,
            );
        }
        if jobs.is_empty() {
            platform.rollback().await?;
        } else {
            platform.commit().await?;
        }
        Ok(jobs)
    }
}

fn is_event(job: &ClaimedJob) -> bool {
    matches!(job.job, Job::ApplyWebhook { .. })
}

/// Applies events together; answers those that are to be applied one by one.
async fn together(app: Arc<App>, jobs: Vec<ClaimedJob>) -> Vec<ClaimedJob> {
    let batch = webhook_apply::together::apply(&app, jobs).await;
    if batch.fenced > 0 {
        metrics::counter!("mizan_jobs_fenced_total", "kind" => "apply_webhook")
            .increment(batch.fenced as u64);
        tracing::warn!(jobs = batch.fenced, "jobs were taken over before they were ended");
    }
    batch.left
}

/// Runs one try, renewing its lease, and ends it. Without a lease the work is dropped: another holds it now.
async fn hold(app: Arc<App>, settings: Arc<RunnerSettings>, job: ClaimedJob) -> Vec<ClaimedJob> {
    let kind = job.job.kind();
    let span = tracing::info_span!(
        "job",
        kind,
        job = job.id,
        attempt = job.attempt,
        request_id = job.request_id
    );
    async {
        let this = Try {
            tenant: job.tenant,
            request_id: job.request_id.clone(),
            attempt: job.attempt,
            last: job.attempt >= settings.max_attempts,
            worker: settings.worker.clone(),
        };
        let work = jobs::run(&app, &job.job, &this);
        let ended = tokio::select! {
            ended = work => ended,
            () = lose_lease(&app, &settings, &job) => {
                metrics::counter!("mizan_jobs_fenced_total", "kind" => kind).increment(1);
                tracing::warn!("the lease was lost; the work is dropped");
                return;
            }
        };
        let end = judge(&app, &settings, &job, ended);
        finish(&app, &job, &end).await;
    }
    .instrument(span)
    .await;
    Vec::new()
}

/// Renews the lease three times in its length; returns when it is held by another, or could not be renewed
/// in time.
async fn lose_lease(app: &App, settings: &RunnerSettings, job: &ClaimedJob) {
    let mut held_until = app.now() + settings.lease_delta();
    loop {
        tokio::time::sleep(settings.lease / 3).await;
        let until = app.now() + settings.lease_delta();
        match renew(app, job, until).await {
            Ok(true) => held_until = until,
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "a lease could not be renewed");
                if app.now() >= held_until {
                    return;
                }
            }
        }
    }
}

async fn renew(app: &App, job: &ClaimedJob, until: mizan_core::Timestamp) -> Result<bool, StoreError> {
    let mut platform = app.store.platform().await?;
    let held = platform.renew_job(job.id, job.token, until).await?;
    platform.commit().await?;
    Ok(held)
}

fn judge(
    app: &App,
    settings: &RunnerSettings,
    job: &ClaimedJob,
    ended: Result<JobOutcome, FlowError>,
) -> JobEnd {
    let now = app.now();
    let error = match ended {
        Ok(JobOutcome::Done) => return JobEnd::Done,
        Ok(JobOutcome::Again { after }) => {
            return JobEnd::Again {
                at: now + after,
                error: None,
            };
        }
        Err(error) => error,
    };
    let kind = job.job.kind();
    metrics::counter!("mizan_jobs_failed_total", "kind" => kind).increment(1);
    if !is_passing(&error) && job.attempt >= settings.max_attempts {
        metrics::counter!("mizan_jobs_dead_total", "kind" => kind).increment(1);
        tracing::error!(error = &error as &dyn std::error::Error, "job given up");
        return JobEnd::Dead {
            error: error.to_string(),
        };
    }
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "job failed, it will be tried again"
    );
    let at = now
        + retry::pause(
            job.attempt,
            u8::try_from(job.id.rem_euclid(100)).unwrap_or_default(),
        );
    JobEnd::Again {
        at,
        error: Some(error.to_string()),
    }
}

async fn finish(app: &App, job: &ClaimedJob, end: &JobEnd) {
    let ended: Result<bool, StoreError> = async {
        let mut platform = app.store.platform().await?;
        let held = platform.end_job(job.id, job.token, end, app.now()).await?;
        platform.commit().await?;
        Ok(held)
    }
    .await;
    match ended {
        Ok(true) => {}
        Ok(false) => {
            metrics::counter!("mizan_jobs_fenced_total", "kind" => job.job.kind()).increment(1);
            tracing::warn!("the job was taken over before it was ended");
        }
        // The lease runs out and the job is run again, which is safe.
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a job's end could not be written"
            );
        }
    }
}

//! One try of a job: runs it, renews the lease while it runs, and ends the try.

use std::time::Duration;

use chrono::TimeDelta;
use mizan_flows::jobs::{self, JobOutcome, Try};
use mizan_flows::retry::is_passing;
use mizan_flows::{App, FlowError, webhook_apply};
use mizan_store::StoreError;
use mizan_store::outbox::{ClaimedJob, Held, JobEnd};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::retry;
use crate::settings::WorkerSettings;

/// So many workers may be lost over one job; then it is given up instead of taking more down with it.
const MAX_LOST: i32 = 5;

/// Runs one try, and ends it. Without a lease the work is dropped: another holds it now. When `hand_back` is
/// cancelled the work is dropped too, and another may have the job at once.
pub(crate) async fn hold(
    app: &App,
    settings: &WorkerSettings,
    job: &ClaimedJob,
    hand_back: &CancellationToken,
) {
    let kind = job.job.kind();
    let span = tracing::info_span!(
        "job",
        kind,
        job = job.id,
        attempt = job.attempt,
        request_id = job.request_id
    );
    let began = app.now();
    let waited = (began - job.run_at).to_std().unwrap_or_default();
    metrics::histogram!("mizan_jobs_wait_seconds", "kind" => kind).record(waited);
    metrics::counter!("mizan_jobs_attempts_total", "kind" => kind).increment(1);
    try_once(app, settings, job, hand_back).instrument(span).await;
    let took = (app.now() - began).to_std().unwrap_or_default();
    metrics::histogram!("mizan_jobs_duration_seconds", "kind" => kind).record(took);
}

async fn try_once(app: &App, settings: &WorkerSettings, job: &ClaimedJob, hand_back: &CancellationToken) {
    let kind = job.job.kind();
    let this = Try {
        held: Some(Held {
            id: job.id,
            token: job.token,
        }),
        tenant: job.tenant,
        request_id: job.request_id.clone(),
        attempt: job.attempt,
        last: job.attempt >= settings.max_attempts,
        worker: settings.worker.clone(),
    };
    if job.lost >= MAX_LOST {
        let end = bury(app, job, &this).await;
        return finish(app, job, &end).await;
    }
    let ended = tokio::select! {
        biased;
        () = hand_back.cancelled() => {
            metrics::counter!("mizan_jobs_handed_back_total", "kind" => kind).increment(1);
            tracing::info!(worker = settings.worker, "the job is handed back");
            return finish(app, job, &JobEnd::HandedBack).await;
        }
        ended = jobs::run(app, &job.job, &this) => ended,
        () = lose_lease(app, settings, job) => {
            metrics::counter!("mizan_jobs_fenced_total", "kind" => kind).increment(1);
            tracing::warn!("the lease was lost; the work is dropped");
            return;
        }
    };
    let end = judge(app, settings, job, ended);
    finish(app, job, &end).await;
}

/// Applies events of one tenant together; answers those that are to be applied one by one.
pub(crate) async fn together(app: &App, jobs: Vec<ClaimedJob>) -> Vec<ClaimedJob> {
    let batch = webhook_apply::together::apply(app, jobs).await;
    let attempts = metrics::counter!("mizan_jobs_attempts_total", "kind" => "apply_webhook");
    attempts.increment(batch.done as u64);
    if batch.fenced > 0 {
        metrics::counter!("mizan_jobs_fenced_total", "kind" => "apply_webhook")
            .increment(batch.fenced as u64);
        tracing::warn!(jobs = batch.fenced, "jobs were taken over before they were ended");
    }
    batch.left
}

/// Gives a job up that nobody has survived.
async fn bury(app: &App, job: &ClaimedJob, this: &Try) -> JobEnd {
    let error = format!("{} workers were lost over it", job.lost);
    if let Err(failed) = jobs::give_up(app, &job.job, this, &error).await {
        tracing::error!(
            error = &failed as &dyn std::error::Error,
            "what the job was for is not ended"
        );
    }
    metrics::counter!("mizan_jobs_dead_total", "kind" => job.job.kind()).increment(1);
    tracing::error!(error, "job given up");
    JobEnd::Dead { error }
}

/// Renews the lease three times in its length; returns when it is held by another, or could not be renewed
/// in time.
async fn lose_lease(app: &App, settings: &WorkerSettings, job: &ClaimedJob) {
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
    settings: &WorkerSettings,
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
    let jitter = u8::try_from(job.id.rem_euclid(100)).unwrap_or_default();
    JobEnd::Again {
        at: now + retry::pause(job.attempt, jitter),
        error: Some(error.to_string()),
    }
}

/// Writes the end of a try. A database that is away for a moment costs a few tries, not a lease.
async fn finish(app: &App, job: &ClaimedJob, end: &JobEnd) {
    let mut left = 3;
    let ended = loop {
        match end_job(app, job, end).await {
            Err(StoreError::Unavailable(_)) if left > 0 => {
                left -= 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            ended => break ended,
        }
    };
    match ended {
        Ok(true) => {
            if matches!(end, JobEnd::HandedBack | JobEnd::Again { .. }) {
                app.job_bell.notify_one();
            }
        }
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

async fn end_job(app: &App, job: &ClaimedJob, end: &JobEnd) -> Result<bool, StoreError> {
    let mut platform = app.store.platform().await?;
    let at = match end {
        // Not later than the claim, so that a rival with a clock that is behind finds it due.
        JobEnd::HandedBack => job.run_at,
        _ => app.now(),
    };
    let held = platform.end_job(job.id, job.token, end, at).await?;
    platform.commit().await?;
    Ok(held)
}

/// How long a lease is, for the database.
pub(crate) fn delta(lease: Duration) -> TimeDelta {
    TimeDelta::from_std(lease).unwrap_or(TimeDelta::seconds(30))
}

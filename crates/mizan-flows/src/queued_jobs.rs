//! Looking at the queue, and deciding about dead letters.

use mizan_core::{Job, TenantId};
use mizan_store::Tx;
use mizan_store::queued_jobs::{JobFilter, QueuedJob};

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result};

/// The most jobs of one state that are shown at once.
pub const MOST_SHOWN: u32 = 1_000;

pub async fn list(app: &App, filter: &JobFilter) -> Result<Vec<QueuedJob>> {
    if !(1..=MOST_SHOWN).contains(&filter.limit) {
        return Err(FlowError::invalid("limit", format!("use 1 to {MOST_SHOWN}")));
    }
    let mut platform = app.store.platform().await?;
    let jobs = platform.queued_jobs(filter, app.now()).await?;
    platform.rollback().await?;
    Ok(jobs)
}

/// One job that is not done. With a tenant, only a job of that tenant.
pub async fn get(app: &App, tenant: Option<TenantId>, id: i64) -> Result<QueuedJob> {
    let mut platform = app.store.platform().await?;
    let job = platform.queued_job(id, app.now()).await?;
    platform.rollback().await?;
    job.filter(|it| tenant.is_none_or(|wanted| it.tenant == wanted))
        .ok_or(FlowError::NotFound("job"))
}

/// Puts a dead letter back: due at once, with all its tries before it.
pub async fn requeue(
    app: &App,
    tenant: Option<TenantId>,
    id: i64,
    reason: Option<&str>,
) -> Result<QueuedJob> {
    let reason = reason.map(checked).transpose()?;
    let job = get(app, tenant, id).await?;
    let (now, caller) = (app.now(), Caller::system(job.tenant, "cli", None));
    let mut tx = app.store.begin(job.tenant).await?;
    still_of_use(&mut *tx, &job).await?;
    if !tx.requeue_dead_job(id, now).await? {
        return Err(not_dead(&job, "put back"));
    }
    let change = Change {
        action: "job.requeue",
        subject_type: "job",
        subject_id: id.to_string(),
        from: Some("dead".to_owned()),
        to: Some("waiting".to_owned()),
        reason,
        details: Some(told(&job)),
    };
    audit::write(&mut *tx, &caller, now, change).await?;
    tx.commit().await?;
    app.job_bell.notify_one();
    tracing::warn!(job = id, kind = job.kind, "a dead letter was put back");
    get(app, tenant, id).await
}

/// Deletes a dead letter. What it was for stays as it is; the audit row keeps the job, its error and why.
pub async fn drop(app: &App, tenant: Option<TenantId>, id: i64, reason: &str) -> Result<QueuedJob> {
    let reason = checked(reason)?;
    let job = get(app, tenant, id).await?;
    let (now, caller) = (app.now(), Caller::system(job.tenant, "cli", None));
    let mut tx = app.store.begin(job.tenant).await?;
    if !tx.drop_dead_job(id).await? {
        return Err(not_dead(&job, "dropped"));
    }
    let change = Change {
        action: "job.drop",
        subject_type: "job",
        subject_id: id.to_string(),
        from: Some("dead".to_owned()),
        to: None,
        reason: Some(reason),
        details: Some(told(&job)),
    };
    audit::write(&mut *tx, &caller, now, change).await?;
    tx.commit().await?;
    tracing::error!(job = id, kind = job.kind, "a dead letter was dropped");
    Ok(job)
}

/// A run that is over is not run again, so its job would do nothing.
async fn still_of_use(tx: &mut dyn Tx, job: &QueuedJob) -> Result<()> {
    let Ok(Job::RunReconciliation { run }) = serde_json::from_str(&job.job) else {
        return Ok(());
    };
    match tx.run(run).await? {
        Some(run) if run.status.is_final() => Err(FlowError::State {
            noun: "the run of this job",
            state: run.status.to_string(),
            wanted: "run again; ask for a new run and drop the job",
        }),
        _ => Ok(()),
    }
}

fn not_dead(job: &QueuedJob, wanted: &'static str) -> FlowError {
    FlowError::State {
        noun: "the job",
        state: job.state.as_str().to_owned(),
        wanted,
    }
}

fn checked(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > 500 {
        return Err(FlowError::invalid("reason", "use 1 to 500 bytes"));
    }
    Ok(reason.to_owned())
}

fn told(job: &QueuedJob) -> serde_json::Value {
    serde_json::json!({
        "kind": job.kind, "job": job.job, "attempts": job.attempts, "lost": job.lost, "error": job.error,
        "created_at": job.created_at, "given_up_at": job.finished_at,
    })
}

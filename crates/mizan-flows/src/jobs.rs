//! What jobs do: each kind leads to one story. Workers decide when, and what a failure means.

use chrono::TimeDelta;
use mizan_core::{Job, TenantId};

use crate::{App, Caller, Result, payouts, recon_execute, webhook_apply};

/// How a job's story ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    Done,
    /// Nothing failed, but something has to be looked at again.
    Again {
        after: TimeDelta,
    },
}

/// One try of a job.
#[derive(Debug, Clone)]
pub struct Try {
    pub tenant: TenantId,
    pub request_id: Option<String>,
    /// 1 for the first.
    pub attempt: i32,
    /// Whether the job is given up if this one fails.
    pub last: bool,
    /// Who works on it, for logs.
    pub worker: String,
}

/// Does one try of a job.
pub async fn run(app: &App, job: &Job, this: &Try) -> Result<JobOutcome> {
    let caller = Caller::system(this.tenant, "worker", this.request_id.clone());
    match job {
        Job::ApplyWebhook { event } => webhook_apply::apply(app, &caller, *event, this.attempt).await,
        Job::ExecutePayout { withdrawal } => payouts::execute(app, &caller, *withdrawal).await,
        Job::RunReconciliation { run } => recon_execute::execute(app, &caller, *run, this).await,
    }
}

//! What jobs do: each kind leads to one story. Workers decide when, and what a failure means.

use chrono::TimeDelta;
use mizan_core::{Job, TenantId};
use mizan_store::Tx;
use mizan_store::outbox::Held;

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
    /// The fence around what is written; `None` where nobody else can have the job: it is run by who asked for it.
    pub held: Option<Held>,
    pub tenant: TenantId,
    pub request_id: Option<String>,
    /// 1 for the first.
    pub attempt: i32,
    /// Whether the job is given up if this one fails.
    pub last: bool,
    /// Who works on it, for logs.
    pub worker: String,
}

impl Try {
    /// Locks the job's row in a transaction that is about to write; `false` if another holds the job now.
    pub async fn still_holds(&self, tx: &mut dyn Tx) -> Result<bool> {
        match self.held {
            None => Ok(true),
            Some(Held { id, token }) => Ok(tx.hold_job(id, token).await?),
        }
    }
}

/// Ends what a job was for, where the job is given up without another try.
pub async fn give_up(app: &App, job: &Job, this: &Try, why: &str) -> Result<()> {
    let caller = Caller::system(this.tenant, "worker", this.request_id.clone());
    match job {
        Job::RunReconciliation { run } => recon_execute::abandon(app, &caller, *run, this, why).await,
        // The row they are about stays as it is, and people see the dead letter.
        Job::ApplyWebhook { .. } | Job::ExecutePayout { .. } => Ok(()),
    }
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

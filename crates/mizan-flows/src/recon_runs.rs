//! Reconciliation runs as clients ask for them. Executing one is in `recon_execute`.

use chrono::TimeDelta;
use mizan_core::{Job, ProviderKey, RunId, TimeWindow};
use mizan_recon::statement::Format;
use mizan_store::outbox::NewJob;
use mizan_store::recon_runs::{ReconRun, RunFilter, RunStatus};
use mizan_store::{Page, Paged, Tx};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::audit::{self, Change};
use crate::retry::retrying;
use crate::{App, Caller, FlowError, Result};

/// Who executes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// Whoever takes the job.
    Worker,
    /// The caller, at once; the job is there in case the caller is lost on the way.
    Caller,
}

/// After this long a run that its caller wanted to execute belongs to the workers.
const FORGOTTEN: TimeDelta = TimeDelta::minutes(15);

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub provider: ProviderKey,
    pub window: TimeWindow,
    pub dry_run: bool,
    pub idempotency_key: Option<String>,
    pub statement: Option<Uuid>,
    /// The bank statement in which the payouts of `statement` have to be.
    pub bank_statement: Option<Uuid>,
}

impl NewRun {
    fn fingerprint(&self) -> Vec<u8> {
        let mut text = format!(
            "{}|{}|{}|{}|{:?}",
            self.provider,
            self.window.start().timestamp_micros(),
            self.window.end().timestamp_micros(),
            self.dry_run,
            self.statement
        );
        // Left out where there is none, so that the fingerprints of runs that are kept stay.
        if let Some(bank) = self.bank_statement {
            text = format!("{text}|{bank}");
        }
        Sha256::digest(text.as_bytes()).to_vec()
    }
}

/// Queues a run. The same key gives the same run, which is never executed twice.
pub async fn create(app: &App, caller: &Caller, new: &NewRun, by: Executor) -> Result<ReconRun> {
    if new
        .idempotency_key
        .as_ref()
        .is_some_and(|it| it.is_empty() || it.len() > 255)
    {
        return Err(FlowError::invalid("idempotency_key", "use 1 to 255 bytes"));
    }
    retrying("recon.create", || create_once(app, caller, new, by)).await
}

async fn create_once(app: &App, caller: &Caller, new: &NewRun, by: Executor) -> Result<ReconRun> {
    let mut tx = app.store.begin(caller.tenant).await?;
    let run = insert(app, &mut *tx, caller, new, by).await?;
    tx.commit().await?;
    app.job_bell.notify_one();
    Ok(run)
}

/// Inserts a run with its job, or finds the one that has its key.
pub(crate) async fn insert(
    app: &App,
    tx: &mut dyn Tx,
    caller: &Caller,
    new: &NewRun,
    by: Executor,
) -> Result<ReconRun> {
    let now = app.now();
    let (connection, _) = app.provider(tx, &new.provider).await?;
    check_statements(tx, new).await?;
    let run = ReconRun {
        id: RunId::new(),
        provider: connection.provider,
        window: new.window,
        dry_run: new.dry_run,
        statement: new.statement,
        bank_statement: new.bank_statement,
        idempotency_key: new.idempotency_key.clone(),
        fingerprint: new.fingerprint(),
        status: RunStatus::Queued,
        attempts: 0,
        stats_json: None,
        error_json: None,
        created_by: caller.actor.to_string(),
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
    };
    if let Some(known) = tx.insert_run(&run).await? {
        return if known.fingerprint == run.fingerprint {
            Ok(known)
        } else {
            Err(FlowError::IdempotencyKeyReused)
        };
    }
    let job = Job::RunReconciliation { run: run.id };
    let run_at = if by == Executor::Worker {
        now
    } else {
        now + FORGOTTEN
    };
    let request_id = caller.request_id.clone();
    tx.enqueue(&NewJob {
        job,
        run_at,
        request_id,
        created_at: now,
    })
    .await?;
    let change = Change {
        action: "recon.create",
        subject_type: "recon_run",
        subject_id: run.id.to_string(),
        to: Some(run.status.to_string()),
        details: Some(
            serde_json::json!({ "provider": run.provider, "window": run.window.to_string(), "dry_run": run.dry_run }),
        ),
        ..Change::default()
    };
    audit::write(tx, caller, now, change).await?;
    Ok(run)
}

/// Both files have to be the provider's, and the bank leg needs both: the payouts of a whole file, not of what a
/// provider exports for a window.
async fn check_statements(tx: &mut dyn Tx, new: &NewRun) -> Result<()> {
    let bank_field = "bank_statement_id";
    for (field, id, of_bank) in [
        ("statement_id", new.statement, false),
        (bank_field, new.bank_statement, true),
    ] {
        let Some(id) = id else { continue };
        let found = tx.statement(id.into()).await?;
        let Some(found) = found.filter(|it| it.provider == new.provider) else {
            return Err(FlowError::invalid(field, "this provider has no such statement"));
        };
        let format = found.format.parse::<Format>().ok();
        match (format.is_some_and(Format::is_bank), of_bank) {
            (true, false) => {
                let reason = "this is a bank statement: name it as bank_statement_id, beside the provider's";
                return Err(FlowError::invalid(field, reason));
            }
            (false, true) => {
                let reason = "this is no bank statement: camt.053 or MT940 is needed";
                return Err(FlowError::invalid(field, reason));
            }
            _ => {}
        }
    }
    if new.bank_statement.is_some() && new.statement.is_none() {
        let reason = "the payouts are read from an uploaded statement: name it as statement_id";
        return Err(FlowError::invalid(bank_field, reason));
    }
    Ok(())
}

pub async fn get(app: &App, caller: &Caller, id: RunId) -> Result<ReconRun> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.run(id).await?.ok_or(FlowError::NotFound("run"))
}

pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &RunFilter,
    page: &Page<RunId>,
) -> Result<Paged<ReconRun, RunId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.runs(filter, page).await?)
}

/// Cancels a run that is not over. A worker that is on it writes nothing any more.
pub async fn cancel(app: &App, caller: &Caller, id: RunId) -> Result<ReconRun> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let mut run = tx.lock_run(id).await?.ok_or(FlowError::NotFound("run"))?;
    if run.status == RunStatus::Cancelled {
        return Ok(run);
    }
    if run.status.is_final() {
        let state = run.status.to_string();
        return Err(FlowError::State {
            noun: "the run",
            state,
            wanted: "cancelled",
        });
    }
    let from = run.status;
    run.status = RunStatus::Cancelled;
    run.updated_at = now;
    run.finished_at = Some(now);
    tx.update_run(&run).await?;
    let change = Change {
        action: "recon.cancel",
        subject_type: "recon_run",
        subject_id: id.to_string(),
        from: Some(from.to_string()),
        to: Some(run.status.to_string()),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    tx.commit().await?;
    Ok(run)
}

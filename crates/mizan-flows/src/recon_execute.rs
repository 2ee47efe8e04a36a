//! Executing a run: fetch the statement, read the ledger's side, match, keep the findings.
//!
//! The run's row is the record. Only the worker that set it to running with the latest attempt may end it.

mod ledger_side;
mod statement_side;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::TimeDelta;
use mizan_core::{FindingId, RunId, Timestamp, TransactionId};
use mizan_recon::engine::{Job, MatchError, Progress, Report, Watch};
use mizan_recon::finding::Finding;
use mizan_recon::legs;
use mizan_recon::line::Line;
use mizan_recon::view::{FindingView, QuarantinedView, SummaryView};
use mizan_store::Tx;
use mizan_store::findings::{FindingStatus, StoredFinding, Upserted};
use mizan_store::recon_runs::{ReconRun, RunStatus};

use crate::error::with_causes;
use crate::jobs::{JobOutcome, Try};
use crate::retry::is_passing;
use crate::{App, Caller, FlowError, Result, completeness};

use statement_side::{StatementSide, unreadable};

/// How far apart the clocks of a provider and of the ledger may be.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// How many findings a dry run shows; it counts them all.
const SHOWN: usize = 1_000;

/// The job: one try of a run.
pub async fn execute(app: &App, caller: &Caller, id: RunId, this: &Try) -> Result<JobOutcome> {
    let Some(run) = start(app, caller, id, this).await? else {
        return Ok(JobOutcome::Done);
    };
    tracing::info!(run_id = %id, provider = %run.provider, attempt = run.attempts, worker = this.worker,
        request_id = this.request_id, "reconciliation run started");
    let compared = compare(app, caller, &run).await;
    let ended = match &compared {
        Ok(report) => finish(app, caller, &run, this, report).await,
        Err(error) if is_passing(error) && !this.last => Ok(None),
        Err(error) => fail(app, caller, &run, this, &with_causes(error)).await,
    }?;
    let duration_ms = (app.now() - run.started_at.unwrap_or(run.created_at)).num_milliseconds();
    match compared {
        Ok(_) if ended.is_some() => {
            tracing::info!(run_id = %id, provider = %run.provider, attempt = run.attempts, worker = this.worker,
                duration_ms, request_id = this.request_id, "reconciliation run completed");
        }
        Err(error) if ended.is_some() => {
            tracing::error!(run_id = %id, provider = %run.provider, attempt = run.attempts, worker = this.worker,
                duration_ms, request_id = this.request_id, error = &error as &dyn std::error::Error,
                "reconciliation run failed");
        }
        Err(error) if is_passing(&error) && !this.last => {
            tracing::warn!(run_id = %id, provider = %run.provider, attempt = run.attempts, worker = this.worker,
                duration_ms, request_id = this.request_id, "reconciliation run interrupted");
            return Err(error);
        }
        // Another holds the run now, and says how it ends.
        Ok(_) | Err(_) => {}
    }
    Ok(JobOutcome::Done)
}

/// Fails a run that has taken its workers down with it too often.
pub(crate) async fn abandon(app: &App, caller: &Caller, id: RunId, this: &Try, why: &str) -> Result<()> {
    let run = crate::recon_runs::get(app, caller, id).await?;
    if run.status.is_final() {
        return Ok(());
    }
    if fail(app, caller, &run, this, why).await?.is_some() {
        tracing::error!(run_id = %id, provider = %run.provider, attempt = run.attempts, worker = this.worker,
            request_id = this.request_id, error = why, "reconciliation run failed");
    }
    Ok(())
}

/// Runs at once and waits for the end: the older form of the API, and the command line.
pub async fn run_now(app: &App, caller: &Caller, id: RunId) -> Result<ReconRun> {
    let this = Try {
        held: None,
        tenant: caller.tenant,
        request_id: caller.request_id.clone(),
        attempt: 1,
        last: true,
        worker: "inline".into(),
    };
    execute(app, caller, id, &this).await?;
    crate::recon_runs::get(app, caller, id).await
}

async fn start(app: &App, caller: &Caller, id: RunId, this: &Try) -> Result<Option<ReconRun>> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    if !this.still_holds(&mut *tx).await? {
        return Ok(None);
    }
    let mut run = tx.lock_run(id).await?.ok_or(FlowError::NotFound("run"))?;
    if run.status.is_final() {
        return Ok(None);
    }
    run.status = RunStatus::Running;
    run.attempts = run.attempts.saturating_add(1);
    run.started_at = Some(now);
    run.updated_at = now;
    tx.update_run(&run).await?;
    tx.commit().await?;
    Ok(Some(run))
}

async fn compare(app: &App, caller: &Caller, run: &ReconRun) -> Result<Report> {
    let set = app.recon.rules(&run.provider);
    let rules = set.rules.with_window(run.window, TimeDelta::zero(), MARGIN);
    let reading = rules.reading_window().unwrap_or(run.window);
    let statement = StatementSide::fetch(app, caller, run, reading).await?;

    let (sender, receiver) = ledger_side::channel();
    let engine = Arc::clone(&app.engine);
    let cancelled = CancelOnDrop::default();
    let (stop, id) = (Arc::clone(&cancelled.0), run.id);
    let matching = tokio::task::spawn_blocking(move || {
        let mut lines = statement.open()?;
        let mut ledger = receiver.source();
        let reached = AtomicU64::new(0);
        let progress = |it| log_progress(id, it, &reached);
        let watch = Watch {
            progress: Some(&progress),
            cancelled: Some(&stop),
        };
        let job = Job {
            watch,
            ..Job::new(&mut *lines, &mut ledger, &rules)
        };
        let mut report = engine.run(job).map_err(at_fault)?;
        legs::apply(&mut report, &set.legs, &rules);
        Ok(report)
    });
    let streaming = sender.send(app, caller.tenant, &run.provider, reading);
    let (streamed, matched) = tokio::join!(streaming, matching);
    // What the store says about its failure is worth more than that the engine missed the rest.
    streamed?;
    matched.map_err(|_| FlowError::Interrupted)?
}

/// Whose fault it is that the engine gave no result: the file's, nobody's, or the machine's.
fn at_fault(error: MatchError) -> FlowError {
    match error {
        MatchError::Read { .. } => unreadable(&error),
        MatchError::Cancelled => FlowError::Interrupted,
        MatchError::Spill { .. } | MatchError::Pairs { .. } => FlowError::Matching(error),
    }
}

/// Ends the matching when the run is dropped, which happens when its lease is lost.
#[derive(Default)]
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A line in the log for every so many rows.
fn log_progress(id: RunId, progress: Progress, reached: &AtomicU64) {
    const EVERY: u64 = 1_000_000;
    if let Progress::Read { side, rows } = progress
        && reached.fetch_max(rows / EVERY, Ordering::Relaxed) < rows / EVERY
    {
        tracing::info!(run_id = %id, %side, rows, "reconciliation run reads");
    }
}

/// Keeps the findings and ends the run, in one transaction. A run that was cancelled or taken over meanwhile
/// is left alone.
async fn finish(
    app: &App,
    caller: &Caller,
    run: &ReconRun,
    this: &Try,
    report: &Report,
) -> Result<Option<Timestamp>> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let Some(mut row) = ours(&mut *tx, run, this).await? else {
        return Ok(None);
    };
    let (mut upserted, mut resolved) = (Upserted::default(), 0);
    if !run.dry_run {
        let findings: Vec<_> = report.findings.iter().map(|it| stored(run, it, now)).collect();
        upserted = tx.upsert_findings(&findings).await?;
        resolved = tx
            .resolve_vanished(&run.provider, run.window, run.id, now)
            .await?;
        let ledger = tx.ledger_volume(&run.provider, run.window).await?;
        let days = completeness::covered(run, &report.findings, &ledger, now);
        tx.keep_covered(&days).await?;
    }
    row.status = RunStatus::Completed;
    row.stats_json = Some(stats(app, run, report, upserted, resolved, now).to_string());
    row.error_json = None;
    row.updated_at = now;
    row.finished_at = Some(now);
    tx.update_run(&row).await?;
    tx.commit().await?;
    Ok(Some(now))
}

fn stats(
    app: &App,
    run: &ReconRun,
    report: &Report,
    upserted: Upserted,
    resolved: u64,
    now: Timestamp,
) -> serde_json::Value {
    let duration_ms = run
        .started_at
        .map_or(0, |it| (now - it).num_milliseconds())
        .max(0);
    let rows = report.summary.statement_rows + report.summary.ledger_rows;
    let mut stats = serde_json::json!({
        "engine": app.engine.name(),
        "summary": SummaryView::from(&report.summary),
        "spilled_bytes": report.spilled_bytes,
        "duration_ms": duration_ms,
        "rows_per_second": rows * 1_000 / u64::try_from(duration_ms).unwrap_or(0).max(1),
        "findings_created": upserted.created,
        "findings_seen_again": upserted.seen_again,
        "findings_reopened": upserted.reopened,
        "findings_resolved": resolved,
        "quarantine": report.statement_quarantine.iter().take(SHOWN).map(quarantined).collect::<Vec<_>>(),
    });
    if run.dry_run {
        let shown: Vec<_> = report
            .findings
            .iter()
            .take(SHOWN)
            .map(FindingView::from)
            .collect();
        stats["would_have_found"] = serde_json::json!(shown);
    }
    stats
}

/// Without the excerpt of the row: it may hold what must not be shown.
fn quarantined(it: &mizan_recon::statement::Quarantined) -> serde_json::Value {
    let view = QuarantinedView::from(it);
    serde_json::json!({ "line_no": view.line_no, "column": view.column, "reason": view.reason })
}

fn stored(run: &ReconRun, it: &Finding, now: Timestamp) -> StoredFinding {
    let any = it.statement.as_ref().or(it.ledger.as_ref());
    StoredFinding {
        id: FindingId::new(),
        provider: run.provider.clone(),
        provider_event_id: it.event_id.clone(),
        provider_ref: it.reference.clone(),
        finding_type: it.finding_type,
        severity: it.severity,
        status: FindingStatus::Open,
        currency: any.map(|line| line.currency),
        statement_amount: it.statement.as_ref().map(|line| line.amount_minor),
        ledger_amount: it.ledger.as_ref().map(|line| line.amount_minor),
        transaction: it
            .ledger
            .as_ref()
            .and_then(Line::transaction_id)
            .and_then(|id| id.parse::<TransactionId>().ok()),
        details: serde_json::to_string(&FindingView::from(it)).unwrap_or_else(|_| "{}".into()),
        run: Some(run.id),
        last_run: Some(run.id),
        occurred_at: any.map(|line| line.occurred_at),
        created_at: now,
        updated_at: now,
        status_by: None,
        status_reason: None,
        assigned_to: None,
        settled_by: None,
    }
}

/// The row of a run, locked, if this try may still end it. Asked in the transaction that writes: a worker that
/// was taken for dead and wakes up later finds the job's token or the run's attempt moved on, and writes nothing.
async fn ours(tx: &mut dyn Tx, run: &ReconRun, this: &Try) -> Result<Option<ReconRun>> {
    let held = this.still_holds(tx).await?;
    let row = tx.lock_run(run.id).await?.ok_or(FlowError::NotFound("run"))?;
    if held && !row.status.is_final() && row.attempts == run.attempts {
        return Ok(Some(row));
    }
    metrics::counter!("mizan_recon_fenced_total").increment(1);
    tracing::warn!(run_id = %run.id, status = %row.status, attempt = run.attempts, worker = this.worker,
        "the run is not ours any more; nothing is written");
    Ok(None)
}

async fn fail(
    app: &App,
    caller: &Caller,
    run: &ReconRun,
    this: &Try,
    why: &str,
) -> Result<Option<Timestamp>> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let Some(mut row) = ours(&mut *tx, run, this).await? else {
        return Ok(None);
    };
    row.status = RunStatus::Failed;
    row.error_json = Some(serde_json::json!({ "message": why, "attempt": run.attempts }).to_string());
    row.updated_at = now;
    row.finished_at = Some(now);
    tx.update_run(&row).await?;
    tx.commit().await?;
    Ok(Some(now))
}

//! Executing a run: fetch the statement, read the ledger's side, match, keep the findings.
//!
//! The run's row is the record. Only the worker that set it to running with the latest attempt may end it.

mod bank_side;
mod kept;
mod ledger_side;
mod statement_side;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::TimeDelta;
use mizan_core::{RunId, TimeWindow, Timestamp};
use mizan_recon::engine::{Job, MatchError, Progress, Report, Watch};
use mizan_recon::legs::{self, LegStats};
use mizan_recon::statement::adyen::Amounts;
use mizan_recon::view::{FindingView, QuarantinedView, SummaryView};
use mizan_store::Tx;
use mizan_store::findings::{Answered, Upserted};
use mizan_store::recon_runs::{ReconRun, RunStatus};

use crate::error::with_causes;
use crate::jobs::{JobOutcome, Try};
use crate::retry::is_passing;
use crate::{App, Caller, FlowError, Result, completeness};

use bank_side::{BankLeg, BankSide, OfBank};
use kept::{stored, stored_of_bank};
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
        Ok(compared) => finish(app, caller, &run, this, compared).await,
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

/// What came of comparing.
struct Compared {
    report: Report,
    legs: Vec<LegStats>,
    bank: Option<BankLeg>,
    /// Whose rows that only the ledger has the run answers for.
    lone_ledger: TimeWindow,
}

async fn compare(app: &App, caller: &Caller, run: &ReconRun) -> Result<Compared> {
    let set = app.recon.rules(&run.provider);
    let (window, rules) = (run.window, set.over(run.window, MARGIN));
    let lone_ledger = rules.lone_ledger_window().unwrap_or(window);
    let reading = rules.reading_window().unwrap_or(window);
    let statement = StatementSide::fetch(app, caller, run, reading).await?;
    let bank = BankSide::fetch(app, caller, run).await?;

    let (sender, receiver) = ledger_side::channel();
    let engine = Arc::clone(&app.engine);
    let cancelled = CancelOnDrop::default();
    let (stop, id) = (Arc::clone(&cancelled.0), run.id);
    let matching = tokio::task::spawn_blocking(move || {
        let mut lines = statement.open(Amounts::Gross)?;
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
        let legs = legs::apply(&mut report, &set.legs, &rules);
        drop(lines);
        let bank = bank.map(|it| it.compare(&statement, &set, window)).transpose()?;
        Ok(Compared {
            report,
            legs,
            bank,
            lone_ledger,
        })
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
    compared: &Compared,
) -> Result<Option<Timestamp>> {
    let (now, report) = (app.now(), &compared.report);
    let mut tx = app.store.begin(caller.tenant).await?;
    let Some(mut row) = ours(&mut *tx, run, this).await? else {
        return Ok(None);
    };
    let (mut upserted, mut resolved) = (Upserted::default(), 0);
    if !run.dry_run {
        let of_bank = compared.bank.iter().flat_map(|it| &it.findings);
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|it| stored(run, it, now))
            .chain(of_bank.map(|it| stored_of_bank(run, it, now)))
            .collect();
        upserted = tx.upsert_findings(&findings).await?;
        let answered = Answered {
            provider: run.provider.clone(),
            run: run.id,
            window: run.window,
            lone_ledger: compared.lone_ledger,
            bank: compared.bank.is_some(),
        };
        resolved = tx.resolve_vanished(&answered, now).await?;
        let ledger = tx.ledger_volume(&run.provider, run.window).await?;
        let days = completeness::covered(run, report, &ledger, now);
        tx.keep_covered(&days).await?;
    }
    row.status = RunStatus::Completed;
    row.stats_json = Some(stats(app, run, compared, upserted, resolved, now).to_string());
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
    compared: &Compared,
    upserted: Upserted,
    resolved: u64,
    now: Timestamp,
) -> serde_json::Value {
    let report = &compared.report;
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
        if let Some(bank) = &compared.bank {
            let shown: Vec<_> = bank.findings.iter().take(SHOWN).map(OfBank::details).collect();
            stats["would_have_found_at_the_bank"] = serde_json::json!(shown);
        }
    }
    if !compared.legs.is_empty() {
        stats["rule_legs"] = serde_json::json!(compared.legs);
    }
    if let Some(bank) = &compared.bank {
        stats["bank"] = bank.stats();
    }
    stats
}

/// Without the excerpt of the row: it may hold what must not be shown.
fn quarantined(it: &mizan_recon::statement::Quarantined) -> serde_json::Value {
    let view = QuarantinedView::from(it);
    serde_json::json!({ "line_no": view.line_no, "column": view.column, "reason": view.reason })
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

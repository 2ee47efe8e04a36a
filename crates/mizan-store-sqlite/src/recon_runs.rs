//! Reconciliation runs.

use async_trait::async_trait;
use mizan_core::{ProviderKey, RunId, TimeWindow};
use mizan_store::recon_runs::{ReconRun, ReconRuns, RunFilter, RunStatus};
use mizan_store::{Page, Paged, Result, StoreError};
use rusqlite::{Connection, params};

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_RUN = "
        INSERT INTO recon_runs (id, tenant_id, provider, window_start, window_end, dry_run, statement_id,
                                idempotency_key, fingerprint, status, attempts, stats_json, error_json, created_by,
                                created_at, updated_at, started_at, finished_at, bank_statement_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
        ON CONFLICT (tenant_id, provider, idempotency_key) DO NOTHING";

    RUN = "
        SELECT id, provider, window_start, window_end, dry_run, statement_id, idempotency_key, fingerprint, status,
               attempts, stats_json, error_json, created_by, created_at, updated_at, started_at, finished_at,
               bank_statement_id
        FROM recon_runs
        WHERE id = ?1 AND tenant_id = ?2";

    RUN_BY_KEY = "
        SELECT id, provider, window_start, window_end, dry_run, statement_id, idempotency_key, fingerprint, status,
               attempts, stats_json, error_json, created_by, created_at, updated_at, started_at, finished_at,
               bank_statement_id
        FROM recon_runs
        WHERE tenant_id = ?1 AND provider = ?2 AND idempotency_key = ?3";

    UPDATE_RUN = "
        UPDATE recon_runs
        SET status = ?3, attempts = ?4, stats_json = ?5, error_json = ?6, updated_at = ?7, started_at = ?8,
            finished_at = ?9
        WHERE id = ?1 AND tenant_id = ?2";

    LIST_RUNS = "
        SELECT id, provider, window_start, window_end, dry_run, statement_id, idempotency_key, fingerprint, status,
               attempts, stats_json, error_json, created_by, created_at, updated_at, started_at, finished_at,
               bank_statement_id
        FROM recon_runs
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR provider = ?3)
          AND (?4 IS NULL OR status = ?4)
        ORDER BY id DESC LIMIT ?5 OFFSET ?6";

    COUNT_RUNS = "
        SELECT count(*)
        FROM recon_runs
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR provider = ?2)
          AND (?3 IS NULL OR status = ?3)";
}

#[async_trait]
impl ReconRuns for SqliteTx {
    async fn insert_run(&mut self, run: &ReconRun) -> Result<Option<ReconRun>> {
        let run = run.clone();
        self.within(move |db, tenant| insert(db, tenant, &run)).await
    }

    async fn run(&mut self, id: RunId) -> Result<Option<ReconRun>> {
        self.within(move |db, tenant| first(db, &RUN, params![id_text(id.0), tenant], "recon_runs", run_row))
            .await
    }

    async fn lock_run(&mut self, id: RunId) -> Result<Option<ReconRun>> {
        self.run(id).await
    }

    async fn update_run(&mut self, run: &ReconRun) -> Result<()> {
        let it = run.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                it.status.as_str(),
                it.attempts,
                it.stats_json,
                it.error_json,
                stamp(it.updated_at),
                stamp_opt(it.started_at),
                stamp_opt(it.finished_at)
            ];
            execute_one(db, &UPDATE_RUN, params)
        })
        .await
    }

    async fn runs(&mut self, filter: &RunFilter, page: &Page<RunId>) -> Result<Paged<ReconRun, RunId>> {
        let (filter, page) = (filter.clone(), *page);
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let provider = filter.provider.as_ref().map(ProviderKey::as_str);
            let status = filter.status.map(RunStatus::as_str);
            let params = params![tenant, at.before, provider, status, at.limit, at.offset];
            let rows = all(db, &LIST_RUNS, params, "recon_runs", run_row)?;
            let counted = || count(db, &COUNT_RUNS, params![tenant, provider, status]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn insert(db: &Connection, tenant: i32, run: &ReconRun) -> Result<Option<ReconRun>> {
    let params = params![
        id_text(run.id.0),
        tenant,
        run.provider.as_str(),
        stamp(run.window.start()),
        stamp(run.window.end()),
        run.dry_run,
        run.statement.map(id_text),
        run.idempotency_key,
        run.fingerprint,
        run.status.as_str(),
        run.attempts,
        run.stats_json,
        run.error_json,
        run.created_by,
        stamp(run.created_at),
        stamp(run.updated_at),
        stamp_opt(run.started_at),
        stamp_opt(run.finished_at),
        run.bank_statement.map(id_text)
    ];
    if execute(db, &INSERT_RUN, params)? == 1 {
        return Ok(None);
    }
    let params = params![tenant, run.provider.as_str(), run.idempotency_key];
    let same = first(db, &RUN_BY_KEY, params, "recon_runs", run_row)?;
    same.map(Some)
        .ok_or_else(|| StoreError::corrupt("recon_runs", "idempotency_key", run.id, "the row is gone"))
}

fn run_row(row: &mut Cells<'_>) -> Result<ReconRun> {
    let (id, provider) = (row.id("id")?, row.parsed("provider")?);
    let (start, end) = (row.time("window_start")?, row.time("window_end")?);
    Ok(ReconRun {
        id,
        provider,
        window: TimeWindow::new(start, end).map_err(|error| row.corrupt("window_end", error))?,
        dry_run: row.get("dry_run")?,
        statement: row.id_opt("statement_id")?,
        idempotency_key: row.get("idempotency_key")?,
        fingerprint: row.get("fingerprint")?,
        status: row.parsed("status")?,
        attempts: row.get("attempts")?,
        stats_json: row.get("stats_json")?,
        error_json: row.get("error_json")?,
        created_by: row.get("created_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        started_at: row.time_opt("started_at")?,
        finished_at: row.time_opt("finished_at")?,
        bank_statement: row.id_opt("bank_statement_id")?,
    })
}

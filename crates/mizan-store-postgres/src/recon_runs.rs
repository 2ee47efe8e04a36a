//! Reconciliation runs.

use async_trait::async_trait;
use mizan_core::{ProviderKey, RunId, TimeWindow};
use mizan_store::recon_runs::{ReconRun, ReconRuns, RunFilter, RunStatus};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! run_columns {
    () => {
        "id, provider, window_start, window_end, dry_run, statement_id, idempotency_key, fingerprint, status, \
         attempts, stats_json, error_json, created_by, created_at, updated_at, started_at, finished_at, \
         bank_statement_id"
    };
}
macro_rules! run_filter {
    () => {
        "FROM recon_runs
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR provider = $2)
           AND ($3::text IS NULL OR status = $3)"
    };
}

statements! {
    /// Waits for a rival that inserts the same key. Runs without a key have no rivals.
    INSERT = concat!("INSERT INTO recon_runs (tenant_id, ", run_columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT ON CONSTRAINT uq_runs_idempotency DO NOTHING");
    BY_KEY = concat!("SELECT ", run_columns!(), " FROM recon_runs
         WHERE tenant_id = $1 AND provider = $2 AND idempotency_key = $3");
    BY_ID = concat!("SELECT ", run_columns!(), " FROM recon_runs WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", run_columns!(), " FROM recon_runs
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE");
    UPDATE = "UPDATE recon_runs
         SET status = $3, attempts = $4, stats_json = $5, error_json = $6, updated_at = $7, started_at = $8,
             finished_at = $9
         WHERE tenant_id = $1 AND id = $2";
    LIST = concat!("SELECT ", run_columns!(), " ", run_filter!(), "
           AND ($4::uuid IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5 OFFSET $6");
    COUNT = concat!("SELECT count(*) ", run_filter!());
}

fn run(row: &Row) -> Result<ReconRun> {
    let record = Record::new(row, "recon_runs", "id");
    let window = TimeWindow::new(record.get("window_start")?, record.get("window_end")?)
        .map_err(|error| record.corrupt("window_end", &error))?;
    Ok(ReconRun {
        id: record.id("id")?,
        provider: record.word("provider")?,
        window,
        dry_run: record.get("dry_run")?,
        statement: record.get("statement_id")?,
        bank_statement: record.get("bank_statement_id")?,
        idempotency_key: record.get("idempotency_key")?,
        fingerprint: record.get("fingerprint")?,
        status: record.word("status")?,
        attempts: record.get("attempts")?,
        stats_json: record.get("stats_json")?,
        error_json: record.get("error_json")?,
        created_by: record.get("created_by")?,
        created_at: record.get("created_at")?,
        updated_at: record.get("updated_at")?,
        started_at: record.get("started_at")?,
        finished_at: record.get("finished_at")?,
    })
}

#[async_trait]
impl ReconRuns for PgTx {
    async fn insert_run(&mut self, new: &ReconRun) -> Result<Option<ReconRun>> {
        let provider = new.provider.as_str();
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.id.0,
                    &provider,
                    &new.window.start(),
                    &new.window.end(),
                    &new.dry_run,
                    &new.statement,
                    &new.idempotency_key,
                    &new.fingerprint,
                    &new.status.as_str(),
                    &new.attempts,
                    &new.stats_json,
                    &new.error_json,
                    &new.created_by,
                    &new.created_at,
                    &new.updated_at,
                    &new.started_at,
                    &new.finished_at,
                    &new.bank_statement,
                ],
            )
            .await?;
        if inserted == 1 {
            return Ok(None);
        }
        let row = self
            .session
            .row(BY_KEY, &[&self.tenant, &provider, &new.idempotency_key])
            .await?;
        let row = row.ok_or_else(|| StoreError::Collision {
            what: "uq_runs_idempotency".to_owned(),
        })?;
        run(&row).map(Some)
    }

    async fn run(&mut self, id: RunId) -> Result<Option<ReconRun>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(run).transpose()
    }

    async fn lock_run(&mut self, id: RunId) -> Result<Option<ReconRun>> {
        let row = self.session.row(LOCK, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(run).transpose()
    }

    async fn update_run(&mut self, it: &ReconRun) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE,
                &[
                    &self.tenant,
                    &it.id.0,
                    &it.status.as_str(),
                    &it.attempts,
                    &it.stats_json,
                    &it.error_json,
                    &it.updated_at,
                    &it.started_at,
                    &it.finished_at,
                ],
            )
            .await?;
        StoreError::expect_rows("recon_runs::UPDATE", 1, updated)
    }

    async fn runs(&mut self, filter: &RunFilter, page: &Page<RunId>) -> Result<Paged<ReconRun, RunId>> {
        let provider = filter.provider.as_ref().map(ProviderKey::as_str);
        let status = filter.status.map(RunStatus::as_str);
        let filters: [(Param<'_>, Type); 3] = [
            (&self.tenant, Type::INT4),
            (&provider, Type::TEXT),
            (&status, Type::TEXT),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, run, |it| it.id)
            .await
    }
}

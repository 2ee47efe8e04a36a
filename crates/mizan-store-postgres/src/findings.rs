//! Findings. Keeping many of them at once is in [`upsert`].

mod upsert;

use async_trait::async_trait;
use mizan_core::{FindingId, ProviderKey, Timestamp};
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::findings::{
    Answered, Assignee, FindingFilter, FindingStatus, Findings, StoredFinding, Upserted,
};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::record::Record;
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! finding_columns {
    () => {
        "id, provider, provider_event_id, provider_ref, finding_type, severity, status, currency, \
         statement_amount, ledger_amount, transaction_id, details, run_id, last_run_id, occurred_at, created_at, \
         updated_at, status_by, status_reason, assigned_to, settled_by"
    };
}
macro_rules! finding_filter {
    () => {
        "FROM reconciliation_findings
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR provider = $2)
           AND ($3::text IS NULL OR finding_type = $3)
           AND ($4::text IS NULL OR severity = $4)
           AND ($5::text IS NULL OR status = $5)
           AND ($6::uuid IS NULL OR last_run_id = $6)
           AND ($7::uuid IS NULL OR assigned_to = $7)
           AND (NOT $8::boolean OR assigned_to IS NULL)
           AND ($9::text IS NULL OR provider_event_id = $9)"
    };
}

statements! {
    /// In order of their keys, so that two runs over the same rows wait for each other and never both ways.
    LOCK_KNOWN = "SELECT f.id, f.provider, f.provider_event_id, f.finding_type, f.status, f.settled_by,
                f.statement_amount, f.ledger_amount
         FROM reconciliation_findings f
         WHERE f.tenant_id = $1 AND (f.provider, f.provider_event_id, f.finding_type) IN (
             SELECT * FROM unnest($2::text[], $3::text[], $4::text[]))
         ORDER BY f.provider, f.provider_event_id, f.finding_type FOR NO KEY UPDATE";
    /// A row that was just inserted has no `xmax`.
    UPSERT = concat!("INSERT INTO reconciliation_findings AS f (tenant_id, ", finding_columns!(), ")
         SELECT $1, rows.* FROM unnest(
             $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
             $10::bigint[], $11::bigint[], $12::uuid[], $13::text[], $14::uuid[], $15::uuid[], $16::timestamptz[],
             $17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[], $21::uuid[], $22::uuid[]) AS rows
         ON CONFLICT ON CONSTRAINT uq_recon_provider_event_type DO UPDATE
         SET provider_ref = excluded.provider_ref, severity = excluded.severity, currency = excluded.currency,
             statement_amount = excluded.statement_amount, ledger_amount = excluded.ledger_amount,
             transaction_id = excluded.transaction_id, details = excluded.details,
             last_run_id = coalesce(excluded.last_run_id, f.last_run_id), occurred_at = excluded.occurred_at,
             updated_at = excluded.updated_at
         WHERE f.tenant_id = excluded.tenant_id
         RETURNING (f.xmax = 0) AS created");
    /// These were resolved, are locked, and are found again.
    REOPEN = "WITH reopened AS (
             UPDATE reconciliation_findings
             SET status = 'OPEN', status_by = 'system:reconciliation', settled_by = NULL,
                 status_reason = 'found again' || coalesce(' by run ' || last_run_id::text, '')
             WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) AND status = 'RESOLVED'
             RETURNING id, status_reason)
         INSERT INTO finding_events (tenant_id, finding_id, kind, actor, from_value, to_value, text, at)
         SELECT $1, id, 'status', 'system:reconciliation', 'RESOLVED', 'OPEN', status_reason, $3
         FROM reopened ORDER BY id";
    RESOLVE_VANISHED = "WITH gone AS (
             SELECT id, status FROM reconciliation_findings
             WHERE tenant_id = $1 AND provider = $2
               AND occurred_at >= least($3::timestamptz, $7::timestamptz)
               AND occurred_at < greatest($4::timestamptz, $8::timestamptz)
               AND status IN ('OPEN', 'ACKNOWLEDGED') AND last_run_id <> $5
               AND CASE WHEN substr(provider_event_id, 1, 5) = 'bank:'
                        THEN $9 AND occurred_at >= $3 AND occurred_at < $4
                        WHEN statement_amount IS NULL THEN occurred_at >= $7 AND occurred_at < $8
                        ELSE occurred_at >= $3 AND occurred_at < $4 END
             ORDER BY provider, provider_event_id, finding_type FOR NO KEY UPDATE),
         resolved AS (
             UPDATE reconciliation_findings f
             SET status = 'RESOLVED', status_by = 'system:reconciliation',
                 status_reason = 'not found again by run ' || $5::uuid::text, updated_at = $6
             FROM gone WHERE f.id = gone.id
             RETURNING f.id, gone.status, f.status_reason)
         INSERT INTO finding_events (tenant_id, finding_id, kind, actor, from_value, to_value, text, at)
         SELECT $1, id, 'status', 'system:reconciliation', status, 'RESOLVED', status_reason, $6
         FROM resolved ORDER BY id";
    BY_ID = concat!("SELECT ", finding_columns!(), " FROM reconciliation_findings WHERE tenant_id = $1 AND id = $2");
    LOCK = concat!("SELECT ", finding_columns!(), " FROM reconciliation_findings
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE");
    UPDATE = "UPDATE reconciliation_findings
         SET status = $3, status_by = $4, status_reason = $5, updated_at = $6, assigned_to = $7, settled_by = $8
         WHERE tenant_id = $1 AND id = $2";
    LIST = concat!("SELECT ", finding_columns!(), " ", finding_filter!(), "
           AND ($10::uuid IS NULL OR id < $10)
         ORDER BY id DESC LIMIT $11 OFFSET $12");
    COUNT = concat!("SELECT count(*) ", finding_filter!());
    COUNT_BY_TYPE = concat!("SELECT finding_type, count(*) AS findings ", finding_filter!(), "
         GROUP BY finding_type ORDER BY finding_type");
}

fn finding(row: &Row) -> Result<StoredFinding> {
    let record = Record::new(row, "reconciliation_findings", "id");
    Ok(StoredFinding {
        id: record.id("id")?,
        provider: record.word("provider")?,
        provider_event_id: record.get("provider_event_id")?,
        provider_ref: record.get("provider_ref")?,
        finding_type: record.word("finding_type")?,
        severity: record.word("severity")?,
        status: record.word("status")?,
        currency: record.maybe_word("currency")?,
        statement_amount: record.get("statement_amount")?,
        ledger_amount: record.get("ledger_amount")?,
        transaction: record.maybe_id("transaction_id")?,
        details: record.get("details")?,
        run: record.maybe_id("run_id")?,
        last_run: record.maybe_id("last_run_id")?,
        occurred_at: record.get("occurred_at")?,
        created_at: record.get("created_at")?,
        updated_at: record.get("updated_at")?,
        status_by: record.get("status_by")?,
        status_reason: record.get("status_reason")?,
        assigned_to: record.maybe_id("assigned_to")?,
        settled_by: record.maybe_id("settled_by")?,
    })
}

/// A filter as parameters.
struct Filters<'a> {
    provider: Option<&'a str>,
    finding_type: Option<&'static str>,
    severity: Option<&'static str>,
    status: Option<&'static str>,
    run: Option<Uuid>,
    assigned_to: Option<Uuid>,
    unassigned: bool,
    event_id: Option<&'a str>,
}

impl<'a> Filters<'a> {
    fn of(filter: &'a FindingFilter) -> Self {
        Self {
            provider: filter.provider.as_ref().map(ProviderKey::as_str),
            finding_type: filter.finding_type.map(FindingType::as_str),
            severity: filter.severity.map(Severity::as_str),
            status: filter.status.map(FindingStatus::as_str),
            run: filter.run.map(|it| it.0),
            assigned_to: match filter.assigned_to {
                Some(Assignee::Staff(id)) => Some(id.0),
                Some(Assignee::Nobody) | None => None,
            },
            unassigned: filter.assigned_to == Some(Assignee::Nobody),
            event_id: filter.event_id.as_deref(),
        }
    }

    fn params<'b>(&'b self, tenant: &'b i32) -> [(Param<'b>, Type); 9] {
        [
            (tenant, Type::INT4),
            (&self.provider, Type::TEXT),
            (&self.finding_type, Type::TEXT),
            (&self.severity, Type::TEXT),
            (&self.status, Type::TEXT),
            (&self.run, Type::UUID),
            (&self.assigned_to, Type::UUID),
            (&self.unassigned, Type::BOOL),
            (&self.event_id, Type::TEXT),
        ]
    }
}

#[async_trait]
impl Findings for PgTx {
    async fn upsert_findings(&mut self, findings: &[StoredFinding]) -> Result<Upserted> {
        upsert::all(self, findings).await
    }

    async fn resolve_vanished(&mut self, run: &Answered, at: Timestamp) -> Result<u64> {
        self.session
            .execute(
                RESOLVE_VANISHED,
                &[
                    &self.tenant,
                    &run.provider.as_str(),
                    &run.window.start(),
                    &run.window.end(),
                    &run.run.0,
                    &at,
                    &run.lone_ledger.start(),
                    &run.lone_ledger.end(),
                    &run.bank,
                ],
            )
            .await
    }

    async fn finding(&mut self, id: FindingId) -> Result<Option<StoredFinding>> {
        let row = self.session.row(BY_ID, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(finding).transpose()
    }

    async fn lock_finding(&mut self, id: FindingId) -> Result<Option<StoredFinding>> {
        let row = self.session.row(LOCK, &[&self.tenant, &id.0]).await?;
        row.as_ref().map(finding).transpose()
    }

    async fn update_finding(&mut self, it: &StoredFinding) -> Result<()> {
        let updated = self
            .session
            .execute(
                UPDATE,
                &[
                    &self.tenant,
                    &it.id.0,
                    &it.status.as_str(),
                    &it.status_by,
                    &it.status_reason,
                    &it.updated_at,
                    &it.assigned_to.map(|it| it.0),
                    &it.settled_by.map(|it| it.0),
                ],
            )
            .await?;
        StoreError::expect_rows("findings::UPDATE", 1, updated)
    }

    async fn findings(
        &mut self,
        filter: &FindingFilter,
        page: &Page<FindingId>,
    ) -> Result<Paged<StoredFinding, FindingId>> {
        let filters = Filters::of(filter);
        self.session
            .page(LIST, COUNT, &filters.params(&self.tenant), page, finding, |it| {
                it.id
            })
            .await
    }

    async fn count_findings(&mut self, filter: &FindingFilter) -> Result<Vec<(FindingType, u64)>> {
        let filters = Filters::of(filter);
        let params = filters.params(&self.tenant);
        let rows = self
            .session
            .run(self.session.client().query_typed(COUNT_BY_TYPE, &params))
            .await?;
        rows.iter()
            .map(|row| {
                let record = Record::new(row, "reconciliation_findings", "finding_type");
                let count: i64 = record.get("findings")?;
                Ok((record.word("finding_type")?, count.unsigned_abs()))
            })
            .collect()
    }
}

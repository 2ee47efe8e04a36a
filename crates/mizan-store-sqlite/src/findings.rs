//! Findings: what runs found, and what people made of it.

mod upsert;

use async_trait::async_trait;
use mizan_core::{FindingId, Timestamp};
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::findings::{
    Answered, Assignee, FindingFilter, FindingStatus, Findings, StoredFinding, Upserted,
};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp};
use crate::paging::by_id;
use crate::statement::{Statement, all, count, execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    /// A run that does not find again what a run had found says so.
    RESOLVE_VANISHED = "
        UPDATE reconciliation_findings
        SET status = 'RESOLVED', status_by = 'system:reconciliation',
            status_reason = 'not found again by run ' || ?1, updated_at = ?2
        WHERE tenant_id = ?3 AND provider = ?4 AND status IN ('OPEN', 'ACKNOWLEDGED')
          AND occurred_at >= min(?5, ?7) AND occurred_at < max(?6, ?8)
          AND last_run_id <> ?1
          AND CASE WHEN substr(provider_event_id, 1, 5) = 'bank:' THEN ?9 AND occurred_at >= ?5 AND occurred_at < ?6
                   WHEN statement_amount IS NULL THEN occurred_at >= ?7 AND occurred_at < ?8
                   ELSE occurred_at >= ?5 AND occurred_at < ?6 END";

    /// The same, on the timelines; before the update, while it can be told which they are.
    TELL_VANISHED = "
        INSERT INTO finding_events (tenant_id, finding_id, kind, actor, from_value, to_value, text, at)
        SELECT tenant_id, id, 'status', 'system:reconciliation', status, 'RESOLVED',
               'not found again by run ' || ?1, ?2
        FROM reconciliation_findings
        WHERE tenant_id = ?3 AND provider = ?4 AND status IN ('OPEN', 'ACKNOWLEDGED')
          AND occurred_at >= min(?5, ?7) AND occurred_at < max(?6, ?8)
          AND last_run_id <> ?1
          AND CASE WHEN substr(provider_event_id, 1, 5) = 'bank:' THEN ?9 AND occurred_at >= ?5 AND occurred_at < ?6
                   WHEN statement_amount IS NULL THEN occurred_at >= ?7 AND occurred_at < ?8
                   ELSE occurred_at >= ?5 AND occurred_at < ?6 END
        ORDER BY id";

    FINDING = "
        SELECT id, provider, provider_event_id, provider_ref, finding_type, severity, status, currency,
               statement_amount, ledger_amount, transaction_id, details, run_id, last_run_id, occurred_at,
               created_at, updated_at, status_by, status_reason, assigned_to, settled_by
        FROM reconciliation_findings
        WHERE id = ?1 AND tenant_id = ?2";

    UPDATE_FINDING = "
        UPDATE reconciliation_findings
        SET status = ?3, status_by = ?4, status_reason = ?5, updated_at = ?6, assigned_to = ?7, settled_by = ?8
        WHERE id = ?1 AND tenant_id = ?2";

    LIST_FINDINGS = "
        SELECT id, provider, provider_event_id, provider_ref, finding_type, severity, status, currency,
               statement_amount, ledger_amount, transaction_id, details, run_id, last_run_id, occurred_at,
               created_at, updated_at, status_by, status_reason, assigned_to, settled_by
        FROM reconciliation_findings
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR provider = ?3)
          AND (?4 IS NULL OR finding_type = ?4)
          AND (?5 IS NULL OR severity = ?5)
          AND (?6 IS NULL OR status = ?6)
          AND (?7 IS NULL OR last_run_id = ?7)
          AND (?8 IS NULL OR assigned_to = ?8)
          AND (NOT ?9 OR assigned_to IS NULL)
          AND (?10 IS NULL OR provider_event_id = ?10)
        ORDER BY id DESC LIMIT ?11 OFFSET ?12";

    COUNT_FINDINGS = "
        SELECT count(*)
        FROM reconciliation_findings
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR provider = ?2)
          AND (?3 IS NULL OR finding_type = ?3)
          AND (?4 IS NULL OR severity = ?4)
          AND (?5 IS NULL OR status = ?5)
          AND (?6 IS NULL OR last_run_id = ?6)
          AND (?7 IS NULL OR assigned_to = ?7)
          AND (NOT ?8 OR assigned_to IS NULL)
          AND (?9 IS NULL OR provider_event_id = ?9)";

    COUNT_FINDINGS_BY_TYPE = "
        SELECT finding_type, count(*)
        FROM reconciliation_findings
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR provider = ?2)
          AND (?3 IS NULL OR finding_type = ?3)
          AND (?4 IS NULL OR severity = ?4)
          AND (?5 IS NULL OR status = ?5)
          AND (?6 IS NULL OR last_run_id = ?6)
          AND (?7 IS NULL OR assigned_to = ?7)
          AND (NOT ?8 OR assigned_to IS NULL)
          AND (?9 IS NULL OR provider_event_id = ?9)
        GROUP BY finding_type
        ORDER BY finding_type";
}

/// The statements of the upsert.
pub(crate) const UPSERTS: &[Statement] = upsert::STATEMENTS;

#[async_trait]
impl Findings for SqliteTx {
    async fn upsert_findings(&mut self, findings: &[StoredFinding]) -> Result<Upserted> {
        let findings = findings.to_vec();
        self.within(move |db, tenant| upsert::all(db, tenant, &findings))
            .await
    }

    async fn resolve_vanished(&mut self, run: &Answered, at: Timestamp) -> Result<u64> {
        let run = run.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(run.run.0),
                stamp(at),
                tenant,
                run.provider.as_str(),
                stamp(run.window.start()),
                stamp(run.window.end()),
                stamp(run.lone_ledger.start()),
                stamp(run.lone_ledger.end()),
                run.bank
            ];
            execute(db, &TELL_VANISHED, params)?;
            execute(db, &RESOLVE_VANISHED, params)
        })
        .await
    }

    async fn finding(&mut self, id: FindingId) -> Result<Option<StoredFinding>> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant];
            first(db, &FINDING, params, "reconciliation_findings", finding_row)
        })
        .await
    }

    async fn lock_finding(&mut self, id: FindingId) -> Result<Option<StoredFinding>> {
        self.finding(id).await
    }

    async fn update_finding(&mut self, finding: &StoredFinding) -> Result<()> {
        let it = finding.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(it.id.0),
                tenant,
                it.status.as_str(),
                it.status_by,
                it.status_reason,
                stamp(it.updated_at),
                it.assigned_to.map(|it| id_text(it.0)),
                it.settled_by.map(|it| id_text(it.0))
            ];
            execute_one(db, &UPDATE_FINDING, params)
        })
        .await
    }

    async fn findings(
        &mut self,
        filter: &FindingFilter,
        page: &Page<FindingId>,
    ) -> Result<Paged<StoredFinding, FindingId>> {
        let (filter, page) = (Filter::of(filter), *page);
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let [provider, kind, severity, status, run, assigned, event] = &filter.texts;
            let nobody = filter.unassigned;
            let params = params![
                tenant, at.before, provider, kind, severity, status, run, assigned, nobody, event, at.limit,
                at.offset
            ];
            let rows = all(db, &LIST_FINDINGS, params, "reconciliation_findings", finding_row)?;
            let params = params![
                tenant, provider, kind, severity, status, run, assigned, nobody, event
            ];
            let counted = || count(db, &COUNT_FINDINGS, params);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }

    async fn count_findings(&mut self, filter: &FindingFilter) -> Result<Vec<(FindingType, u64)>> {
        let filter = Filter::of(filter);
        self.within(move |db, tenant| {
            let [provider, kind, severity, status, run, assigned, event] = &filter.texts;
            let nobody = filter.unassigned;
            let params = params![
                tenant, provider, kind, severity, status, run, assigned, nobody, event
            ];
            all(
                db,
                &COUNT_FINDINGS_BY_TYPE,
                params,
                "reconciliation_findings",
                |row| {
                    let kind = row.parsed("finding_type")?;
                    Ok((kind, row.get::<i64>("count")?.unsigned_abs()))
                },
            )
        })
        .await
    }
}

/// A filter the way the statements take it.
struct Filter {
    /// Provider, type, severity, status, run, assignee, event id.
    texts: [Option<String>; 7],
    unassigned: bool,
}

impl Filter {
    fn of(filter: &FindingFilter) -> Self {
        let assigned = match filter.assigned_to {
            Some(Assignee::Staff(id)) => Some(id_text(id.0)),
            Some(Assignee::Nobody) | None => None,
        };
        let texts = [
            filter.provider.as_ref().map(|it| it.as_str().to_owned()),
            filter.finding_type.map(|it| FindingType::as_str(it).to_owned()),
            filter.severity.map(|it| Severity::as_str(it).to_owned()),
            filter.status.map(|it| FindingStatus::as_str(it).to_owned()),
            filter.run.map(|it| id_text(it.0)),
            assigned,
            filter.event_id.clone(),
        ];
        let unassigned = filter.assigned_to == Some(Assignee::Nobody);
        Self { texts, unassigned }
    }
}

fn finding_row(row: &mut Cells<'_>) -> Result<StoredFinding> {
    Ok(StoredFinding {
        id: row.id("id")?,
        provider: row.parsed("provider")?,
        provider_event_id: row.get("provider_event_id")?,
        provider_ref: row.get("provider_ref")?,
        finding_type: row.parsed("finding_type")?,
        severity: row.parsed("severity")?,
        status: row.parsed("status")?,
        currency: row.parsed_opt("currency")?,
        statement_amount: row.get("statement_amount")?,
        ledger_amount: row.get("ledger_amount")?,
        transaction: row.id_opt("transaction_id")?,
        details: row.get("details")?,
        run: row.id_opt("run_id")?,
        last_run: row.id_opt("last_run_id")?,
        occurred_at: row.time_opt("occurred_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        status_by: row.get("status_by")?,
        status_reason: row.get("status_reason")?,
        assigned_to: row.id_opt("assigned_to")?,
        settled_by: row.id_opt("settled_by")?,
    })
}

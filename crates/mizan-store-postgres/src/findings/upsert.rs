//! Keeping the findings of a run: two statements for thousands of rows.

use std::collections::BTreeMap;

use mizan_core::{Currency, Timestamp};
use mizan_store::findings::{FindingStatus, StoredFinding, Upserted};
use mizan_store::{Result, StoreError};
use uuid::Uuid;

use super::{LOCK_KNOWN, REOPEN, UPSERT};
use crate::record::Record;
use crate::tx::PgTx;

/// Rows per statement: bounds the memory on both sides.
const CHUNK: usize = 4_000;

/// Keeps findings in order of their keys. Of two with one key the later one counts.
pub(super) async fn all(tx: &PgTx, findings: &[StoredFinding]) -> Result<Upserted> {
    let by_key: BTreeMap<_, &StoredFinding> = findings
        .iter()
        .map(|it| {
            let key = (
                it.provider.as_str(),
                it.provider_event_id.as_str(),
                it.finding_type.as_str(),
            );
            (key, it)
        })
        .collect();
    let ordered: Vec<&StoredFinding> = by_key.into_values().collect();
    let mut sum = Upserted::default();
    for chunk in ordered.chunks(CHUNK) {
        let done = keep(tx, chunk).await?;
        sum.created += done.created;
        sum.seen_again += done.seen_again;
        sum.reopened += done.reopened;
    }
    Ok(sum)
}

async fn keep(tx: &PgTx, rows: &[&StoredFinding]) -> Result<Upserted> {
    let providers: Vec<&str> = rows.iter().map(|it| it.provider.as_str()).collect();
    let events: Vec<&str> = rows.iter().map(|it| it.provider_event_id.as_str()).collect();
    let types: Vec<&str> = rows.iter().map(|it| it.finding_type.as_str()).collect();
    let known = tx
        .session
        .rows(LOCK_KNOWN, &[&tx.tenant, &providers, &events, &types])
        .await?;
    let mut again = Vec::new();
    for row in &known {
        again.extend(opens_again(
            &Record::new(row, "reconciliation_findings", "id"),
            rows,
        )?);
    }

    let ids: Vec<Uuid> = rows.iter().map(|it| it.id.0).collect();
    let refs: Vec<Option<&str>> = rows.iter().map(|it| it.provider_ref.as_deref()).collect();
    let severities: Vec<&str> = rows.iter().map(|it| it.severity.as_str()).collect();
    let statuses: Vec<&str> = rows.iter().map(|it| it.status.as_str()).collect();
    let currencies: Vec<Option<&str>> = rows
        .iter()
        .map(|it| it.currency.as_ref().map(Currency::code))
        .collect();
    let statement_amounts: Vec<Option<i64>> = rows.iter().map(|it| it.statement_amount).collect();
    let ledger_amounts: Vec<Option<i64>> = rows.iter().map(|it| it.ledger_amount).collect();
    let transactions: Vec<Option<Uuid>> = rows.iter().map(|it| it.transaction.map(|id| id.0)).collect();
    let details: Vec<&str> = rows.iter().map(|it| it.details.as_str()).collect();
    let runs: Vec<Option<Uuid>> = rows.iter().map(|it| it.run.map(|id| id.0)).collect();
    let last_runs: Vec<Option<Uuid>> = rows.iter().map(|it| it.last_run.map(|id| id.0)).collect();
    let occurred: Vec<Option<Timestamp>> = rows.iter().map(|it| it.occurred_at).collect();
    let created: Vec<Timestamp> = rows.iter().map(|it| it.created_at).collect();
    let updated: Vec<Timestamp> = rows.iter().map(|it| it.updated_at).collect();
    let status_by: Vec<Option<&str>> = rows.iter().map(|it| it.status_by.as_deref()).collect();
    let reasons: Vec<Option<&str>> = rows.iter().map(|it| it.status_reason.as_deref()).collect();
    let assigned: Vec<Option<Uuid>> = rows.iter().map(|it| it.assigned_to.map(|id| id.0)).collect();
    let settled: Vec<Option<Uuid>> = rows.iter().map(|it| it.settled_by.map(|id| id.0)).collect();
    #[rustfmt::skip]
    let kept = tx.session.rows(UPSERT, &[
        &tx.tenant, &ids, &providers, &events, &refs, &types, &severities, &statuses, &currencies,
        &statement_amounts, &ledger_amounts, &transactions, &details, &runs, &last_runs, &occurred,
        &created, &updated, &status_by, &reasons, &assigned, &settled,
    ]).await?;
    StoreError::expect_rows("findings::UPSERT", rows.len() as u64, kept.len() as u64)?;

    let mut reopened = 0;
    if let (false, Some(first)) = (again.is_empty(), rows.first()) {
        let at = first.updated_at;
        reopened = tx.session.execute(REOPEN, &[&tx.tenant, &again, &at]).await?;
        StoreError::expect_rows("findings::REOPEN", again.len() as u64, reopened)?;
    }

    let mut created = 0;
    for row in &kept {
        let new: bool = Record::new(row, "reconciliation_findings", "created").get("created")?;
        created += u64::from(new);
    }
    Ok(Upserted {
        created,
        seen_again: kept.len() as u64 - created - reopened,
        reopened,
    })
}

/// The id of a known finding that has to be opened again: it is resolved, and no transaction settled just these
/// amounts. `rows` are in order of their keys.
fn opens_again(known: &Record<'_>, rows: &[&StoredFinding]) -> Result<Option<Uuid>> {
    let status: FindingStatus = known.word("status")?;
    if status != FindingStatus::Resolved {
        return Ok(None);
    }
    let id: Uuid = known.get("id")?;
    let settled: Option<Uuid> = known.get("settled_by")?;
    let (provider, event): (&str, &str) = (known.get("provider")?, known.get("provider_event_id")?);
    let kind: &str = known.get("finding_type")?;
    let wanted = (provider, event, kind);
    let found = rows.binary_search_by(|it| {
        let key = (
            it.provider.as_str(),
            it.provider_event_id.as_str(),
            it.finding_type.as_str(),
        );
        key.cmp(&wanted)
    });
    let amounts: (Option<i64>, Option<i64>) = (known.get("statement_amount")?, known.get("ledger_amount")?);
    let unchanged = found
        .ok()
        .and_then(|at| rows.get(at))
        .is_some_and(|it| (it.statement_amount, it.ledger_amount) == amounts);
    Ok((settled.is_none() || !unchanged).then_some(id))
}

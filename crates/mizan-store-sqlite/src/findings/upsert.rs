//! Keeping what a run found: new ones are inserted, known ones brought up to date, resolved ones opened again.
//!
//! The transaction holds the lock of the file, so what is read of a finding holds until it is written.

use std::collections::{BTreeMap, HashMap};

use mizan_core::{Currency, ProviderKey};
use mizan_store::findings::{FindingStatus, StoredFinding, Upserted};
use mizan_store::{Result, StoreError};
use rusqlite::{CachedStatement, Connection, params};

use crate::cells::{id_text, stamp, stamp_opt};
use crate::statement::{all as all_rows, execute_one, prepare, run_one, statements};

statements! {
    /// Of a chunk of keys, as a JSON array of `[provider, event id, type]`, those that are kept, with their places.
    KNOWN_FINDINGS = "
        SELECT k.key, f.id, f.status, f.settled_by, f.statement_amount, f.ledger_amount
        FROM json_each(?1) AS k
        CROSS JOIN reconciliation_findings AS f
            ON f.provider = k.value ->> 0 AND f.provider_event_id = k.value ->> 1 AND f.finding_type = k.value ->> 2
        WHERE f.tenant_id = ?2";

    INSERT_FINDING = "
        INSERT INTO reconciliation_findings (
            id, tenant_id, provider, provider_event_id, provider_ref, finding_type, severity, status, currency,
            statement_amount, ledger_amount, transaction_id, details, run_id, last_run_id, occurred_at, created_at,
            updated_at, status_by, status_reason, assigned_to, settled_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";

    SEE_AGAIN = "
        UPDATE reconciliation_findings
        SET provider_ref = ?3, severity = ?4, currency = ?5, statement_amount = ?6,
            ledger_amount = ?7, transaction_id = ?8, details = ?9, last_run_id = coalesce(?10, last_run_id),
            occurred_at = ?11, updated_at = ?12
        WHERE id = ?1 AND tenant_id = ?2";

    REOPEN_FINDING = "
        UPDATE reconciliation_findings
        SET status = 'OPEN', status_by = 'system:reconciliation', settled_by = NULL,
            status_reason = 'found again' || coalesce(' by run ' || last_run_id, '')
        WHERE id = ?1 AND tenant_id = ?2";

    TELL_REOPENED = "
        INSERT INTO finding_events (tenant_id, finding_id, kind, actor, from_value, to_value, text, at)
        SELECT tenant_id, id, 'status', 'system:reconciliation', 'RESOLVED', 'OPEN', status_reason, updated_at
        FROM reconciliation_findings
        WHERE id = ?1 AND tenant_id = ?2";
}

/// Rows that are looked up at once; bounds the text of their keys.
const CHUNK: usize = 1_000;

/// Keeps findings in order of their keys. Of two with one key the later one counts.
pub(super) fn all(db: &Connection, tenant: i32, findings: &[StoredFinding]) -> Result<Upserted> {
    let key = |it: &StoredFinding| (it.provider.clone(), it.provider_event_id.clone(), it.finding_type);
    let by_key: BTreeMap<_, _> = findings.iter().map(|it| (key(it), it)).collect();
    let ordered: Vec<&StoredFinding> = by_key.into_values().collect();
    let mut done = Upserted::default();
    // One statement each for all rows: they are bound anew, not looked up anew.
    let (mut inserts, mut updates) = (prepare(db, &INSERT_FINDING)?, prepare(db, &SEE_AGAIN)?);
    for chunk in ordered.chunks(CHUNK) {
        let mut known = known(db, tenant, chunk)?;
        for (place, finding) in chunk.iter().enumerate() {
            match known.remove(&place) {
                None => {
                    insert(&mut inserts, tenant, finding)?;
                    done.created += 1;
                }
                Some(known) => {
                    see_again(&mut updates, tenant, &known.id, finding)?;
                    if known.opens_again(finding) {
                        execute_one(db, &REOPEN_FINDING, params![known.id, tenant])?;
                        execute_one(db, &TELL_REOPENED, params![known.id, tenant])?;
                        done.reopened += 1;
                    } else {
                        done.seen_again += 1;
                    }
                }
            }
        }
    }
    Ok(done)
}

/// What is kept of a finding already.
struct Known {
    id: String,
    status: FindingStatus,
    settled_by: Option<String>,
    amounts: (Option<i64>, Option<i64>),
}

impl Known {
    /// Whether it is resolved, and not by a transaction that settled just these amounts.
    fn opens_again(&self, found: &StoredFinding) -> bool {
        let unchanged = self.amounts == (found.statement_amount, found.ledger_amount);
        self.status == FindingStatus::Resolved && !(self.settled_by.is_some() && unchanged)
    }
}

/// What is kept of a chunk's findings already, by their places in it.
fn known(db: &Connection, tenant: i32, chunk: &[&StoredFinding]) -> Result<HashMap<usize, Known>> {
    let keys: Vec<_> = chunk
        .iter()
        .map(|it| {
            [
                it.provider.as_str(),
                &it.provider_event_id,
                it.finding_type.as_str(),
            ]
        })
        .collect();
    let keys = serde_json::to_string(&keys).map_err(|error| StoreError::Database(error.into()))?;
    let rows = all_rows(
        db,
        &KNOWN_FINDINGS,
        params![keys, tenant],
        "reconciliation_findings",
        |row| {
            let place: i64 = row.get("key")?;
            let known = Known {
                id: row.get("id")?,
                status: row.parsed("status")?,
                settled_by: row.get("settled_by")?,
                amounts: (row.get("statement_amount")?, row.get("ledger_amount")?),
            };
            Ok((place, known))
        },
    )?;
    let placed = rows.into_iter();
    Ok(placed
        .filter_map(|(place, known)| Some((usize::try_from(place).ok()?, known)))
        .collect())
}

fn insert(statement: &mut CachedStatement<'_>, tenant: i32, it: &StoredFinding) -> Result<()> {
    let params = params![
        id_text(it.id.0),
        tenant,
        ProviderKey::as_str(&it.provider),
        it.provider_event_id,
        it.provider_ref,
        it.finding_type.as_str(),
        it.severity.as_str(),
        it.status.as_str(),
        it.currency.as_ref().map(Currency::code),
        it.statement_amount,
        it.ledger_amount,
        it.transaction.map(|it| id_text(it.0)),
        it.details,
        it.run.map(|it| id_text(it.0)),
        it.last_run.map(|it| id_text(it.0)),
        stamp_opt(it.occurred_at),
        stamp(it.created_at),
        stamp(it.updated_at),
        it.status_by,
        it.status_reason,
        it.assigned_to.map(|it| id_text(it.0)),
        it.settled_by.map(|it| id_text(it.0))
    ];
    run_one(statement, &INSERT_FINDING, params)
}

fn see_again(statement: &mut CachedStatement<'_>, tenant: i32, id: &str, it: &StoredFinding) -> Result<()> {
    let params = params![
        id,
        tenant,
        it.provider_ref,
        it.severity.as_str(),
        it.currency.as_ref().map(Currency::code),
        it.statement_amount,
        it.ledger_amount,
        it.transaction.map(|it| id_text(it.0)),
        it.details,
        it.last_run.map(|it| id_text(it.0)),
        stamp_opt(it.occurred_at),
        stamp(it.updated_at)
    ];
    run_one(statement, &SEE_AGAIN, params)
}

//! Audit rows: written in the transaction of the change they tell of.

use mizan_core::Timestamp;
use mizan_store::audit::{AuditFilter, AuditRow};
use mizan_store::{Page, Paged, StoreError, Tx};

use crate::{App, Caller, Result};

/// What was changed.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    pub action: &'a str,
    pub subject_type: &'a str,
    pub subject_id: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub reason: Option<String>,
    pub details: Option<serde_json::Value>,
}

/// Writes who changed what.
pub(crate) async fn write(
    tx: &mut dyn Tx,
    caller: &Caller,
    now: Timestamp,
    change: Change<'_>,
) -> Result<(), StoreError> {
    tx.append_audit(&row(caller, now, change)).await
}

/// Who changed what, as it is written.
pub(crate) fn row(caller: &Caller, now: Timestamp, change: Change<'_>) -> AuditRow {
    AuditRow {
        id: 0,
        at: now,
        actor: caller.actor.to_string(),
        actor_role: caller.role().map(|it| it.as_str().to_owned()),
        action: change.action.to_owned(),
        subject_type: change.subject_type.to_owned(),
        subject_id: change.subject_id,
        from_state: change.from,
        to_state: change.to,
        reason: change.reason,
        request_id: caller.request_id.clone(),
        details: change.details.map(|it| it.to_string()),
    }
}

/// Lists the log, newest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &AuditFilter,
    page: &Page<i64>,
) -> Result<Paged<AuditRow, i64>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.audit(filter, page).await?)
}

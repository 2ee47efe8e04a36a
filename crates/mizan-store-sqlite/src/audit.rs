//! The audit log.

use async_trait::async_trait;
use mizan_store::audit::{Audit, AuditFilter, AuditRow};
use mizan_store::{Page, Paged, Result};
use rusqlite::{Connection, params};

use crate::cells::{Cells, stamp};
use crate::paging::by_number;
use crate::statement::{all, count, execute_one, statements};
use crate::tx::SqliteTx;

statements! {
    APPEND_AUDIT = "
        INSERT INTO audit_log (tenant_id, at, actor, actor_role, action, subject_type, subject_id, from_state,
                               to_state, reason, request_id, details)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

    LIST_AUDIT = "
        SELECT id, at, actor, actor_role, action, subject_type, subject_id, from_state, to_state, reason,
               request_id, details
        FROM audit_log
        WHERE tenant_id = ?1 AND id < ?2
          AND (?3 IS NULL OR subject_type = ?3)
          AND (?4 IS NULL OR subject_id = ?4)
          AND (?5 IS NULL OR actor = ?5)
          AND (?6 IS NULL OR action = ?6)
        ORDER BY id DESC LIMIT ?7 OFFSET ?8";

    /// The trail of one subject has an index of its own.
    LIST_AUDIT_OF_SUBJECT = "
        SELECT id, at, actor, actor_role, action, subject_type, subject_id, from_state, to_state, reason,
               request_id, details
        FROM audit_log
        WHERE tenant_id = ?1 AND subject_type = ?3 AND subject_id = ?4 AND id < ?2
          AND (?5 IS NULL OR actor = ?5)
          AND (?6 IS NULL OR action = ?6)
        ORDER BY id DESC LIMIT ?7 OFFSET ?8";

    COUNT_AUDIT = "
        SELECT count(*)
        FROM audit_log
        WHERE tenant_id = ?1
          AND (?2 IS NULL OR subject_type = ?2)
          AND (?3 IS NULL OR subject_id = ?3)
          AND (?4 IS NULL OR actor = ?4)
          AND (?5 IS NULL OR action = ?5)";
}

#[async_trait]
impl Audit for SqliteTx {
    async fn append_audit(&mut self, row: &AuditRow) -> Result<()> {
        self.append_audits(std::slice::from_ref(row)).await
    }

    async fn append_audits(&mut self, rows: &[AuditRow]) -> Result<()> {
        let rows = rows.to_vec();
        self.within(move |db, tenant| rows.iter().try_for_each(|it| append(db, tenant, it)))
            .await
    }

    async fn audit(&mut self, filter: &AuditFilter, page: &Page<i64>) -> Result<Paged<AuditRow, i64>> {
        let (it, page) = (filter.clone(), *page);
        self.within(move |db, tenant| {
            let at = by_number(&page, |it| *it);
            let list = match (&it.subject_type, &it.subject_id) {
                (Some(_), Some(_)) => &LIST_AUDIT_OF_SUBJECT,
                _ => &LIST_AUDIT,
            };
            let params = params![
                tenant,
                at.before,
                it.subject_type,
                it.subject_id,
                it.actor,
                it.action,
                at.limit,
                at.offset
            ];
            let rows = all(db, list, params, "audit_log", audit_row)?;
            let params = params![tenant, it.subject_type, it.subject_id, it.actor, it.action];
            let counted = || count(db, &COUNT_AUDIT, params);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }
}

fn append(db: &Connection, tenant: i32, it: &AuditRow) -> Result<()> {
    let params = params![
        tenant,
        stamp(it.at),
        it.actor,
        it.actor_role,
        it.action,
        it.subject_type,
        it.subject_id,
        it.from_state,
        it.to_state,
        it.reason,
        it.request_id,
        it.details
    ];
    execute_one(db, &APPEND_AUDIT, params)
}

fn audit_row(row: &mut Cells<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        id: row.get("id")?,
        at: row.time("at")?,
        actor: row.get("actor")?,
        actor_role: row.get("actor_role")?,
        action: row.get("action")?,
        subject_type: row.get("subject_type")?,
        subject_id: row.get("subject_id")?,
        from_state: row.get("from_state")?,
        to_state: row.get("to_state")?,
        reason: row.get("reason")?,
        request_id: row.get("request_id")?,
        details: row.get("details")?,
    })
}

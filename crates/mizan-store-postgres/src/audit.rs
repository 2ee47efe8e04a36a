//! The audit log.

use async_trait::async_trait;
use mizan_store::audit::{Audit, AuditFilter, AuditRow};
use mizan_store::{Page, Paged, Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::{Record, column};
use crate::session::Param;
use crate::statements::statements;
use crate::tx::PgTx;

macro_rules! audit_filter {
    () => {
        "FROM audit_log
         WHERE tenant_id = $1
           AND ($2::text IS NULL OR subject_type = $2)
           AND ($3::text IS NULL OR subject_id = $3)
           AND ($4::text IS NULL OR actor = $4)
           AND ($5::text IS NULL OR action = $5)"
    };
}

statements! {
    APPEND = "INSERT INTO audit_log (tenant_id, at, actor, actor_role, action, subject_type, subject_id,
                                from_state, to_state, reason, request_id, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    APPEND_ALL = "INSERT INTO audit_log (tenant_id, at, actor, actor_role, action, subject_type, subject_id,
                                from_state, to_state, reason, request_id, details)
         SELECT $1, rows.* FROM unnest(
             $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
             $10::text[], $11::text[], $12::text[]) AS rows";
    LIST = concat!("SELECT id, at, actor, actor_role, action, subject_type, subject_id, from_state, to_state,
                reason, request_id, details ", audit_filter!(), "
           AND ($6::bigint IS NULL OR id < $6)
         ORDER BY id DESC LIMIT $7 OFFSET $8");
    COUNT = concat!("SELECT count(*) ", audit_filter!());
}

fn audit_row(row: &Row) -> Result<AuditRow> {
    let record = Record::new(row, "audit_log", "id");
    Ok(AuditRow {
        id: record.get("id")?,
        at: record.get("at")?,
        actor: record.get("actor")?,
        actor_role: record.get("actor_role")?,
        action: record.get("action")?,
        subject_type: record.get("subject_type")?,
        subject_id: record.get("subject_id")?,
        from_state: record.get("from_state")?,
        to_state: record.get("to_state")?,
        reason: record.get("reason")?,
        request_id: record.get("request_id")?,
        details: record.get("details")?,
    })
}

#[async_trait]
impl Audit for PgTx {
    async fn append_audit(&mut self, row: &AuditRow) -> Result<()> {
        let appended = self
            .session
            .execute(
                APPEND,
                &[
                    &self.tenant,
                    &row.at,
                    &row.actor,
                    &row.actor_role,
                    &row.action,
                    &row.subject_type,
                    &row.subject_id,
                    &row.from_state,
                    &row.to_state,
                    &row.reason,
                    &row.request_id,
                    &row.details,
                ],
            )
            .await?;
        StoreError::expect_rows("APPEND", 1, appended)
    }

    async fn append_audits(&mut self, rows: &[AuditRow]) -> Result<()> {
        let appended = self
            .session
            .execute(
                APPEND_ALL,
                &[
                    &self.tenant,
                    &column(rows, |it| it.at),
                    &column(rows, |it| it.actor.as_str()),
                    &column(rows, |it| it.actor_role.as_deref()),
                    &column(rows, |it| it.action.as_str()),
                    &column(rows, |it| it.subject_type.as_str()),
                    &column(rows, |it| it.subject_id.as_str()),
                    &column(rows, |it| it.from_state.as_deref()),
                    &column(rows, |it| it.to_state.as_deref()),
                    &column(rows, |it| it.reason.as_deref()),
                    &column(rows, |it| it.request_id.as_deref()),
                    &column(rows, |it| it.details.as_deref()),
                ],
            )
            .await?;
        StoreError::expect_rows("APPEND_ALL", rows.len() as u64, appended)
    }

    async fn audit(&mut self, filter: &AuditFilter, page: &Page<i64>) -> Result<Paged<AuditRow, i64>> {
        let filters: [(Param<'_>, Type); 5] = [
            (&self.tenant, Type::INT4),
            (&filter.subject_type, Type::TEXT),
            (&filter.subject_id, Type::TEXT),
            (&filter.actor, Type::TEXT),
            (&filter.action, Type::TEXT),
        ];
        self.session
            .page(LIST, COUNT, &filters, page, audit_row, |it| it.id)
            .await
    }
}

//! The audit log: who changed what, from which state to which, and why.

use async_trait::async_trait;
use mizan_core::Timestamp;

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Given by the store.
    pub id: i64,
    pub at: Timestamp,
    /// `staff:<id>`, `player:<id>`, `service:<id>` or `system:<name>`.
    pub actor: String,
    pub actor_role: Option<String>,
    /// `withdrawal.approve`
    pub action: String,
    pub subject_type: String,
    pub subject_id: String,
    pub from_state: Option<String>,
    pub to_state: Option<String>,
    pub reason: Option<String>,
    pub request_id: Option<String>,
    /// A JSON object.
    pub details: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub subject_type: Option<String>,
    pub subject_id: Option<String>,
    pub actor: Option<String>,
    pub action: Option<String>,
}

#[async_trait]
pub trait Audit {
    /// Appends a row; its `id` is ignored.
    async fn append_audit(&mut self, row: &AuditRow) -> Result<()>;

    /// Appends rows in this order.
    async fn append_audits(&mut self, rows: &[AuditRow]) -> Result<()>;

    /// Newest first.
    async fn audit(&mut self, filter: &AuditFilter, page: &Page<i64>) -> Result<Paged<AuditRow, i64>>;
}

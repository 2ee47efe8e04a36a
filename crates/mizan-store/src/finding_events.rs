//! The timeline of a finding: what people said of it, and what became of it. Appended, never changed.

use async_trait::async_trait;
use mizan_core::{FindingId, Timestamp};

use crate::{Page, Paged, Result};

mizan_core::words! {
    pub enum FindingEventKind {
        Comment = "comment",
        /// The status moved; by a person or by a run.
        Status = "status",
        Assignment = "assignment",
        /// A correction of the ledger was proposed, approved or rejected.
        Adjustment = "adjustment",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEvent {
    /// Given by the store.
    pub id: i64,
    pub finding: FindingId,
    pub kind: FindingEventKind,
    /// `staff:…`, `service:…` or `system:…`
    pub actor: String,
    pub from: Option<String>,
    pub to: Option<String>,
    /// The comment, or the reason.
    pub text: Option<String>,
    pub at: Timestamp,
}

#[async_trait]
pub trait FindingEvents {
    async fn append_finding_event(&mut self, event: &FindingEvent) -> Result<()>;

    /// Newest first.
    async fn finding_events(
        &mut self,
        finding: FindingId,
        page: &Page<i64>,
    ) -> Result<Paged<FindingEvent, i64>>;
}

//! Reconciliation runs. The row is the record of a run; whatever carries the work only points to it.

use async_trait::async_trait;
use mizan_core::{ProviderKey, RunId, TimeWindow, Timestamp};
use uuid::Uuid;

use crate::{Page, Paged, Result};

mizan_core::words! {
    pub enum RunStatus {
        Queued = "queued",
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl RunStatus {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconRun {
    pub id: RunId,
    pub provider: ProviderKey,
    pub window: TimeWindow,
    pub dry_run: bool,
    pub statement: Option<Uuid>,
    /// In which the payouts of `statement` are looked for.
    pub bank_statement: Option<Uuid>,
    pub idempotency_key: Option<String>,
    /// Of the request's body: the same key with another body is a conflict.
    pub fingerprint: Vec<u8>,
    pub status: RunStatus,
    pub attempts: i32,
    /// A JSON object once the run has completed.
    pub stats_json: Option<String>,
    /// A JSON object once the run has failed.
    pub error_json: Option<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    pub provider: Option<ProviderKey>,
    pub status: Option<RunStatus>,
}

#[async_trait]
pub trait ReconRuns {
    /// Inserts a run. `None` if it is new; otherwise the run that has the same provider and key.
    async fn insert_run(&mut self, run: &ReconRun) -> Result<Option<ReconRun>>;

    async fn run(&mut self, id: RunId) -> Result<Option<ReconRun>>;

    async fn lock_run(&mut self, id: RunId) -> Result<Option<ReconRun>>;

    /// Writes `status`, `attempts`, `stats_json`, `error_json`, `updated_at`, `started_at` and `finished_at`.
    async fn update_run(&mut self, run: &ReconRun) -> Result<()>;

    /// Newest first.
    async fn runs(&mut self, filter: &RunFilter, page: &Page<RunId>) -> Result<Paged<ReconRun, RunId>>;
}

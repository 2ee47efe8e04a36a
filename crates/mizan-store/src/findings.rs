//! Findings: what runs found, unique by provider, event id and type, with what people made of them.

use async_trait::async_trait;
use mizan_core::{
    Currency, FindingId, Minor, ProviderKey, RunId, StaffId, TimeWindow, Timestamp, TransactionId,
};
use mizan_recon::finding::{FindingType, Severity};

use crate::{Page, Paged, Result};

mizan_core::words! {
    pub enum FindingStatus {
        Open = "OPEN",
        Acknowledged = "ACKNOWLEDGED",
        Resolved = "RESOLVED",
        Ignored = "IGNORED",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFinding {
    pub id: FindingId,
    pub provider: ProviderKey,
    pub provider_event_id: String,
    pub provider_ref: Option<String>,
    pub finding_type: FindingType,
    pub severity: Severity,
    pub status: FindingStatus,
    pub currency: Option<Currency>,
    pub statement_amount: Option<Minor>,
    pub ledger_amount: Option<Minor>,
    pub transaction: Option<TransactionId>,
    /// A JSON object: both rows, and why they do not agree.
    pub details: String,
    /// The run that found it first; `None` where a payment event was the finding.
    pub run: Option<RunId>,
    /// The run that found it last.
    pub last_run: Option<RunId>,
    pub occurred_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who set the status, and why.
    pub status_by: Option<String>,
    pub status_reason: Option<String>,
    /// Who works on it.
    pub assigned_to: Option<StaffId>,
    /// The transaction that settled it, after a second person approved. While both amounts stay as they are,
    /// finding it again does not open it again.
    pub settled_by: Option<TransactionId>,
}

/// Of what a finding tells, before anything more is known of it.
#[derive(Debug, Clone)]
pub struct Subject {
    pub provider: ProviderKey,
    pub provider_event_id: String,
    pub provider_ref: Option<String>,
    pub finding_type: FindingType,
    pub severity: Severity,
    /// The run that found it.
    pub run: Option<RunId>,
}

impl StoredFinding {
    /// A finding that nobody has looked at yet.
    pub fn open(subject: Subject, details: String, now: Timestamp) -> Self {
        Self {
            id: FindingId::new(),
            provider: subject.provider,
            provider_event_id: subject.provider_event_id,
            provider_ref: subject.provider_ref,
            finding_type: subject.finding_type,
            severity: subject.severity,
            status: FindingStatus::Open,
            currency: None,
            statement_amount: None,
            ledger_amount: None,
            transaction: None,
            details,
            run: subject.run,
            last_run: subject.run,
            occurred_at: None,
            created_at: now,
            updated_at: now,
            status_by: None,
            status_reason: None,
            assigned_to: None,
            settled_by: None,
        }
    }
}

/// Whose findings are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignee {
    Nobody,
    Staff(StaffId),
}

#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    pub provider: Option<ProviderKey>,
    pub finding_type: Option<FindingType>,
    pub severity: Option<Severity>,
    pub status: Option<FindingStatus>,
    /// Findings that this run found last.
    pub run: Option<RunId>,
    pub assigned_to: Option<Assignee>,
    /// Exactly this event id.
    pub event_id: Option<String>,
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upserted {
    pub created: u64,
    /// Known already; the amounts, details and last run were brought up to date.
    pub seen_again: u64,
    /// Resolved before, open again.
    pub reopened: u64,
}

/// What the event id of a finding of the bank leg begins with.
pub const OF_BANK: &str = "bank:";

/// What a run answers for: what it did not find there is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub provider: ProviderKey,
    pub run: RunId,
    pub window: TimeWindow,
    /// The same for rows that only the ledger has: earlier by the settlement lag.
    pub lone_ledger: TimeWindow,
    /// Whether it has looked at the bank. Without that it says nothing about findings of the bank leg.
    pub bank: bool,
}

#[async_trait]
pub trait Findings {
    /// Keeps findings by (provider, event id, type), set-based. A known one keeps its id, status and first
    /// run. RESOLVED becomes OPEN again and its timeline says so, unless a transaction settled it and neither
    /// amount has changed since; IGNORED stays.
    async fn upsert_findings(&mut self, findings: &[StoredFinding]) -> Result<Upserted>;

    /// Resolves the findings that a run answers for and did not find again, and says so in the reason. Only those
    /// that were found by a run, and are open or acknowledged. Returns how many. Their timelines say so too.
    async fn resolve_vanished(&mut self, run: &Answered, at: Timestamp) -> Result<u64>;

    async fn finding(&mut self, id: FindingId) -> Result<Option<StoredFinding>>;

    async fn lock_finding(&mut self, id: FindingId) -> Result<Option<StoredFinding>>;

    /// Writes `status`, `status_by`, `status_reason`, `assigned_to`, `settled_by` and `updated_at`.
    async fn update_finding(&mut self, finding: &StoredFinding) -> Result<()>;

    /// Newest first.
    async fn findings(
        &mut self,
        filter: &FindingFilter,
        page: &Page<FindingId>,
    ) -> Result<Paged<StoredFinding, FindingId>>;

    /// Counts per type, of a filter.
    async fn count_findings(&mut self, filter: &FindingFilter) -> Result<Vec<(FindingType, u64)>>;
}

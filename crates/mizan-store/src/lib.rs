//! The storage contract: what a store must offer, one trait per noun. There is no SQL here.
//!
//! A [`Tx`] is bound to one tenant when it begins, so no method takes a tenant id and no flow can reach over
//! to another one. What belongs to nobody in particular (signing in, claiming jobs, sealing the journal) is
//! in [`platform`].

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod batches;
pub mod chain;
pub mod completeness;
pub mod connections;
pub mod deposits;
pub mod effects;
pub mod error;
pub mod finding_adjustments;
pub mod finding_events;
pub mod findings;
pub mod flags;
pub mod idempotency;
pub mod migrate;
pub mod outbox;
pub mod page;
pub mod partitions;
pub mod payouts;
pub mod platform;
pub mod players;
pub mod queued_jobs;
pub mod recon_runs;
pub mod recon_schedules;
pub mod staff;
pub mod statements;
pub mod tenants;
pub mod transfers;
pub mod verify;
pub mod webhooks;
pub mod withdrawals;

use async_trait::async_trait;
use mizan_core::TenantId;

pub use error::StoreError;
pub use page::{Page, Paged, Start};
pub use platform::Platform;

/// What every method of a store answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Which database is behind a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Sqlite,
}

/// A database that Mizan keeps its rows in.
#[async_trait]
pub trait Store: verify::Verify + Send + Sync + 'static {
    fn engine(&self) -> Engine;

    /// Begins a transaction that may write, for one tenant. Dropping it undoes it.
    async fn begin(&self, tenant: TenantId) -> Result<Box<dyn Tx>>;

    /// Begins a read-only transaction that sees one moment, for one tenant.
    async fn read(&self, tenant: TenantId) -> Result<Box<dyn Tx>>;

    /// Begins a transaction that is bound to no tenant, for what belongs to the installation.
    async fn platform(&self) -> Result<Box<dyn Platform>>;

    /// One round trip to the database; the caller bounds the time.
    async fn ping(&self) -> Result<()>;

    /// The revisions that are applied, oldest first, and whether the journal is protected by a role:
    /// read for `/api/ready`, `doctor` and the boot log.
    async fn applied_revisions(&self) -> Result<Vec<String>>;

    /// Whether this connection's role is unable to change or delete journal rows.
    async fn journal_is_append_only(&self) -> Result<bool>;
}

/// A transaction of one tenant. Nothing is visible to others before [`Tx::commit`].
#[async_trait]
pub trait Tx:
    accounts::Accounts
    + api_keys::ApiKeys
    + audit::Audit
    + batches::Batches
    + connections::Connections
    + deposits::Deposits
    + effects::Effects
    + completeness::Completeness
    + finding_adjustments::FindingAdjustments
    + finding_events::FindingEvents
    + findings::Findings
    + flags::Flags
    + idempotency::Idempotency
    + outbox::Outbox
    + payouts::Payouts
    + players::Players
    + queued_jobs::DeadLetters
    + recon_runs::ReconRuns
    + recon_schedules::ReconSchedules
    + staff::StaffRows
    + statements::Statements
    + tenants::OwnTenant
    + transfers::Transfers
    + webhooks::Webhooks
    + withdrawals::Withdrawals
    + Send
{
    /// The tenant that this transaction is bound to.
    fn tenant(&self) -> TenantId;

    async fn commit(self: Box<Self>) -> Result<()>;

    async fn rollback(self: Box<Self>) -> Result<()>;
}

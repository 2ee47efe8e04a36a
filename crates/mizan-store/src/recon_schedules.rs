//! Schedules of reconciliation runs: which windows get a run by the clock.

use async_trait::async_trait;
use mizan_core::{ProviderKey, Timestamp};

use crate::Result;

/// One per provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconSchedule {
    pub provider: ProviderKey,
    /// Five fields; they give the borders of the windows.
    pub cron: String,
    /// A name of the IANA database.
    pub time_zone: String,
    /// So long after a window has ended its run is made.
    pub settlement_lag_s: i32,
    /// After a time without workers, at most so many of the latest windows get their run; the rest is skipped.
    pub catch_up: i32,
    /// The end of the last window that got its run.
    pub done_until: Timestamp,
    /// When the next run is made.
    pub next_due_at: Timestamp,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[async_trait]
pub trait ReconSchedules {
    /// By provider.
    async fn schedules(&mut self) -> Result<Vec<ReconSchedule>>;

    async fn lock_schedule(&mut self, provider: &ProviderKey) -> Result<Option<ReconSchedule>>;

    /// Inserts a schedule, or replaces all but `created_by` and `created_at`.
    async fn put_schedule(&mut self, schedule: &ReconSchedule) -> Result<()>;

    /// `false` if there is none.
    async fn delete_schedule(&mut self, provider: &ProviderKey) -> Result<bool>;
}

//! How much of each day's volume a run could match: kept per run, so that it can be said how complete the books
//! were one, two or four days later.

use async_trait::async_trait;
use chrono::NaiveDate;
use mizan_core::{Currency, Minor, ProviderKey, RunId, TimeWindow, Timestamp};

use crate::Result;

/// What a run made of one day (UTC) in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCovered {
    pub run: RunId,
    pub provider: ProviderKey,
    /// The run's window: it may cover a part of the day only.
    pub window: TimeWindow,
    pub day: NaiveDate,
    pub currency: Currency,
    /// The money that either side tells of, in minor units.
    pub volume: Minor,
    /// What both sides agree about.
    pub matched: Minor,
    pub finished_at: Timestamp,
}

/// The ledger's side of one day in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayVolume {
    pub day: NaiveDate,
    pub currency: Currency,
    pub volume: Minor,
}

#[async_trait]
pub trait Completeness {
    async fn keep_covered(&mut self, days: &[DayCovered]) -> Result<()>;

    /// The volume of the ledger's side of a window, by day and currency.
    async fn ledger_volume(&mut self, provider: &ProviderKey, window: TimeWindow) -> Result<Vec<DayVolume>>;

    /// What runs covered from `from` up to and without `until`, by provider, currency, day and time.
    async fn covered(
        &mut self,
        provider: Option<&ProviderKey>,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<DayCovered>>;
}

//! The words every other crate speaks: ids, money, currencies, time windows, the clock and jobs.
//!
//! Nothing here does I/O and nothing is async. Time and randomness enter a program only through
//! [`clock`] and [`ids`]; every other crate takes them as arguments.

pub mod clock;
pub mod currency;
pub mod ids;
pub mod job;
pub mod money;
pub mod window;
pub mod words;

pub use clock::{Clock, ManualClock, SystemClock};
pub use currency::Currency;
pub use ids::{
    AccountId, AdjustmentId, ApiKeyId, AttemptId, DepositId, FindingId, PlayerId, ProviderKey, RunId,
    StaffId, StatementId, TenantId, TenantKey, TransactionId, WebhookEventId, WithdrawalId,
};
pub use job::Job;
pub use money::{AmountError, Minor, Money};
pub use window::TimeWindow;

/// A point in time; always UTC, never finer than a microsecond once it is stored.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

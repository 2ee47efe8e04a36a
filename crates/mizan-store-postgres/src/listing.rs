//! Keys of pages as the driver takes them.

use mizan_core::{
    AccountId, AdjustmentId, ApiKeyId, DepositId, FindingId, PlayerId, RunId, StaffId, StatementId,
    WebhookEventId, WithdrawalId,
};
use mizan_store::{Page, Start};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

/// A key that lists are ordered by.
pub(crate) trait Key: Copy + Send + Sync {
    type Raw: ToSql + Sync + Send;
    const TYPE: Type;
    fn raw(self) -> Self::Raw;
}

impl Key for i64 {
    type Raw = Self;
    const TYPE: Type = Type::INT8;
    fn raw(self) -> Self {
        self
    }
}

impl Key for AccountId {
    type Raw = i64;
    const TYPE: Type = Type::INT8;
    fn raw(self) -> i64 {
        self.0
    }
}

macro_rules! uuid_keys {
    ($($id:ty),+) => {$(
        impl Key for $id {
            type Raw = Uuid;
            const TYPE: Type = Type::UUID;
            fn raw(self) -> Uuid {
                self.0
            }
        }
    )+};
}

uuid_keys!(
    ApiKeyId,
    DepositId,
    AdjustmentId,
    FindingId,
    PlayerId,
    RunId,
    StaffId,
    StatementId,
    WebhookEventId,
    WithdrawalId
);

/// Where a page starts and ends.
pub(crate) struct Bounds<R> {
    pub(crate) after: Option<R>,
    pub(crate) fetch: i64,
    pub(crate) offset: i64,
}

impl<R> Bounds<R> {
    pub(crate) fn of<K: Key<Raw = R>>(page: &Page<K>) -> Self {
        let (after, offset) = match page.start {
            Start::First => (None, 0),
            Start::After(key) => (Some(key.raw()), 0),
            Start::Offset(skip) => (None, i64::from(skip)),
        };
        Self {
            after,
            fetch: page.fetch(),
            offset,
        }
    }
}

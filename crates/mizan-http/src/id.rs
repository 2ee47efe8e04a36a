//! Ids in paths. What is no id names nothing, so the answer is that it was not found.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use mizan_core::{
    AccountId, AdjustmentId, ApiKeyId, FindingId, PlayerId, RunId, StaffId, StatementId, TransactionId,
    WebhookEventId, WithdrawalId,
};

use crate::error::ApiError;
use crate::state::Edge;

/// The `{id}` of a path.
pub(crate) struct Id<T>(pub(crate) T);

/// An id with the noun that it names.
pub(crate) trait Named: Sized {
    const NOUN: &'static str;
    fn read(text: &str) -> Option<Self>;
}

macro_rules! named {
    ($($id:ty = $noun:literal),+ $(,)?) => {$(
        impl Named for $id {
            const NOUN: &'static str = $noun;

            fn read(text: &str) -> Option<Self> {
                <$id>::from_str(text).ok()
            }
        }
    )+};
}

named! {
    AdjustmentId = "adjustment",
    ApiKeyId = "API key",
    FindingId = "finding",
    PlayerId = "player",
    RunId = "run",
    StaffId = "staff member",
    StatementId = "statement",
    TransactionId = "transaction",
    WebhookEventId = "webhook event",
    WithdrawalId = "withdrawal",
}

impl Named for AccountId {
    const NOUN: &'static str = "account";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl<T: Named> FromRequestParts<Edge> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, ApiError> {
        let missing = || ApiError::not_found(T::NOUN);
        let Path(text) = Path::<String>::from_request_parts(parts, edge)
            .await
            .map_err(|_| missing())?;
        T::read(&text).map(Self).ok_or_else(missing)
    }
}

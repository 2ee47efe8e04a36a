//! The JSON that the client and the simulator exchange. Amounts are decimal strings in major units.

use mizan_core::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /payouts`; the key is in the header `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutBody {
    pub amount: String,
    pub currency: String,
    pub method: String,
    pub address: String,
    pub withdrawal: String,
    pub player_id: String,
    pub tenant_id: String,
}

/// What `POST /payouts` and `GET /payouts/{key or id}` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PayoutView {
    pub payout_id: String,
    pub status: PayoutStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayoutStatus {
    Accepted,
    Paid,
    Failed,
}

/// What every refusal says. A 4xx without it is not an answer of this API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub error_code: String,
    #[serde(default)]
    pub detail: String,
}

/// The code of a status query for a key that was never seen.
pub(crate) const PAYOUT_NOT_FOUND: &str = "PAYOUT_NOT_FOUND";

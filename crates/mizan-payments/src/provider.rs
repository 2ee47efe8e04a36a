//! What an adapter to a payment service provider offers. `verify` and `translate` are pure; the rest calls out.

use async_trait::async_trait;
use mizan_core::{Money, ProviderKey, TimeWindow, Timestamp};

use crate::event::ProviderEvent;

/// The headers of a webhook request, names in lower case, in order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The only value of a header; a header that is sent twice counts as not sent.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// Why a webhook request is refused. Each has its own code and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("the request carries no signature")]
    SignatureMissing,
    #[error("the timestamp of the signature is missing, unreadable, too old or in the future")]
    TimestampInvalid,
    #[error("the signature does not match the body")]
    SignatureInvalid,
    #[error("the connection has no secret, so no event can be verified")]
    NoSecret,
    #[error("the body is not an event of this provider")]
    Malformed,
}

impl Rejection {
    /// The stable code, as clients and metrics see it.
    pub fn code(self) -> &'static str {
        match self {
            Self::SignatureMissing => "WEBHOOK_SIGNATURE_MISSING",
            Self::TimestampInvalid => "WEBHOOK_TIMESTAMP_INVALID",
            Self::SignatureInvalid => "WEBHOOK_SIGNATURE_INVALID",
            Self::NoSecret => "WEBHOOK_SECRET_MISSING",
            Self::Malformed => "WEBHOOK_BODY_INVALID",
        }
    }
}

/// One event inside a webhook request, before translation: its id is needed to keep it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    pub event_id: String,
    pub event_type: String,
    /// The event's own bytes, for translation and replay.
    pub body: Vec<u8>,
}

/// Why an event that is authentic cannot be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Untranslatable {
    pub field: &'static str,
    pub reason: String,
}

/// What is asked of a provider. Asking again with the same key is safe at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRequest {
    /// The idempotency key of the attempt.
    pub key: String,
    pub amount: Money,
    pub method: String,
    pub address: String,
    /// The withdrawal, the player and the tenant, which the provider sends back in its events.
    pub withdrawal: String,
    pub player: String,
    pub tenant: String,
}

/// What a provider says of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutReply {
    /// Taken; an event or a status query will tell the rest.
    Accepted { provider_ref: String },
    Paid {
        provider_ref: String,
        event_id: String,
        at: Timestamp,
    },
    /// Refused for certain: no money has moved and none will.
    Failed {
        provider_ref: Option<String>,
        reason: String,
    },
    /// The provider has never heard of the key; only from a status query.
    NotFound,
    /// The answer was lost or unreadable: it may have been paid.
    Unknown { reason: String },
}

/// A provider could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("the provider answered {0}")]
    Status(u16),
    #[error("the provider's answer cannot be read: {0}")]
    Unreadable(String),
    #[error("this kind of connection does not offer that")]
    NotOffered,
}

/// A provider's statement of a window, as a file of one of the formats that the engine reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFile {
    /// `generic`: the columns of our own CSV format.
    pub format: &'static str,
    pub bytes: Vec<u8>,
}

/// One connection to a provider.
#[async_trait]
pub trait Provider: Send + Sync {
    fn key(&self) -> &ProviderKey;

    /// The kind of adapter: `mockpsp`, `hmac`, `standard-webhooks`, …
    fn kind(&self) -> &'static str;

    /// The reply that the provider expects to a webhook that was stored.
    fn acknowledgement(&self) -> &'static str {
        r#"{"status":"ok"}"#
    }

    /// Checks the signature over the raw bytes, then takes the events apart.
    fn verify(&self, headers: &Headers, body: &[u8], now: Timestamp) -> Result<Vec<RawEvent>, Rejection>;

    /// Takes the events apart without checking who sent them; what comes of it changes no state.
    fn read_unverified(&self, headers: &Headers, body: &[u8]) -> Result<Vec<RawEvent>, Rejection>;

    /// Reads one authentic event. `received_at` stands in where the event has no time of its own.
    fn translate(&self, event: &RawEvent, received_at: Timestamp) -> Result<ProviderEvent, Untranslatable>;

    /// Asks for a payout.
    async fn pay(&self, request: &PayoutRequest) -> PayoutReply;

    /// Asks what became of the payout with this key.
    async fn payout_status(&self, key: &str) -> Result<PayoutReply, ProviderError>;

    /// Fetches the statement of a window.
    async fn statement(&self, window: TimeWindow) -> Result<StatementFile, ProviderError>;
}

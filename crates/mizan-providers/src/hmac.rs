//! `hmac`: events of any sender that signs like `mockpsp` does; there is no API to call.

pub(crate) mod translate;
pub(crate) mod verify;

use async_trait::async_trait;
use mizan_core::{ProviderKey, TimeWindow, Timestamp};
use mizan_mask::Secret;
use mizan_payments::ProviderEvent;
use mizan_payments::provider::{
    Headers, PayoutReply, PayoutRequest, Provider, ProviderError, RawEvent, Rejection, StatementFile,
    Untranslatable,
};

use crate::registry::ConnectionConfig;

/// A connection that only takes events.
pub(crate) struct HmacEvents {
    key: ProviderKey,
    secrets: Vec<Secret>,
}

impl HmacEvents {
    pub(crate) const KIND: &str = "hmac";

    pub(crate) fn new(config: ConnectionConfig) -> Self {
        Self {
            key: config.key,
            secrets: config.secrets,
        }
    }
}

/// The answer of a connection that calls nobody: nothing was sent, so nothing can have been paid.
pub(crate) fn pays_nothing_out() -> PayoutReply {
    PayoutReply::Failed {
        provider_ref: None,
        reason: "this connection does not pay out".to_owned(),
    }
}

#[async_trait]
impl Provider for HmacEvents {
    fn key(&self) -> &ProviderKey {
        &self.key
    }

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn verify(&self, headers: &Headers, body: &[u8], now: Timestamp) -> Result<Vec<RawEvent>, Rejection> {
        verify::check(&self.secrets, headers, body, now)?;
        translate::take_apart(body)
    }

    fn read_unverified(&self, _: &Headers, body: &[u8]) -> Result<Vec<RawEvent>, Rejection> {
        translate::take_apart(body)
    }

    fn translate(&self, event: &RawEvent, received_at: Timestamp) -> Result<ProviderEvent, Untranslatable> {
        translate::translate(event, received_at)
    }

    async fn pay(&self, _: &PayoutRequest) -> PayoutReply {
        pays_nothing_out()
    }

    async fn payout_status(&self, _: &str) -> Result<PayoutReply, ProviderError> {
        Err(ProviderError::NotOffered)
    }

    async fn statement(&self, _: TimeWindow) -> Result<StatementFile, ProviderError> {
        Err(ProviderError::NotOffered)
    }
}

//! `standard-webhooks`: events signed as <https://www.standardwebhooks.com> says, with the generic body.

pub(crate) mod translate;
pub(crate) mod verify;

use async_trait::async_trait;
use mizan_core::{ProviderKey, TimeWindow, Timestamp};
use mizan_payments::ProviderEvent;
use mizan_payments::provider::{
    Headers, PayoutReply, PayoutRequest, Provider, ProviderError, RawEvent, Rejection, StatementFile,
    Untranslatable,
};

use self::verify::SigningKey;
use crate::hmac::pays_nothing_out;
use crate::registry::ConnectionConfig;

/// A connection that only takes events.
pub(crate) struct StandardWebhooks {
    key: ProviderKey,
    signing_keys: Vec<SigningKey>,
}

impl StandardWebhooks {
    pub(crate) const KIND: &str = "standard-webhooks";

    /// A secret that is not `whsec_` and base64 signs nothing; it is left out with a warning.
    pub(crate) fn new(config: ConnectionConfig) -> Self {
        let signing_keys: Vec<_> = config.secrets.iter().filter_map(SigningKey::read).collect();
        let unreadable = config.secrets.len() - signing_keys.len();
        if unreadable > 0 {
            tracing::warn!(provider = %config.key, unreadable, "webhook secrets that are not whsec_<base64> are ignored");
        }
        Self {
            key: config.key,
            signing_keys,
        }
    }
}

#[async_trait]
impl Provider for StandardWebhooks {
    fn key(&self) -> &ProviderKey {
        &self.key
    }

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn verify(&self, headers: &Headers, body: &[u8], now: Timestamp) -> Result<Vec<RawEvent>, Rejection> {
        verify::check(&self.signing_keys, headers, body, now)?;
        translate::take_apart(headers, body)
    }

    fn read_unverified(&self, headers: &Headers, body: &[u8]) -> Result<Vec<RawEvent>, Rejection> {
        translate::take_apart(headers, body)
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

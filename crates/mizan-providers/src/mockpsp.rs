//! `mockpsp`: the provider that is made for tests, with everything a real one has. Its events are signed as
//! `hmac` events are; payouts, status queries and statements go through [`client`]. The provider itself is
//! [`simulator`].

pub mod backoff;
pub mod client;
pub mod simulator;
mod wire;

use async_trait::async_trait;
use mizan_core::{ProviderKey, TimeWindow, Timestamp};
use mizan_mask::Secret;
use mizan_payments::ProviderEvent;
use mizan_payments::provider::{
    Headers, PayoutReply, PayoutRequest, Provider, ProviderError, RawEvent, Rejection, StatementFile,
    Untranslatable,
};

use self::client::Client;
use crate::hmac::{translate, verify};
use crate::registry::ConnectionConfig;

/// A connection to a `mizan mockpsp`.
pub(crate) struct MockPsp {
    key: ProviderKey,
    secrets: Vec<Secret>,
    client: Client,
}

impl MockPsp {
    pub(crate) const KIND: &str = "mockpsp";

    pub(crate) fn new(config: ConnectionConfig) -> Self {
        Self {
            client: Client::new(config.base_url.as_deref(), config.api_key, config.client),
            key: config.key,
            secrets: config.secrets,
        }
    }
}

#[async_trait]
impl Provider for MockPsp {
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

    async fn pay(&self, request: &PayoutRequest) -> PayoutReply {
        self.client.pay(request).await
    }

    async fn payout_status(&self, key: &str) -> Result<PayoutReply, ProviderError> {
        self.client.payout_status(key).await
    }

    async fn statement(&self, window: TimeWindow) -> Result<StatementFile, ProviderError> {
        self.client.statement(window).await
    }
}

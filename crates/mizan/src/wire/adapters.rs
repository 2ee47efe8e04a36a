//! Adapters of provider connections, made from the connection's row and the secrets of the environment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mizan_config::Webhooks;
use mizan_core::ProviderKey;
use mizan_flows::app::Adapters;
use mizan_payments::provider::Provider;
use mizan_providers::registry::{ConnectionConfig, build};
use mizan_store::connections::Connection;

type Made = HashMap<ProviderKey, (Connection, Arc<dyn Provider>)>;

/// Keeps each adapter, and its connections, for as long as the row stays the same.
pub struct FromSettings {
    webhooks: Webhooks,
    /// Where connections of the kind `mockpsp` find their provider, unless the row says.
    mockpsp_url: Option<String>,
    /// Bound of one call to a provider, where it is not the default.
    timeout: Option<Duration>,
    made: Mutex<Made>,
}

impl FromSettings {
    pub fn new(webhooks: Webhooks, mockpsp_url: Option<String>, timeout: Option<Duration>) -> Self {
        Self {
            webhooks,
            mockpsp_url,
            timeout,
            made: Mutex::default(),
        }
    }
}

impl Adapters for FromSettings {
    fn adapter(&self, connection: &Connection) -> Option<Arc<dyn Provider>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, adapter)) = made.get(&connection.provider)
            && known == connection
        {
            return Some(Arc::clone(adapter));
        }
        let secrets = self.webhooks.secrets(connection.provider.as_str()).to_vec();
        if secrets.is_empty() {
            tracing::warn!(provider = %connection.provider, "the connection has no secret: it refuses every event");
        }
        let mut config = ConnectionConfig::new(connection.provider.clone(), connection.kind.clone(), secrets);
        config.base_url.clone_from(&connection.base_url);
        if connection.kind == "mockpsp" && config.base_url.is_none() {
            config.base_url.clone_from(&self.mockpsp_url);
        }
        if let Some(timeout) = self.timeout {
            config.client.timeout = timeout;
        }
        let adapter = build(&connection.kind, config).ok()?;
        made.insert(
            connection.provider.clone(),
            (connection.clone(), Arc::clone(&adapter)),
        );
        Some(adapter)
    }
}

//! Which kinds of adapter there are, and how a connection becomes one of them.

use std::sync::Arc;

use mizan_core::ProviderKey;
use mizan_mask::Secret;
use mizan_payments::provider::Provider;

use crate::hmac::HmacEvents;
use crate::mockpsp::MockPsp;
use crate::mockpsp::client::ClientSettings;
use crate::standard_webhooks::StandardWebhooks;

/// The kinds that [`build`] knows.
pub const KINDS: [&str; 3] = [MockPsp::KIND, HmacEvents::KIND, StandardWebhooks::KIND];

/// One connection, as it was set up. The key and the secrets decide whose events it takes.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    pub key: ProviderKey,
    /// One of [`KINDS`].
    pub kind: String,
    /// The secrets that sign its events, several during a rotation; without one every event is refused.
    pub secrets: Vec<Secret>,
    /// Where the provider's API is (`http` or `https`); without one nothing is asked of it.
    pub base_url: Option<String>,
    /// Sent as a bearer token with every call.
    pub api_key: Option<Secret>,
    /// Time-outs and retries of calls.
    pub client: ClientSettings,
}

impl ConnectionConfig {
    /// A connection that takes events and calls nobody, with the default settings.
    pub fn new(key: ProviderKey, kind: impl Into<String>, secrets: Vec<Secret>) -> Self {
        Self {
            key,
            kind: kind.into(),
            secrets,
            base_url: None,
            api_key: None,
            client: ClientSettings::default(),
        }
    }
}

/// Nobody has written an adapter of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no adapter of the kind '{kind}' (there are: {known})", known = KINDS.join(", "))]
pub struct UnsupportedKind {
    pub kind: String,
}

/// Makes the adapter of a connection. `kind` is matched exactly.
pub fn build(kind: &str, config: ConnectionConfig) -> Result<Arc<dyn Provider>, UnsupportedKind> {
    match kind {
        MockPsp::KIND => Ok(Arc::new(MockPsp::new(config))),
        HmacEvents::KIND => Ok(Arc::new(HmacEvents::new(config))),
        StandardWebhooks::KIND => Ok(Arc::new(StandardWebhooks::new(config))),
        _ => Err(UnsupportedKind {
            kind: kind.chars().take(63).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_built_under_its_own_name() {
        for kind in KINDS {
            let key: ProviderKey = "acme".parse().unwrap();
            let built = build(kind, ConnectionConfig::new(key.clone(), kind, vec![])).unwrap();
            assert_eq!((built.kind(), built.key()), (kind, &key));
        }
    }

    #[test]
    fn a_kind_nobody_wrote_is_refused_by_its_exact_name() {
        for kind in ["", "MockPSP", "stripe", "mockpsp "] {
            let config = ConnectionConfig::new("acme".parse().unwrap(), kind, vec![]);
            let Err(error) = build(kind, config) else {
                panic!("{kind}")
            };
            assert!(error.to_string().contains("standard-webhooks"), "{error}");
        }
    }
}

//! Provider connections: one merchant account at one provider, with a key that is unique in the installation.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, Timestamp};

use crate::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub provider: ProviderKey,
    pub tenant: TenantId,
    /// The kind of adapter: `mockpsp`, `hmac`, `standard-webhooks`, …
    pub kind: String,
    pub merchant_account: Option<String>,
    /// Where the provider's API is.
    pub base_url: Option<String>,
    pub created_at: Timestamp,
}

#[async_trait]
pub trait Connections {
    /// Sets up a connection of the tenant (its `tenant` field is ignored); `false` if the key is taken.
    async fn insert_connection(&mut self, connection: &Connection) -> Result<bool>;

    /// A connection of the tenant.
    async fn connection(&mut self, provider: &ProviderKey) -> Result<Option<Connection>>;

    /// All connections of the tenant, by key.
    async fn connections(&mut self) -> Result<Vec<Connection>>;
}

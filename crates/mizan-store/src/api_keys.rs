//! API keys of services: 256 random bits, kept as a SHA-256 hash, looked up by prefix.

use async_trait::async_trait;
use mizan_core::{ApiKeyId, TenantId, Timestamp};

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub tenant: TenantId,
    pub name: String,
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// Named scopes such as `ledger:write`.
    pub scopes: Vec<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

#[async_trait]
pub trait ApiKeys {
    /// Inserts a key of the tenant (its `tenant` field is ignored); `false` if the prefix is taken.
    async fn insert_api_key(&mut self, key: &ApiKey) -> Result<bool>;

    /// Newest first.
    async fn api_keys(&mut self, page: &Page<ApiKeyId>) -> Result<Paged<ApiKey, ApiKeyId>>;

    /// Revokes; `false` if there is no such key or it was revoked before.
    async fn revoke_api_key(&mut self, id: ApiKeyId, at: Timestamp) -> Result<bool>;
}

//! Tenants: one operator each. Everything else belongs to one.

use async_trait::async_trait;
use mizan_core::{TenantId, TenantKey, Timestamp};

use crate::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub key: TenantKey,
    pub name: String,
    /// Whether withdrawals need an approved review of the player's documents.
    pub kyc_required: bool,
    pub created_at: Timestamp,
}

/// The tenant of the transaction itself.
#[async_trait]
pub trait OwnTenant {
    async fn own_tenant(&mut self) -> Result<Tenant>;

    async fn set_kyc_required(&mut self, required: bool) -> Result<()>;
}

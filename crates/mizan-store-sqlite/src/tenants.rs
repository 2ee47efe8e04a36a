//! Tenants, as their own transactions see them.

use async_trait::async_trait;
use mizan_core::TenantId;
use mizan_store::tenants::{OwnTenant, Tenant};
use mizan_store::{Result, StoreError};
use rusqlite::params;

use crate::cells::Cells;
use crate::statement::{execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    OWN_TENANT = "SELECT id, key, name, kyc_required, created_at FROM tenants WHERE id = ?1";
    SET_KYC_REQUIRED = "UPDATE tenants SET kyc_required = ?2 WHERE id = ?1";
}

#[async_trait]
impl OwnTenant for SqliteTx {
    async fn own_tenant(&mut self) -> Result<Tenant> {
        self.within(|db, tenant| {
            first(db, &OWN_TENANT, [tenant], "tenants", tenant_row)?
                .ok_or_else(|| StoreError::corrupt("tenants", "id", tenant, "there is no such tenant"))
        })
        .await
    }

    async fn set_kyc_required(&mut self, required: bool) -> Result<()> {
        self.within(move |db, tenant| execute_one(db, &SET_KYC_REQUIRED, params![tenant, required]))
            .await
    }
}

pub(crate) fn tenant_row(row: &mut Cells<'_>) -> Result<Tenant> {
    Ok(Tenant {
        id: TenantId(row.get("id")?),
        key: row.parsed("key")?,
        name: row.get("name")?,
        kyc_required: row.get("kyc_required")?,
        created_at: row.time("created_at")?,
    })
}

//! Tenants: made by the platform owner, found by key.

use mizan_core::{TenantId, TenantKey};
use mizan_store::tenants::Tenant;

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result};

/// Makes a tenant, or finds the one that has the key already.
pub async fn ensure(app: &App, key: &TenantKey, name: &str) -> Result<(Tenant, bool)> {
    let mut platform = app.store.platform().await?;
    let found = platform.ensure_tenant(key, name, app.now()).await?;
    platform.commit().await?;
    Ok(found)
}

pub async fn by_key(app: &App, key: &TenantKey) -> Result<Tenant> {
    let mut platform = app.store.platform().await?;
    let found = platform.tenant_by_key(key).await?;
    platform.rollback().await?;
    found.ok_or(FlowError::NotFound("tenant"))
}

pub async fn by_id(app: &App, id: TenantId) -> Result<Tenant> {
    let mut platform = app.store.platform().await?;
    let found = platform.tenant_by_id(id).await?;
    platform.rollback().await?;
    found.ok_or(FlowError::NotFound("tenant"))
}

/// All tenants; for the platform owner.
pub async fn list(app: &App) -> Result<Vec<Tenant>> {
    let mut platform = app.store.platform().await?;
    let all = platform.tenants().await?;
    platform.rollback().await?;
    Ok(all)
}

/// Says whether withdrawals need an approved review of documents.
pub async fn set_kyc_required(app: &App, caller: &Caller, required: bool) -> Result<Tenant> {
    let mut tx = app.store.begin(caller.tenant).await?;
    let before = tx.own_tenant().await?;
    if before.kyc_required != required {
        tx.set_kyc_required(required).await?;
        let change = Change {
            action: "tenant.kyc_required",
            subject_type: "tenant",
            subject_id: before.key.to_string(),
            from: Some(before.kyc_required.to_string()),
            to: Some(required.to_string()),
            ..Change::default()
        };
        audit::write(&mut *tx, caller, app.now(), change).await?;
    }
    tx.commit().await?;
    Ok(Tenant {
        kyc_required: required,
        ..before
    })
}

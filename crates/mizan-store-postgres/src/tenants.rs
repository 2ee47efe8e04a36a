//! Tenants.

use async_trait::async_trait;
use mizan_core::{TenantId, TenantKey, Timestamp};
use mizan_store::tenants::{OwnTenant, Tenant};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    /// Waits for a rival that makes the same tenant, and then does nothing.
    ENSURE = "INSERT INTO tenants (key, name, created_at) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT uq_tenants_key DO NOTHING";
    BY_KEY = "SELECT id, key, name, kyc_required, created_at FROM tenants WHERE key = $1";
    BY_ID = "SELECT id, key, name, kyc_required, created_at FROM tenants WHERE id = $1";
    ALL = "SELECT id, key, name, kyc_required, created_at FROM tenants ORDER BY key";
    SET_KYC_REQUIRED = "UPDATE tenants SET kyc_required = $2 WHERE id = $1";
}

fn tenant(row: &Row) -> Result<Tenant> {
    let record = Record::new(row, "tenants", "id");
    Ok(Tenant {
        id: TenantId(record.get("id")?),
        key: record.word("key")?,
        name: record.get("name")?,
        kyc_required: record.get("kyc_required")?,
        created_at: record.get("created_at")?,
    })
}

pub(crate) async fn ensure(
    session: &Session,
    key: &TenantKey,
    name: &str,
    at: Timestamp,
) -> Result<(Tenant, bool)> {
    let made = session.execute(ENSURE, &[&key.as_str(), &name, &at]).await?;
    let found = by_key(session, key).await?.ok_or_else(|| StoreError::Collision {
        what: "uq_tenants_key".to_owned(),
    })?;
    Ok((found, made == 1))
}

pub(crate) async fn by_key(session: &Session, key: &TenantKey) -> Result<Option<Tenant>> {
    let row = session.row(BY_KEY, &[&key.as_str()]).await?;
    row.as_ref().map(tenant).transpose()
}

pub(crate) async fn by_id(session: &Session, id: TenantId) -> Result<Option<Tenant>> {
    let row = session.row(BY_ID, &[&id.0]).await?;
    row.as_ref().map(tenant).transpose()
}

pub(crate) async fn all(session: &Session) -> Result<Vec<Tenant>> {
    session.rows(ALL, &[]).await?.iter().map(tenant).collect()
}

#[async_trait]
impl OwnTenant for PgTx {
    async fn own_tenant(&mut self) -> Result<Tenant> {
        let row = self.session.row(BY_ID, &[&self.tenant]).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("tenants", "id", self.tenant, "no such tenant"))?;
        tenant(&row)
    }

    async fn set_kyc_required(&mut self, required: bool) -> Result<()> {
        let set = self
            .session
            .execute(SET_KYC_REQUIRED, &[&self.tenant, &required])
            .await?;
        StoreError::expect_rows("tenants::SET_KYC_REQUIRED", 1, set)
    }
}

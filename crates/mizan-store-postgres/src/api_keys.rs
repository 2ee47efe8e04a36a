//! API keys of services.

use async_trait::async_trait;
use mizan_core::{ApiKeyId, TenantId, Timestamp};
use mizan_store::api_keys::{ApiKey, ApiKeys};
use mizan_store::{Page, Paged, Result};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    INSERT = "INSERT INTO api_keys (tenant_id, id, name, prefix, hash, scopes, created_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT ON CONSTRAINT uq_api_keys_prefix DO NOTHING";
    LIST = "SELECT id, tenant_id, name, prefix, hash, scopes, created_at, revoked_at FROM api_keys
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3 OFFSET $4";
    COUNT = "SELECT count(*) FROM api_keys WHERE tenant_id = $1";
    REVOKE = "UPDATE api_keys SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    /// In any tenant: whoever calls with a key is known by it alone.
    BY_PREFIX = "SELECT id, tenant_id, name, prefix, hash, scopes, created_at, revoked_at FROM api_keys
         WHERE prefix = $1";
}

fn api_key(row: &Row) -> Result<ApiKey> {
    let record = Record::new(row, "api_keys", "id");
    Ok(ApiKey {
        id: record.id("id")?,
        tenant: TenantId(record.get("tenant_id")?),
        name: record.get("name")?,
        prefix: record.get("prefix")?,
        hash: record.bytes("hash")?,
        scopes: record.get("scopes")?,
        created_at: record.get("created_at")?,
        revoked_at: record.get("revoked_at")?,
    })
}

pub(crate) async fn by_prefix(session: &Session, prefix: &str) -> Result<Option<ApiKey>> {
    let row = session.row(BY_PREFIX, &[&prefix]).await?;
    row.as_ref().map(api_key).transpose()
}

#[async_trait]
impl ApiKeys for PgTx {
    async fn insert_api_key(&mut self, key: &ApiKey) -> Result<bool> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &key.id.0,
                    &key.name,
                    &key.prefix,
                    &key.hash.as_slice(),
                    &key.scopes,
                    &key.created_at,
                    &key.revoked_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn api_keys(&mut self, page: &Page<ApiKeyId>) -> Result<Paged<ApiKey, ApiKeyId>> {
        self.session
            .page(LIST, COUNT, &[(&self.tenant, Type::INT4)], page, api_key, |it| {
                it.id
            })
            .await
    }

    async fn revoke_api_key(&mut self, id: ApiKeyId, at: Timestamp) -> Result<bool> {
        let revoked = self.session.execute(REVOKE, &[&self.tenant, &id.0, &at]).await?;
        Ok(revoked == 1)
    }
}

//! API keys of services. Their scopes are a JSON list of texts.

use async_trait::async_trait;
use mizan_core::{ApiKeyId, TenantId, Timestamp};
use mizan_store::api_keys::{ApiKey, ApiKeys};
use mizan_store::{Page, Paged, Result};
use rusqlite::params;

use crate::cells::{Cells, id_text, stamp, stamp_opt};
use crate::paging::by_id;
use crate::statement::{all, count, execute, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_API_KEY = "
        INSERT INTO api_keys (id, tenant_id, name, prefix, hash, scopes, created_at, revoked_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (prefix) DO NOTHING";

    LIST_API_KEYS = "
        SELECT id, tenant_id, name, prefix, hash, scopes, created_at, revoked_at
        FROM api_keys
        WHERE tenant_id = ?1 AND id < ?2
        ORDER BY id DESC LIMIT ?3 OFFSET ?4";

    COUNT_API_KEYS = "SELECT count(*) FROM api_keys WHERE tenant_id = ?1";

    REVOKE_API_KEY = "
        UPDATE api_keys SET revoked_at = ?3
        WHERE id = ?1 AND tenant_id = ?2 AND revoked_at IS NULL";
}

#[async_trait]
impl ApiKeys for SqliteTx {
    async fn insert_api_key(&mut self, key: &ApiKey) -> Result<bool> {
        let key = key.clone();
        self.within(move |db, tenant| {
            let params = params![
                id_text(key.id.0),
                tenant,
                key.name,
                key.prefix,
                key.hash,
                serde_json::Value::from(key.scopes).to_string(),
                stamp(key.created_at),
                stamp_opt(key.revoked_at)
            ];
            Ok(execute(db, &INSERT_API_KEY, params)? == 1)
        })
        .await
    }

    async fn api_keys(&mut self, page: &Page<ApiKeyId>) -> Result<Paged<ApiKey, ApiKeyId>> {
        let page = *page;
        self.within(move |db, tenant| {
            let at = by_id(&page);
            let params = params![tenant, at.before, at.limit, at.offset];
            let rows = all(db, &LIST_API_KEYS, params, "api_keys", api_key_row)?;
            let counted = || count(db, &COUNT_API_KEYS, [tenant]);
            let total = page.with_total.then(counted).transpose()?;
            Ok(Paged::of(rows, &page, total, |it| it.id))
        })
        .await
    }

    async fn revoke_api_key(&mut self, id: ApiKeyId, at: Timestamp) -> Result<bool> {
        self.within(move |db, tenant| {
            let params = params![id_text(id.0), tenant, stamp(at)];
            Ok(execute(db, &REVOKE_API_KEY, params)? == 1)
        })
        .await
    }
}

/// Reads `id, tenant_id, name, prefix, hash, scopes, created_at, revoked_at`.
pub(crate) fn api_key_row(row: &mut Cells<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.id("id")?,
        tenant: TenantId(row.get("tenant_id")?),
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        hash: row.bytes("hash")?,
        scopes: row.read("scopes", |json: String| serde_json::from_str(&json))?,
        created_at: row.time("created_at")?,
        revoked_at: row.time_opt("revoked_at")?,
    })
}

//! Provider connections.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId};
use mizan_store::Result;
use mizan_store::connections::{Connection, Connections};
use rusqlite::params;

use crate::cells::{Cells, stamp};
use crate::statement::{all, execute, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_CONNECTION = "
        INSERT INTO provider_connections (provider, tenant_id, kind, merchant_account, base_url, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (provider) DO NOTHING";

    CONNECTION = "
        SELECT provider, tenant_id, kind, merchant_account, base_url, created_at
        FROM provider_connections
        WHERE provider = ?1 AND tenant_id = ?2";

    CONNECTIONS = "
        SELECT provider, tenant_id, kind, merchant_account, base_url, created_at
        FROM provider_connections
        WHERE tenant_id = ?1
        ORDER BY provider";
}

#[async_trait]
impl Connections for SqliteTx {
    async fn insert_connection(&mut self, connection: &Connection) -> Result<bool> {
        let it = connection.clone();
        self.within(move |db, tenant| {
            let params = params![
                it.provider.as_str(),
                tenant,
                it.kind,
                it.merchant_account,
                it.base_url,
                stamp(it.created_at)
            ];
            Ok(execute(db, &INSERT_CONNECTION, params)? == 1)
        })
        .await
    }

    async fn connection(&mut self, provider: &ProviderKey) -> Result<Option<Connection>> {
        let provider = provider.clone();
        self.within(move |db, tenant| {
            let params = params![provider.as_str(), tenant];
            first(db, &CONNECTION, params, "provider_connections", connection_row)
        })
        .await
    }

    async fn connections(&mut self) -> Result<Vec<Connection>> {
        self.within(|db, tenant| all(db, &CONNECTIONS, [tenant], "provider_connections", connection_row))
            .await
    }
}

/// Reads `provider, tenant_id, kind, merchant_account, base_url, created_at`.
pub(crate) fn connection_row(row: &mut Cells<'_>) -> Result<Connection> {
    Ok(Connection {
        provider: row.parsed("provider")?,
        tenant: TenantId(row.get("tenant_id")?),
        kind: row.get("kind")?,
        merchant_account: row.get("merchant_account")?,
        base_url: row.get("base_url")?,
        created_at: row.time("created_at")?,
    })
}

//! Provider connections.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId};
use mizan_store::Result;
use mizan_store::connections::{Connection, Connections};
use tokio_postgres::Row;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    INSERT = "INSERT INTO provider_connections (tenant_id, provider, kind, merchant_account, base_url, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (provider) DO NOTHING";
    OF_TENANT = "SELECT provider, tenant_id, kind, merchant_account, base_url, created_at FROM provider_connections
         WHERE tenant_id = $1 AND provider = $2";
    LIST = "SELECT provider, tenant_id, kind, merchant_account, base_url, created_at FROM provider_connections
         WHERE tenant_id = $1 ORDER BY provider";
    /// In any tenant: a webhook's path alone says whose it is.
    BY_KEY = "SELECT provider, tenant_id, kind, merchant_account, base_url, created_at FROM provider_connections
         WHERE provider = $1";
    ALL = "SELECT provider, tenant_id, kind, merchant_account, base_url, created_at FROM provider_connections
         ORDER BY provider";
}

fn connection(row: &Row) -> Result<Connection> {
    let record = Record::new(row, "provider_connections", "provider");
    Ok(Connection {
        provider: record.word("provider")?,
        tenant: TenantId(record.get("tenant_id")?),
        kind: record.get("kind")?,
        merchant_account: record.get("merchant_account")?,
        base_url: record.get("base_url")?,
        created_at: record.get("created_at")?,
    })
}

pub(crate) async fn by_key(session: &Session, provider: &ProviderKey) -> Result<Option<Connection>> {
    let row = session.row(BY_KEY, &[&provider.as_str()]).await?;
    row.as_ref().map(connection).transpose()
}

pub(crate) async fn all(session: &Session) -> Result<Vec<Connection>> {
    session.rows(ALL, &[]).await?.iter().map(connection).collect()
}

#[async_trait]
impl Connections for PgTx {
    async fn insert_connection(&mut self, new: &Connection) -> Result<bool> {
        let inserted = self
            .session
            .execute(
                INSERT,
                &[
                    &self.tenant,
                    &new.provider.as_str(),
                    &new.kind,
                    &new.merchant_account,
                    &new.base_url,
                    &new.created_at,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn connection(&mut self, provider: &ProviderKey) -> Result<Option<Connection>> {
        let row = self
            .session
            .row(OF_TENANT, &[&self.tenant, &provider.as_str()])
            .await?;
        row.as_ref().map(connection).transpose()
    }

    async fn connections(&mut self) -> Result<Vec<Connection>> {
        let rows = self.session.rows(LIST, &[&self.tenant]).await?;
        rows.iter().map(connection).collect()
    }
}

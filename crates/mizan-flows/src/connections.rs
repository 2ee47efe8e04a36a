//! Provider connections of a tenant.

use mizan_core::ProviderKey;
use mizan_store::connections::Connection;

use crate::audit::{self, Change};
use crate::recent::Recent;
use crate::{App, Caller, FlowError, Result};

/// Connections that a webhook came for a moment ago.
#[derive(Debug, Default)]
pub struct Known(Recent<ProviderKey, Connection>);

/// Whose connection a key is. What was looked up within the last second is not looked up again.
pub(crate) async fn by_key(app: &App, provider: &ProviderKey) -> Result<Connection> {
    let now = app.now();
    if let Some(connection) = app.connections.0.get(provider, now) {
        return Ok(connection);
    }
    let mut platform = app.store.platform().await?;
    let connection = platform.connection_by_key(provider).await?;
    platform.rollback().await?;
    let connection = connection.ok_or_else(|| FlowError::UnsupportedProvider(provider.to_string()))?;
    app.connections.0.keep(provider.clone(), connection.clone(), now);
    Ok(connection)
}

/// Sets up a connection. Its key is unique in the whole installation: a webhook's path alone says whose it is.
pub async fn create(
    app: &App,
    caller: &Caller,
    provider: ProviderKey,
    kind: &str,
    merchant_account: Option<String>,
    base_url: Option<String>,
) -> Result<Connection> {
    let connection = Connection {
        provider,
        tenant: caller.tenant,
        kind: kind.to_owned(),
        merchant_account,
        base_url,
        created_at: app.now(),
    };
    if app.adapters.adapter(&connection).is_none() {
        return Err(FlowError::invalid("kind", "there is no adapter of this kind"));
    }
    let mut tx = app.store.begin(caller.tenant).await?;
    if !tx.insert_connection(&connection).await? {
        return Err(FlowError::Taken("provider"));
    }
    let change = Change {
        action: "connection.create",
        subject_type: "connection",
        subject_id: connection.provider.to_string(),
        details: Some(serde_json::json!({ "kind": connection.kind })),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, app.now(), change).await?;
    tx.commit().await?;
    Ok(connection)
}

pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Connection>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.connections().await?)
}

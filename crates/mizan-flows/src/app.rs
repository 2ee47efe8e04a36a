//! What every story is given: the store, the clock, the providers and the writer.

use std::collections::HashMap;
use std::sync::Arc;

use mizan_core::{Clock, Currency, ProviderKey, TenantId, TenantKey, Timestamp};
use mizan_payments::provider::Provider;
use mizan_payments::rollout::{Flag, Installed, Source};
use mizan_payments::{Actor, Role};
use mizan_recon::engine::MatchEngine;
use mizan_store::connections::Connection;
use mizan_store::{Store, Tx};
use tokio::sync::Notify;

use crate::objects::Objects;
use crate::passwords::Passwords;
use crate::recon_files::ReconFiles;
use crate::sessions::Sessions;
use crate::webhook_intake::desk::Desk;
use crate::writer::Writer;
use crate::{FlowError, Result};

/// Makes the adapter of a connection. The composition root knows the adapters and their secrets.
pub trait Adapters: Send + Sync + 'static {
    /// `None` if the connection is of a kind that this version does not have.
    fn adapter(&self, connection: &Connection) -> Option<Arc<dyn Provider>>;
}

/// What stories need to know of the settings.
#[derive(Debug, Clone)]
pub struct FlowSettings {
    pub production: bool,
    pub strict: bool,
    pub default_tenant: TenantKey,
    pub default_currency: Currency,
    pub flags: Vec<Installed>,
}

impl FlowSettings {
    /// What the installation says of a flag.
    pub fn flag(&self, flag: Flag) -> Installed {
        let found = self.flags.iter().find(|it| it.flag == flag).copied();
        found.unwrap_or(Installed {
            flag,
            value: true,
            source: Source::Default,
        })
    }
}

/// What every story is given.
pub struct App {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub adapters: Arc<dyn Adapters>,
    pub engine: Arc<dyn MatchEngine>,
    /// Where uploaded statements are kept.
    pub objects: Arc<dyn Objects>,
    /// The rule and map files of providers.
    pub recon: ReconFiles,
    pub settings: FlowSettings,
    pub sessions: Sessions,
    pub passwords: Passwords,
    pub writer: Writer,
    pub intake: Desk,
    pub connections: crate::connections::Known,
    /// Rung when a job was put into the outbox, so that a runner in this process need not wait.
    pub job_bell: Arc<Notify>,
}

impl App {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn adapter(&self, connection: &Connection) -> Result<Arc<dyn Provider>> {
        self.adapters
            .adapter(connection)
            .ok_or_else(|| FlowError::UnsupportedProvider(connection.provider.to_string()))
    }

    /// The connection of a tenant with its adapter.
    pub(crate) async fn provider(
        &self,
        tx: &mut dyn Tx,
        provider: &ProviderKey,
    ) -> Result<(Connection, Arc<dyn Provider>)> {
        let connection = tx
            .connection(provider)
            .await?
            .ok_or_else(|| FlowError::UnsupportedProvider(provider.to_string()))?;
        let adapter = self.adapter(&connection)?;
        Ok((connection, adapter))
    }

    /// The value of a flag for the transaction's tenant.
    pub(crate) async fn flag(&self, tx: &mut dyn Tx, flag: Flag) -> Result<bool> {
        let overrides: HashMap<_, _> = tx
            .flag_overrides()
            .await?
            .into_iter()
            .map(|it| (it.flag, it.value))
            .collect();
        let effective =
            mizan_payments::rollout::effective(self.settings.flag(flag), overrides.get(&flag).copied());
        Ok(effective.value)
    }
}

/// Who asks, for which tenant, and under which request id.
#[derive(Debug, Clone)]
pub struct Caller {
    pub tenant: TenantId,
    pub actor: Actor,
    pub request_id: Option<String>,
}

impl Caller {
    /// A caller that is no person: `cli`, `worker`, `webhook`.
    pub fn system(tenant: TenantId, name: &'static str, request_id: Option<String>) -> Self {
        Self {
            tenant,
            actor: Actor::System(name),
            request_id,
        }
    }

    pub fn role(&self) -> Option<Role> {
        self.actor.role()
    }
}

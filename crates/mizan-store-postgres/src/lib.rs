//! The storage contract on PostgreSQL.
//!
//! One file per noun, with the names of `mizan-store`; each statement is a named constant beside the function
//! that runs it, and [`statements`] lists them all. Transactions that write are READ COMMITTED and take their
//! locks before they read; see [`transfers`](mizan_store::transfers) for the order. Where the server offers the
//! role `mizan_app`, every connection works as it, and can append to the journal but not change it.

mod accounts;
mod api_keys;
mod audit;
mod chain;
mod completeness;
mod config;
mod connections;
mod deposits;
mod effects;
mod error;
mod finding_adjustments;
mod finding_events;
mod findings;
mod flags;
mod idempotency;
mod journal;
mod listing;
pub mod migrate;
mod outbox;
mod partitions;
mod payouts;
mod platform;
mod players;
mod pool;
mod recon_runs;
mod recon_schedules;
mod record;
mod revisions;
mod session;
mod signing_keys;
mod staff;
mod statement_files;
pub mod statements;
mod tenants;
mod tls;
mod transfers;
mod tx;
mod verify;
mod webhooks;
mod withdrawals;

use async_trait::async_trait;
use mizan_core::TenantId;
use mizan_store::{Engine, Platform, Result, Store, Tx};

pub use config::{CertificateCheck, PostgresConfig};
pub use error::login_refused;

use pool::{BEGIN_READ, BEGIN_WRITE, SessionPool};

/// Mizan's rows in a PostgreSQL database, version 13 or later.
#[derive(Clone)]
pub struct PostgresStore {
    pool: SessionPool,
}

impl PostgresStore {
    /// Makes the store. Nothing is connected yet, so this works while the server is away; what fails is a URL
    /// or a certificate file that cannot be read.
    pub fn connect(config: &PostgresConfig) -> Result<Self> {
        Ok(Self {
            pool: SessionPool::new(config)?,
        })
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    async fn begin(&self, tenant: TenantId) -> Result<Box<dyn Tx>> {
        let session = self.pool.begin(BEGIN_WRITE).await?;
        Ok(Box::new(tx::PgTx::new(session, self.pool.clone(), tenant)))
    }

    async fn read(&self, tenant: TenantId) -> Result<Box<dyn Tx>> {
        let session = self.pool.begin(BEGIN_READ).await?;
        Ok(Box::new(tx::PgTx::new(session, self.pool.clone(), tenant)))
    }

    async fn platform(&self) -> Result<Box<dyn Platform>> {
        let session = self.pool.begin(BEGIN_WRITE).await?;
        Ok(Box::new(platform::PgPlatform {
            session,
            pool: self.pool.clone(),
        }))
    }

    async fn ping(&self) -> Result<()> {
        // A ping that is given up closes its connection, so a hung server does not keep hung connections.
        let lease = self.pool.lease().await?;
        lease
            .client()
            .batch_execute("SELECT 1")
            .await
            .map_err(error::store_error)?;
        lease.give_back();
        Ok(())
    }

    async fn applied_revisions(&self) -> Result<Vec<String>> {
        revisions::applied(&self.pool).await
    }

    async fn journal_is_append_only(&self) -> Result<bool> {
        revisions::journal_is_append_only(&self.pool).await
    }
}

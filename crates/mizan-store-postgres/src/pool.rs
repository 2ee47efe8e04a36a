//! The connection pool, and what every connection is told before its first use.
//!
//! The pool is lazy: it is made while the server is away, and connects when a connection is asked for.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use mizan_store::{Result, StoreError};
use tokio::time::timeout;
use tokio_postgres::Config;

use crate::config::PostgresConfig;
use crate::session::Session;
use crate::tls;

/// A connection is replaced when it is this old, so that a change of role or of primary reaches them all.
const MAX_AGE: Duration = Duration::from_mins(30);
/// How much longer than the server the client waits for a statement: only a server that hangs gets here.
const GRACE: Duration = Duration::from_secs(3);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
/// How long bytes may stay unacknowledged before a connection counts as dead.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);

pub(crate) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Questions about the whole journal take as long as they take.
pub(crate) const BEGIN_VERIFY: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0";

/// A pool that begins transactions.
#[derive(Clone)]
pub(crate) struct SessionPool {
    pool: Pool,
    patience: Duration,
    /// How many numbers a new partition of the journal has.
    pub(crate) partition_rows: i64,
    /// For waiting, connecting and setting up, each of which may take the time to acquire.
    acquire_limit: Duration,
}

impl SessionPool {
    pub(crate) fn new(config: &PostgresConfig) -> Result<Self> {
        let mut postgres: Config = config
            .url
            .reveal()
            .parse()
            .map_err(|error: tokio_postgres::Error| StoreError::Database(Box::new(error)))?;
        postgres
            .application_name("mizan")
            .connect_timeout(config.acquire_timeout)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES)
            .tcp_user_timeout(UNACKNOWLEDGED);
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(postgres, tls::connector(config)?, recycling);
        let pool = Pool::builder(manager)
            .max_size(config.pool_size.max(2))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.acquire_timeout))
            .create_timeout(Some(config.acquire_timeout))
            .recycle_timeout(Some(config.acquire_timeout))
            .post_create(setup_hook(config.statement_timeout))
            .pre_recycle(Hook::sync_fn(|_, metrics| {
                if metrics.age() > MAX_AGE {
                    return Err(HookError::message("old enough to be replaced"));
                }
                Ok(())
            }))
            .build()
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        Ok(Self {
            pool,
            patience: config.statement_timeout.saturating_add(GRACE),
            partition_rows: i64::from(config.partition_rows),
            acquire_limit: config.acquire_timeout.saturating_mul(3),
        })
    }

    /// A connection that is closed, rather than given back, unless its user says that it is clean.
    pub(crate) async fn lease(&self) -> Result<Lease> {
        match timeout(self.acquire_limit, self.pool.get()).await {
            Ok(Ok(object)) => Ok(Lease(Some(object))),
            Ok(Err(error)) => Err(StoreError::Unavailable(Box::new(error))),
            Err(elapsed) => Err(StoreError::Unavailable(Box::new(elapsed))),
        }
    }

    /// Takes a connection for a transaction with one of the `BEGIN_…` above, which leaves with the first statement.
    pub(crate) async fn begin(&self, how: &'static str) -> Result<Session> {
        let patience = if how == BEGIN_VERIFY {
            None
        } else {
            Some(self.patience)
        };
        Ok(Session {
            lease: self.lease().await?,
            patience,
            how,
            begun: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
        })
    }
}

/// Works as `mizan_app` where that role exists and the login may, bounds the time that anything may take, and
/// has the server notice clients that are gone. Compiling plans (JIT) costs more than any statement here saves.
fn setup_sql(statement_timeout: Duration) -> String {
    let limit = statement_timeout.as_millis();
    format!(
        "DO $$
         BEGIN
             IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'mizan_app' AND pg_has_role(session_user, oid, 'MEMBER')) THEN
                 SET ROLE mizan_app;
             END IF;
         END
         $$;
         SET statement_timeout = {limit};
         SET idle_in_transaction_session_timeout = {limit};
         SET jit = off;
         SELECT set_config(name, '2s', false) FROM pg_settings
         WHERE name = 'client_connection_check_interval' AND version() LIKE '%linux%'"
    )
}

fn setup_hook(statement_timeout: Duration) -> Hook {
    let setup = setup_sql(statement_timeout);
    Hook::async_fn(move |client, _| {
        let setup = setup.clone();
        Box::pin(async move { client.batch_execute(&setup).await.map_err(HookError::Backend) })
    })
}

/// A connection in use. Dropping it closes the connection, because nobody knows what it was in the middle of.
pub(crate) struct Lease(Option<Object>);

impl Lease {
    pub(crate) fn client(&self) -> &Object {
        self.0
            .as_ref()
            .expect("a lease holds its connection until it is given back")
    }

    /// Whether it was given back or taken over.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Takes the connection over, leaving nothing behind.
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// The connection is in no transaction: the next one may have it.
    pub(crate) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

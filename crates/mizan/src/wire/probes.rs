//! What the probes look at: the database, Redis and the migrations. Every answer is one word of a fixed
//! vocabulary; no host, no URL and no driver's text leaves this file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mizan_config::Redis;
use mizan_http::health::{Detail, Probe, ProbeResult, Revisions};
use mizan_store::migrate::{Revision, Standing, standing};
use mizan_store::{Engine, Store};
use mizan_worker::queue::redis::{Connect, Connection};
use redis::RedisError;
use tokio::sync::Mutex;

use super::redis::Servers;

/// Asks the database.
pub struct DatabaseProbe {
    pub store: Arc<dyn Store>,
    /// Masked.
    pub target: String,
}

#[async_trait]
impl Probe for DatabaseProbe {
    async fn check(&self) -> ProbeResult {
        let detail = match self.store.ping().await {
            Ok(()) => Detail::Connected,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "database ping failed");
                if mizan_store_postgres::login_refused(&error) {
                    Detail::AuthFailed
                } else {
                    Detail::Unreachable
                }
            }
        };
        detail.into()
    }

    fn target(&self) -> String {
        self.target.clone()
    }
}

/// Asks where the migrations stand.
pub struct MigrationsProbe {
    pub store: Arc<dyn Store>,
    pub target: String,
}

#[async_trait]
impl Probe for MigrationsProbe {
    async fn check(&self) -> ProbeResult {
        let all = revisions(self.store.engine());
        let (found, current) = match self.store.applied_revisions().await {
            Ok(applied) => (
                standing(&applied, all),
                applied.last().cloned().into_iter().collect(),
            ),
            Err(_) => (Standing::Unknown, Vec::new()),
        };
        let detail = match found {
            Standing::Head => Detail::Head,
            Standing::Behind { .. } => Detail::Behind,
            Standing::Ahead { .. } => Detail::Ahead,
            Standing::Diverged { .. } => Detail::Diverged,
            Standing::Unknown => Detail::Unknown,
        };
        ProbeResult {
            detail,
            revisions: Some(self.revisions(current)),
        }
    }

    /// The newest revision of this build is known whatever the database says.
    fn late(&self) -> ProbeResult {
        ProbeResult {
            detail: Detail::Unknown,
            revisions: Some(self.revisions(Vec::new())),
        }
    }

    fn target(&self) -> String {
        self.target.clone()
    }
}

impl MigrationsProbe {
    fn revisions(&self, current: Vec<String>) -> Revisions {
        let head = revisions(self.store.engine()).last();
        Revisions {
            current,
            head: head.map(|it| it.id.to_owned()).into_iter().collect(),
        }
    }
}

/// The revisions that this binary has for an engine.
pub fn revisions(engine: Engine) -> &'static [Revision] {
    match engine {
        Engine::Postgres => mizan_store_postgres::migrate::REVISIONS,
        Engine::Sqlite => mizan_store_sqlite::migrate::REVISIONS,
    }
}

/// Pings Redis over a connection that is kept while it is good.
pub struct RedisProbe {
    servers: Servers,
    masked: String,
    kept: Mutex<Option<Connection>>,
}

/// How long a ping may take; readiness bounds it further.
const PATIENCE: Duration = Duration::from_secs(2);

impl RedisProbe {
    pub fn new(redis: &Redis) -> Result<Self, RedisError> {
        Ok(Self {
            servers: Servers::new(redis)?,
            masked: redis.masked().to_owned(),
            kept: Mutex::new(None),
        })
    }

    async fn ping(&self) -> Result<(), RedisError> {
        let mut kept = self.kept.lock().await;
        // What is kept is given back only after it answered, so a connection that hangs is not used again.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.servers.connect(PATIENCE).await?,
        };
        redis::cmd("PING").exec_async(&mut connection).await?;
        *kept = Some(connection);
        Ok(())
    }
}

#[async_trait]
impl Probe for RedisProbe {
    async fn check(&self) -> ProbeResult {
        let detail = match self.ping().await {
            Ok(()) => Detail::Connected,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "redis ping failed");
                if error.kind() == redis::ErrorKind::AuthenticationFailed {
                    Detail::AuthFailed
                } else if error.is_timeout() {
                    Detail::Timeout
                } else {
                    Detail::Unreachable
                }
            }
        };
        detail.into()
    }

    fn target(&self) -> String {
        self.masked.clone()
    }
}

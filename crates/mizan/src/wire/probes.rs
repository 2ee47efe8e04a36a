//! What the probes look at: the database, Redis and the migrations. Every answer is one word of a fixed
//! vocabulary; no host, no URL and no driver's text leaves this file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mizan_config::Redis;
use mizan_http::health::{Detail, Probe, ProbeResult, Revisions};
use mizan_store::migrate::{Revision, Standing, standing};
use mizan_store::{Engine, Store};
use redis::aio::MultiplexedConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsMode};
use tokio::sync::Mutex;

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
    target: Target,
    masked: String,
    kept: Mutex<Option<MultiplexedConnection>>,
}

enum Target {
    /// Tried in order: the one server, or the nodes of a cluster, of which any will do.
    Servers(Vec<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
}

impl RedisProbe {
    pub fn new(redis: &Redis) -> Result<Self, RedisError> {
        let target = match redis {
            Redis::Single { url, .. } => Target::Servers(vec![Client::open(url.reveal())?]),
            Redis::Cluster { nodes, .. } => Target::Servers(
                nodes
                    .iter()
                    .map(|it| Client::open(it.reveal()))
                    .collect::<Result<_, _>>()?,
            ),
            Redis::Sentinel {
                sentinels,
                master,
                login,
                database,
                tls,
                ..
            } => {
                let sentinels = sentinels
                    .iter()
                    .map(|it| it.reveal().into_connection_info())
                    .collect::<Result<Vec<_>, _>>()?;
                let mut info = RedisConnectionInfo::default().set_db(i64::from(*database));
                if let Some(user) = &login.user {
                    info = info.set_username(user);
                }
                if let Some(password) = &login.password {
                    info = info.set_password(password.reveal());
                }
                let mut node = SentinelNodeConnectionInfo::default().set_redis_connection_info(info);
                if *tls {
                    node = node.set_tls_mode(TlsMode::Secure);
                }
                let client =
                    SentinelClient::build(sentinels, master.clone(), Some(node), SentinelServerType::Master)?;
                Target::Sentinel(Box::new(Mutex::new(client)))
            }
        };
        Ok(Self {
            target,
            masked: redis.masked().to_owned(),
            kept: Mutex::new(None),
        })
    }

    async fn ping(&self) -> Result<(), RedisError> {
        let mut kept = self.kept.lock().await;
        // What is kept is given back only after it answered, so a connection that hangs is not used again.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let _: String = redis::cmd("PING").query_async(&mut connection).await?;
        *kept = Some(connection);
        Ok(())
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(2)));
        match &self.target {
            Target::Sentinel(client) => {
                client
                    .lock()
                    .await
                    .get_async_connection_with_config(&config)
                    .await
            }
            Target::Servers(clients) => {
                let mut last = None;
                for client in clients {
                    match client.get_multiplexed_async_connection_with_config(&config).await {
                        Ok(connection) => return Ok(connection),
                        Err(error) => last = Some(error),
                    }
                }
                Err(last
                    .unwrap_or_else(|| (redis::ErrorKind::InvalidClientConfig, "no server is named").into()))
            }
        }
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

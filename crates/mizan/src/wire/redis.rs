//! Opens connections to the Redis that the settings name: one server, the master that sentinels name, a cluster.

use std::time::Duration;

use async_trait::async_trait;
use mizan_config::Redis;
use mizan_mask::Secret;
use mizan_worker::queue::redis::{Connect, Connection};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsMode};
use tokio::sync::Mutex;

/// How long a connection may take to be opened.
const OPENING: Duration = Duration::from_secs(2);

pub enum Servers {
    Single(Box<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

impl Servers {
    /// Opens nothing yet.
    pub fn new(redis: &Redis) -> Result<Self, RedisError> {
        Ok(match redis {
            Redis::Single { url, .. } => Self::Single(Box::new(Client::open(url.reveal())?)),
            Redis::Cluster { nodes, .. } => {
                let nodes: Vec<_> = nodes.iter().map(Secret::<String>::reveal).collect();
                Self::Cluster(Box::new(ClusterClient::builder(nodes).retries(1).build()?))
            }
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
                Self::Sentinel(Box::new(Mutex::new(client)))
            }
        })
    }
}

#[async_trait]
impl Connect for Servers {
    async fn connect(&self, patience: Duration) -> Result<Connection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(OPENING))
            .set_response_timeout(Some(patience));
        Ok(match self {
            Self::Single(client) => Connection::Server(
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            ),
            Self::Sentinel(client) => {
                let mut client = client.lock().await;
                Connection::Server(client.get_async_connection_with_config(&config).await?)
            }
            Self::Cluster(client) => {
                let config = ClusterConfig::new()
                    .set_connection_timeout(OPENING)
                    .set_response_timeout(patience);
                Connection::Cluster(client.get_async_connection_with_config(config).await?)
            }
        })
    }
}

//! A connection to one server or to a cluster, and who opens one.

use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

/// Opens connections. With sentinels it asks each time who the master is.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// `patience` is how long a command may take; a read that waits needs more than redis-rs allows by default.
    async fn connect(&self, patience: Duration) -> RedisResult<Connection>;
}

/// An open connection; clones share it.
#[derive(Clone)]
pub enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(it) => it.req_packed_command(command),
            Self::Cluster(it) => it.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(it) => it.req_packed_commands(pipeline, offset, count),
            Self::Cluster(it) => it.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(it) => it.get_db(),
            Self::Cluster(it) => it.get_db(),
        }
    }
}

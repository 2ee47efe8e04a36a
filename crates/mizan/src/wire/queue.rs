//! The queue that the settings name, and what a worker is called.

use std::sync::Arc;

use anyhow::Context;
use mizan_config::Redis;
use mizan_worker::queue::redis::RedisQueue;

use super::redis::Servers;

/// Opens nothing yet: a Redis that is away keeps nobody from starting.
pub fn open(redis: &Redis, name: &str) -> anyhow::Result<Arc<RedisQueue>> {
    let servers = Servers::new(redis).context("the Redis client cannot be set up")?;
    Ok(Arc::new(RedisQueue::new(Arc::new(servers), name)))
}

/// The name of this machine, or of its container.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unknown".to_owned(),
        name => name.to_owned(),
    }
}

/// A name that no other process has.
pub fn worker_name(role: &str) -> String {
    let number = rand::random::<u32>();
    format!("{role}-{}-{}-{number:08x}", host(), std::process::id())
}

//! The queue contract: it carries the ids of jobs to workers, and nothing else.
//!
//! The outbox row is the truth. A queue may lose, repeat and reorder what it carries: a lost id is carried again
//! by the relay, and an id that is carried twice is claimed once.

pub mod memory;
pub mod redis;

use std::time::Duration;

use async_trait::async_trait;
use mizan_core::Timestamp;
use serde::{Deserialize, Serialize};

/// The id of a job on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What the queue calls it.
    pub entry: String,
    pub job: i64,
}

/// What is on its way and not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    pub messages: u64,
    /// When the oldest of them was marked as relayed. A job that was relayed well before it and is still not
    /// taken has lost its message.
    pub oldest: Option<Timestamp>,
}

/// A worker's sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    pub worker: String,
    pub host: String,
    pub version: String,
    pub at: Timestamp,
    pub running: usize,
    pub concurrency: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the queue cannot be reached")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the queue refused a command")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type Result<T, E = QueueError> = std::result::Result<T, E>;

/// Carries ids of jobs. Any number of processes may push and take.
#[async_trait]
pub trait Queue: Send + Sync + 'static {
    fn name(&self) -> &str;

    /// Whether it answers.
    async fn ping(&self) -> Result<()>;

    /// Puts ids in, in this order; `at` is when they were marked as relayed.
    async fn push(&self, jobs: &[i64], at: Timestamp) -> Result<()>;

    /// Takes up to `limit` messages that nobody was given, waiting up to `wait` for the first. They stay with
    /// `worker` until they are settled.
    async fn take(&self, worker: &str, limit: usize, wait: Duration) -> Result<Vec<Message>>;

    /// Removes messages: their jobs were claimed, or need not be.
    async fn settle(&self, messages: &[Message]) -> Result<()>;

    /// Takes over messages that a worker was given and has not settled for `idle`.
    async fn reclaim(&self, worker: &str, idle: Duration, limit: usize) -> Result<Vec<Message>>;

    async fn backlog(&self) -> Result<Backlog>;

    /// Forgets a worker that stops.
    async fn leave(&self, worker: &str) -> Result<()>;

    /// Leaves a sign of life, and forgets those older than `stale`.
    async fn beat(&self, beat: &Beat, stale: Duration) -> Result<()>;

    async fn beats(&self) -> Result<Vec<Beat>>;
}

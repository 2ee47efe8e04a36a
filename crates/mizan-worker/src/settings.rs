//! How a worker works.

use std::time::Duration;

use chrono::TimeDelta;

#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The name in leases and logs; unique among the workers of an installation.
    pub worker: String,
    /// How many jobs run at a time.
    pub concurrency: usize,
    /// How long a job is held without a sign of life.
    pub lease: Duration,
    /// How long to sleep when nothing is due and nobody rings.
    pub poll: Duration,
    /// After so many failed tries a job is given up. Failures that time heals are not counted against it,
    /// except by runs, which end as failed.
    pub max_attempts: i32,
    /// How long running jobs may take to end after a stop was asked for; then they are handed back.
    pub grace: Duration,
    /// Whether jobs may be claimed from the database while the queue is away. Never in strict mode.
    pub fall_back: bool,
}

impl WorkerSettings {
    pub fn named(worker: String) -> Self {
        Self {
            worker,
            concurrency: 8,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            max_attempts: 8,
            grace: Duration::from_secs(20),
            fall_back: false,
        }
    }

    pub(crate) fn lease_delta(&self) -> TimeDelta {
        crate::attempt::delta(self.lease)
    }
}

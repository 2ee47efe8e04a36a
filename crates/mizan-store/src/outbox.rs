//! The outbox: jobs are rows, written in the transaction of the change that asks for them.

use async_trait::async_trait;
use mizan_core::{Job, TenantId, Timestamp};

use crate::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub job: Job,
    /// Not before this time.
    pub run_at: Timestamp,
    pub request_id: Option<String>,
    pub created_at: Timestamp,
}

/// A job that a worker holds until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    pub id: i64,
    pub tenant: TenantId,
    pub job: Job,
    /// 1 for the first try.
    pub attempt: i32,
    /// The fencing token: it grows with every claim, and what a former holder writes is refused.
    pub token: i64,
    pub request_id: Option<String>,
    pub created_at: Timestamp,
    /// When this try was due.
    pub run_at: Timestamp,
    /// How many holders have let their lease run out.
    pub lost: i32,
}

/// What shows that a job is held: its id and fencing token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub id: i64,
    pub token: i64,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    Done,
    /// Not finished: try again at this time. `error` is `None` where waiting is normal (a status query).
    Again {
        at: Timestamp,
        error: Option<String>,
    },
    /// The worker stops before the try ended: another may have it at once, and the try is not counted.
    HandedBack,
    /// Given up after too many tries: the dead letter, which people can see and put back.
    Dead {
        error: String,
    },
}

/// How much work waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDepth {
    pub ready: u64,
    /// Held by a worker.
    pub running: u64,
    pub dead: u64,
    /// Seconds since the oldest job that could run was due.
    pub oldest_ready_s: u64,
}

#[async_trait]
pub trait Outbox {
    async fn enqueue(&mut self, job: &NewJob) -> Result<()>;

    /// The same for many, in this order.
    async fn enqueue_all(&mut self, jobs: &[NewJob]) -> Result<()>;

    /// Ends jobs as done within the transaction of what they did. Answers how many were still held with their
    /// token; those of them that are of other tenants are not.
    async fn end_done(&mut self, held: &[Held], at: Timestamp) -> Result<u64>;

    /// Locks a job's row until the end of this transaction; `false` if it is not held with this token any more.
    /// Whoever writes the result of a job asks this first, in the same transaction: that is the fence.
    async fn hold_job(&mut self, id: i64, token: i64) -> Result<bool>;
}

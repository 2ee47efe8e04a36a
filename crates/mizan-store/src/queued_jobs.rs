//! Jobs as people see them: what waits, what is worked on, and what was given up.

use async_trait::async_trait;
use mizan_core::{TenantId, Timestamp};

use crate::Result;

/// Where a job stands. What is done is not shown: it is gone after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Given up after too many tries: a dead letter.
    Dead,
    /// A worker holds it.
    Running,
    /// Due now or later, and held by nobody.
    Waiting,
}

impl JobState {
    pub const ALL: [Self; 3] = [Self::Dead, Self::Running, Self::Waiting];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Running => "running",
            Self::Waiting => "waiting",
        }
    }

    /// Where a job stands that is in the outbox in that state and leased until then.
    pub fn of(state: &str, lease_until: Option<Timestamp>, now: Timestamp) -> Self {
        match state {
            "dead" => Self::Dead,
            _ if lease_until.is_some_and(|it| it >= now) => Self::Running,
            _ => Self::Waiting,
        }
    }
}

/// Which jobs of one state are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    pub state: JobState,
    pub kind: Option<String>,
    /// None: of all tenants.
    pub tenant: Option<TenantId>,
    pub limit: u32,
}

/// A row of the outbox that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedJob {
    pub id: i64,
    pub tenant: TenantId,
    pub kind: String,
    /// As it is stored; of a dead letter it may be no job at all.
    pub job: String,
    pub state: JobState,
    /// When it is due, or was.
    pub run_at: Timestamp,
    pub attempts: i32,
    /// How many holders have let their lease run out.
    pub lost: i32,
    /// Who holds it, or held it last.
    pub worker: Option<String>,
    pub lease_until: Option<Timestamp>,
    /// What the last try failed of.
    pub error: Option<String>,
    pub request_id: Option<String>,
    pub created_at: Timestamp,
    /// When it was given up.
    pub finished_at: Option<Timestamp>,
}

/// What may be done about dead letters, in the transaction that says who did it.
#[async_trait]
pub trait DeadLetters {
    /// Puts a dead job back, due at once and with all its tries; `false` if it is not dead.
    async fn requeue_dead_job(&mut self, id: i64, at: Timestamp) -> Result<bool>;

    /// Deletes a dead job; `false` if it is not dead.
    async fn drop_dead_job(&mut self, id: i64) -> Result<bool>;
}

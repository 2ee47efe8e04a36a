//! What belongs to the installation and to no tenant: setting tenants up, signing in, claiming jobs, sealing.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, TenantKey, Timestamp};

use crate::Result;
use crate::api_keys::ApiKey;
use crate::chain::Chain;
use crate::connections::Connection;
use crate::outbox::{ClaimedJob, JobEnd, QueueDepth};
use crate::partitions::Partitions;
use crate::players::Player;
use crate::queued_jobs::{JobFilter, QueuedJob};
use crate::staff::Staff;
use crate::tenants::Tenant;

/// A key that signs access tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub kid: String,
    pub secret: Vec<u8>,
    pub created_at: Timestamp,
    /// A retired key signs nothing any more, and verifies until its last token has expired.
    pub retired_at: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("secret", &"***")
            .finish_non_exhaustive()
    }
}

/// A transaction that is bound to no tenant.
#[async_trait]
pub trait Platform: Chain + Partitions + Send {
    /// Makes a tenant, or finds the one that has the key. The flag says whether it was made now.
    async fn ensure_tenant(&mut self, key: &TenantKey, name: &str, at: Timestamp) -> Result<(Tenant, bool)>;

    async fn tenant_by_key(&mut self, key: &TenantKey) -> Result<Option<Tenant>>;

    async fn tenant_by_id(&mut self, id: TenantId) -> Result<Option<Tenant>>;

    /// All tenants, by key.
    async fn tenants(&mut self) -> Result<Vec<Tenant>>;

    /// Whether any owner exists.
    async fn has_owner(&mut self) -> Result<bool>;

    /// A member of any tenant's staff with the hash of the password.
    async fn staff_by_email(&mut self, email: &str) -> Result<Option<(Staff, String)>>;

    /// The players with this email, in every tenant, with the hashes of their passwords.
    async fn players_by_email(&mut self, email: &str) -> Result<Vec<(TenantId, Player, String)>>;

    async fn api_key_by_prefix(&mut self, prefix: &str) -> Result<Option<ApiKey>>;

    /// Oldest first, retired ones included.
    async fn signing_keys(&mut self) -> Result<Vec<SigningKey>>;

    /// Inserts a key. With `only_if_none`, only if there is no key that signs; `false` if it did nothing.
    async fn insert_signing_key(&mut self, key: &SigningKey, only_if_none: bool) -> Result<bool>;

    /// Retires all keys but this one.
    async fn retire_other_signing_keys(&mut self, kid: &str, at: Timestamp) -> Result<u64>;

    /// Forgets keys that were retired before.
    async fn delete_signing_keys_retired_before(&mut self, at: Timestamp) -> Result<u64>;

    /// Whose connection a key is.
    async fn connection_by_key(&mut self, provider: &ProviderKey) -> Result<Option<Connection>>;

    /// The connections of all tenants, by key.
    async fn all_connections(&mut self) -> Result<Vec<Connection>>;

    /// Claims jobs that are due and that nobody holds, oldest first, for `lease_until`. Rivals skip each
    /// other's jobs.
    async fn claim_jobs(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>>;

    /// The same for jobs of one kind only: company for one that was claimed.
    async fn claim_jobs_of(
        &mut self,
        kind: &'static str,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>>;

    /// Claims those of these jobs that nobody holds and that are due, or were due in the eyes of the relay.
    async fn claim_listed_jobs(
        &mut self,
        worker: &str,
        ids: &[i64],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<ClaimedJob>>;

    /// Marks jobs as given to the queue at `now`: due, held by nobody, not given to it yet. Answers with
    /// their ids and when they were due, oldest id first.
    async fn relay_jobs(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(i64, Timestamp)>>;

    /// Marks jobs again whose message must be lost: given to the queue before `before` and taken by nobody, or
    /// held by a worker whose lease ran out.
    async fn relay_lost_jobs(&mut self, now: Timestamp, before: Timestamp, limit: u32) -> Result<Vec<i64>>;

    /// Takes the mark back from jobs that could not be given to the queue.
    async fn unrelay_jobs(&mut self, ids: &[i64]) -> Result<u64>;

    /// Prolongs a lease; `false` if the job is not held with this token any more.
    async fn renew_job(&mut self, id: i64, token: i64, lease_until: Timestamp) -> Result<bool>;

    /// Ends a try; `false` if the job is not held with this token any more.
    async fn end_job(&mut self, id: i64, token: i64, end: &JobEnd, at: Timestamp) -> Result<bool>;

    /// The schedules of all tenants that have a run to make.
    async fn due_schedules(&mut self, now: Timestamp) -> Result<Vec<(TenantId, ProviderKey)>>;

    /// Jobs that are not done: dead and running ones by id, waiting ones by when they are due.
    async fn queued_jobs(&mut self, filter: &JobFilter, now: Timestamp) -> Result<Vec<QueuedJob>>;

    /// One job that is not done.
    async fn queued_job(&mut self, id: i64, now: Timestamp) -> Result<Option<QueuedJob>>;

    async fn queue_depth(&mut self, now: Timestamp) -> Result<QueueDepth>;

    /// When the next job is due that nobody holds.
    async fn next_job_at(&mut self) -> Result<Option<Timestamp>>;

    /// Deletes jobs that were done before; at most `limit` rows at a time.
    async fn delete_done_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Deletes idempotency keys made before; at most `limit` rows at a time.
    async fn delete_idempotency_keys(&mut self, before: Timestamp, limit: u32) -> Result<u64>;

    async fn commit(self: Box<Self>) -> Result<()>;

    async fn rollback(self: Box<Self>) -> Result<()>;
}

//! A transaction that is bound to no tenant. The SQL is with the nouns; this is where it comes together.

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, TenantKey, Timestamp};
use mizan_store::Result;
use mizan_store::api_keys::ApiKey;
use mizan_store::connections::Connection;
use mizan_store::outbox::{ClaimedJob, JobEnd, QueueDepth};
use mizan_store::platform::{Platform, SigningKey};
use mizan_store::players::Player;
use mizan_store::queued_jobs::{JobFilter, QueuedJob};
use mizan_store::staff::Staff;
use mizan_store::tenants::Tenant;

use crate::pool::SessionPool;
use crate::session::Session;
use crate::{
    api_keys, connections, idempotency, outbox, players, recon_schedules, signing_keys, staff, tenants,
};

pub(crate) struct PgPlatform {
    pub(crate) session: Session,
    /// For what must be asked outside the transaction.
    pub(crate) pool: SessionPool,
}

#[async_trait]
impl Platform for PgPlatform {
    async fn ensure_tenant(&mut self, key: &TenantKey, name: &str, at: Timestamp) -> Result<(Tenant, bool)> {
        tenants::ensure(&self.session, key, name, at).await
    }

    async fn tenant_by_key(&mut self, key: &TenantKey) -> Result<Option<Tenant>> {
        tenants::by_key(&self.session, key).await
    }

    async fn tenant_by_id(&mut self, id: TenantId) -> Result<Option<Tenant>> {
        tenants::by_id(&self.session, id).await
    }

    async fn tenants(&mut self) -> Result<Vec<Tenant>> {
        tenants::all(&self.session).await
    }

    async fn has_owner(&mut self) -> Result<bool> {
        staff::has_owner(&self.session).await
    }

    async fn staff_by_email(&mut self, email: &str) -> Result<Option<(Staff, String)>> {
        staff::by_email(&self.session, email).await
    }

    async fn players_by_email(&mut self, email: &str) -> Result<Vec<(TenantId, Player, String)>> {
        players::by_email(&self.session, email).await
    }

    async fn api_key_by_prefix(&mut self, prefix: &str) -> Result<Option<ApiKey>> {
        api_keys::by_prefix(&self.session, prefix).await
    }

    async fn signing_keys(&mut self) -> Result<Vec<SigningKey>> {
        signing_keys::list(&self.session).await
    }

    async fn insert_signing_key(&mut self, key: &SigningKey, only_if_none: bool) -> Result<bool> {
        signing_keys::insert(&self.session, key, only_if_none).await
    }

    async fn retire_other_signing_keys(&mut self, kid: &str, at: Timestamp) -> Result<u64> {
        signing_keys::retire_others(&self.session, kid, at).await
    }

    async fn delete_signing_keys_retired_before(&mut self, at: Timestamp) -> Result<u64> {
        signing_keys::delete_retired_before(&self.session, at).await
    }

    async fn connection_by_key(&mut self, provider: &ProviderKey) -> Result<Option<Connection>> {
        connections::by_key(&self.session, provider).await
    }

    async fn all_connections(&mut self) -> Result<Vec<Connection>> {
        connections::all(&self.session).await
    }

    async fn claim_jobs(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>> {
        outbox::claim(&self.session, worker, now, lease_until, limit).await
    }

    async fn claim_jobs_of(
        &mut self,
        kind: &'static str,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>> {
        outbox::claim_of(&self.session, kind, worker, now, lease_until, limit).await
    }

    async fn claim_listed_jobs(
        &mut self,
        worker: &str,
        ids: &[i64],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<ClaimedJob>> {
        outbox::claim_listed(&self.session, worker, ids, now, lease_until).await
    }

    async fn relay_jobs(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(i64, Timestamp)>> {
        outbox::relay::new(&self.session, now, limit).await
    }

    async fn relay_lost_jobs(&mut self, now: Timestamp, before: Timestamp, limit: u32) -> Result<Vec<i64>> {
        outbox::relay::lost(&self.session, now, before, limit).await
    }

    async fn unrelay_jobs(&mut self, ids: &[i64]) -> Result<u64> {
        outbox::relay::take_back(&self.session, ids).await
    }

    async fn renew_job(&mut self, id: i64, token: i64, lease_until: Timestamp) -> Result<bool> {
        outbox::renew(&self.session, id, token, lease_until).await
    }

    async fn end_job(&mut self, id: i64, token: i64, end: &JobEnd, at: Timestamp) -> Result<bool> {
        outbox::end(&self.session, id, token, end, at).await
    }

    async fn due_schedules(&mut self, now: Timestamp) -> Result<Vec<(TenantId, ProviderKey)>> {
        recon_schedules::due(&self.session, now).await
    }

    async fn queued_jobs(&mut self, filter: &JobFilter, now: Timestamp) -> Result<Vec<QueuedJob>> {
        outbox::shown::list(&self.session, filter, now).await
    }

    async fn queued_job(&mut self, id: i64, now: Timestamp) -> Result<Option<QueuedJob>> {
        outbox::shown::one(&self.session, id, now).await
    }

    async fn queue_depth(&mut self, now: Timestamp) -> Result<QueueDepth> {
        outbox::depth(&self.session, now).await
    }

    async fn next_job_at(&mut self) -> Result<Option<Timestamp>> {
        outbox::next_at(&self.session).await
    }

    async fn delete_done_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        outbox::delete_done(&self.session, before, limit).await
    }

    async fn delete_idempotency_keys(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        idempotency::delete_before(&self.session, before, limit).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.session.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.session.rollback().await
    }
}

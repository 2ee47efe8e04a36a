//! The transaction that is bound to no tenant: setting up, signing in, claiming jobs, sealing.

pub(crate) mod jobs;
pub(crate) mod queued_jobs;
pub(crate) mod relay;
pub(crate) mod signing_keys;

use std::sync::Arc;

use async_trait::async_trait;
use mizan_core::{ProviderKey, TenantId, TenantKey, Timestamp};
use mizan_store::api_keys::ApiKey;
use mizan_store::connections::Connection as ProviderConnection;
use mizan_store::outbox::{ClaimedJob, JobEnd, QueueDepth};
use mizan_store::platform::SigningKey;
use mizan_store::players::Player;
use mizan_store::queued_jobs::{JobFilter, QueuedJob};
use mizan_store::staff::Staff;
use mizan_store::tenants::Tenant;
use mizan_store::{Platform, Result, StoreError};
use rusqlite::{Connection, params};

use crate::api_keys::api_key_row;
use crate::cells::stamp;
use crate::connections::connection_row;
use crate::players::player_row;
use crate::session::Session;
use crate::staff::staff_row;
use crate::statement::{all, execute, first, statements, value};
use crate::store::Pools;
use crate::tenants::tenant_row;

statements! {
    INSERT_TENANT = "INSERT INTO tenants (key, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING";

    TENANT_BY_KEY = "SELECT id, key, name, kyc_required, created_at FROM tenants WHERE key = ?1";

    TENANT_BY_ID = "SELECT id, key, name, kyc_required, created_at FROM tenants WHERE id = ?1";

    TENANTS = "SELECT id, key, name, kyc_required, created_at FROM tenants ORDER BY key";

    HAS_OWNER = "SELECT EXISTS (SELECT 1 FROM staff WHERE role = 'owner')";

    STAFF_BY_EMAIL = "
        SELECT id, tenant_id, email, role, platform, disabled_at, created_at, password_hash
        FROM staff
        WHERE email = ?1";

    PLAYERS_BY_EMAIL = "
        SELECT id, email, username, kyc_status, kyc_reviewed_at, created_at, tenant_id, password_hash
        FROM players
        WHERE email = ?1
        ORDER BY tenant_id";

    API_KEY_BY_PREFIX = "
        SELECT id, tenant_id, name, prefix, hash, scopes, created_at, revoked_at
        FROM api_keys
        WHERE prefix = ?1";

    CONNECTION_BY_KEY = "
        SELECT provider, tenant_id, kind, merchant_account, base_url, created_at
        FROM provider_connections
        WHERE provider = ?1";

    ALL_CONNECTIONS = "
        SELECT provider, tenant_id, kind, merchant_account, base_url, created_at
        FROM provider_connections
        ORDER BY provider";
}

/// Reads one moment until it writes first; from then on it holds the right to write and sees what is there then.
pub(crate) struct SqlitePlatform {
    pools: Arc<Pools>,
    session: Session,
    writes: bool,
}

impl SqlitePlatform {
    /// `session` is a reading one.
    pub fn new(pools: Arc<Pools>, session: Session) -> Self {
        Self {
            pools,
            session,
            writes: false,
        }
    }

    pub async fn look<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.session.call(work).await
    }

    pub async fn change<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.take_the_pen().await?;
        self.session.call(work).await
    }

    /// Takes the right to write, if this transaction does not have it.
    pub async fn take_the_pen(&mut self) -> Result<()> {
        if !self.writes {
            self.session.turn_into_write(&self.pools.writer).await?;
            self.writes = true;
        }
        Ok(())
    }
}

#[async_trait]
impl Platform for SqlitePlatform {
    async fn ensure_tenant(&mut self, key: &TenantKey, name: &str, at: Timestamp) -> Result<(Tenant, bool)> {
        let (key, name) = (key.clone(), name.to_owned());
        self.change(move |db| {
            let made = execute(db, &INSERT_TENANT, params![key.as_str(), name, stamp(at)])? == 1;
            let tenant = first(db, &TENANT_BY_KEY, [key.as_str()], "tenants", tenant_row)?
                .ok_or_else(|| StoreError::corrupt("tenants", "key", &key, "the row is gone"))?;
            Ok((tenant, made))
        })
        .await
    }

    async fn tenant_by_key(&mut self, key: &TenantKey) -> Result<Option<Tenant>> {
        let key = key.clone();
        self.look(move |db| first(db, &TENANT_BY_KEY, [key.as_str()], "tenants", tenant_row))
            .await
    }

    async fn tenant_by_id(&mut self, id: TenantId) -> Result<Option<Tenant>> {
        self.look(move |db| first(db, &TENANT_BY_ID, [id.0], "tenants", tenant_row))
            .await
    }

    async fn tenants(&mut self) -> Result<Vec<Tenant>> {
        self.look(|db| all(db, &TENANTS, [], "tenants", tenant_row)).await
    }

    async fn has_owner(&mut self) -> Result<bool> {
        self.look(|db| value(db, &HAS_OWNER, [])).await
    }

    async fn staff_by_email(&mut self, email: &str) -> Result<Option<(Staff, String)>> {
        let email = email.to_owned();
        self.look(move |db| {
            first(db, &STAFF_BY_EMAIL, [email], "staff", |row| {
                Ok((staff_row(row)?, row.get("password_hash")?))
            })
        })
        .await
    }

    async fn players_by_email(&mut self, email: &str) -> Result<Vec<(TenantId, Player, String)>> {
        let email = email.to_owned();
        self.look(move |db| {
            all(db, &PLAYERS_BY_EMAIL, [email], "players", |row| {
                let player = player_row(row)?;
                let tenant = TenantId(row.get("tenant_id")?);
                Ok((tenant, player, row.get("password_hash")?))
            })
        })
        .await
    }

    async fn api_key_by_prefix(&mut self, prefix: &str) -> Result<Option<ApiKey>> {
        let prefix = prefix.to_owned();
        self.look(move |db| first(db, &API_KEY_BY_PREFIX, [prefix], "api_keys", api_key_row))
            .await
    }

    async fn signing_keys(&mut self) -> Result<Vec<SigningKey>> {
        self.look(signing_keys::list).await
    }

    async fn insert_signing_key(&mut self, key: &SigningKey, only_if_none: bool) -> Result<bool> {
        let key = key.clone();
        self.change(move |db| signing_keys::insert(db, &key, only_if_none))
            .await
    }

    async fn retire_other_signing_keys(&mut self, kid: &str, at: Timestamp) -> Result<u64> {
        let kid = kid.to_owned();
        self.change(move |db| signing_keys::retire_others(db, &kid, at))
            .await
    }

    async fn delete_signing_keys_retired_before(&mut self, at: Timestamp) -> Result<u64> {
        self.change(move |db| signing_keys::delete_retired_before(db, at))
            .await
    }

    async fn connection_by_key(&mut self, provider: &ProviderKey) -> Result<Option<ProviderConnection>> {
        let provider = provider.clone();
        self.look(move |db| {
            first(
                db,
                &CONNECTION_BY_KEY,
                [provider.as_str()],
                "provider_connections",
                connection_row,
            )
        })
        .await
    }

    async fn all_connections(&mut self) -> Result<Vec<ProviderConnection>> {
        self.look(|db| all(db, &ALL_CONNECTIONS, [], "provider_connections", connection_row))
            .await
    }

    async fn claim_jobs(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>> {
        if !self.writes && !self.look(move |db| jobs::any_due(db, now)).await? {
            // An idle worker asks often, and must not stand in the way of those who write.
            return Ok(Vec::new());
        }
        let worker = worker.to_owned();
        self.change(move |db| jobs::claim(db, &worker, now, lease_until, limit))
            .await
    }

    async fn claim_jobs_of(
        &mut self,
        kind: &'static str,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>> {
        let worker = worker.to_owned();
        self.change(move |db| jobs::claim_of(db, kind, &worker, now, lease_until, limit))
            .await
    }

    async fn claim_listed_jobs(
        &mut self,
        worker: &str,
        ids: &[i64],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<ClaimedJob>> {
        let (worker, ids) = (worker.to_owned(), ids.to_vec());
        self.change(move |db| jobs::claim_listed(db, &worker, &ids, now, lease_until))
            .await
    }

    async fn relay_jobs(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(i64, Timestamp)>> {
        if !self.writes && !self.look(move |db| relay::any_new(db, now)).await? {
            return Ok(Vec::new());
        }
        self.change(move |db| relay::new(db, now, limit)).await
    }

    async fn relay_lost_jobs(&mut self, now: Timestamp, before: Timestamp, limit: u32) -> Result<Vec<i64>> {
        if !self.writes && !self.look(move |db| relay::any_lost(db, now, before)).await? {
            return Ok(Vec::new());
        }
        self.change(move |db| relay::lost(db, now, before, limit)).await
    }

    async fn unrelay_jobs(&mut self, ids: &[i64]) -> Result<u64> {
        let ids = ids.to_vec();
        self.change(move |db| relay::take_back(db, &ids)).await
    }

    async fn renew_job(&mut self, id: i64, token: i64, lease_until: Timestamp) -> Result<bool> {
        self.change(move |db| jobs::renew(db, id, token, lease_until))
            .await
    }

    async fn end_job(&mut self, id: i64, token: i64, end: &JobEnd, at: Timestamp) -> Result<bool> {
        let end = end.clone();
        self.change(move |db| jobs::end(db, id, token, &end, at)).await
    }

    async fn due_schedules(&mut self, now: Timestamp) -> Result<Vec<(TenantId, ProviderKey)>> {
        self.look(move |db| crate::recon_schedules::due(db, now)).await
    }

    async fn queued_jobs(&mut self, filter: &JobFilter, now: Timestamp) -> Result<Vec<QueuedJob>> {
        let filter = filter.clone();
        self.look(move |db| queued_jobs::list(db, &filter, now)).await
    }

    async fn queued_job(&mut self, id: i64, now: Timestamp) -> Result<Option<QueuedJob>> {
        self.look(move |db| queued_jobs::one(db, id, now)).await
    }

    async fn queue_depth(&mut self, now: Timestamp) -> Result<QueueDepth> {
        self.look(move |db| jobs::depth(db, now)).await
    }

    async fn next_job_at(&mut self) -> Result<Option<Timestamp>> {
        self.look(jobs::next_at).await
    }

    async fn delete_done_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.change(move |db| jobs::delete_done(db, before, limit)).await
    }

    async fn delete_idempotency_keys(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.change(move |db| crate::idempotency::delete_before(db, before, limit))
            .await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.session.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.session.rollback().await
    }
}

//! The keys of clients. A claim is a row of the open transaction, so what fails gives its key back.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_store::idempotency::{Claim, Idempotency, IdempotencyKey, StoredReply};
use mizan_store::{Result, StoreError};
use rusqlite::{Connection, params};

use crate::cells::stamp;
use crate::statement::{execute, execute_one, first, statements};
use crate::tx::SqliteTx;

statements! {
    INSERT_KEY = "
        INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (tenant_id, route, key) DO NOTHING";

    KEY = "
        SELECT key, fingerprint, status, reply
        FROM idempotency_keys
        WHERE tenant_id = ?1 AND route = ?2 AND key = ?3";

    KEEP_REPLY = "
        UPDATE idempotency_keys SET status = ?4, reply = ?5
        WHERE tenant_id = ?1 AND route = ?2 AND key = ?3 AND status IS NULL";

    RELEASE_KEY = "
        DELETE FROM idempotency_keys
        WHERE tenant_id = ?1 AND route = ?2 AND key = ?3 AND status IS NULL";

    DELETE_KEYS = "
        DELETE FROM idempotency_keys
        WHERE rowid IN (SELECT rowid FROM idempotency_keys WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
}

#[async_trait]
impl Idempotency for SqliteTx {
    async fn claim_key(&mut self, key: &IdempotencyKey, fingerprint: &[u8], at: Timestamp) -> Result<Claim> {
        let (key, fingerprint) = (key.clone(), fingerprint.to_vec());
        self.within(move |db, tenant| {
            let params = params![tenant, key.route, key.key, fingerprint, stamp(at)];
            if execute(db, &INSERT_KEY, params)? == 1 {
                return Ok(Claim::New);
            }
            used(db, tenant, &key)
        })
        .await
    }

    async fn release_key(&mut self, key: &IdempotencyKey) -> Result<()> {
        let key = key.clone();
        self.within(move |db, tenant| execute_one(db, &RELEASE_KEY, params![tenant, key.route, key.key]))
            .await
    }

    async fn keep_reply(&mut self, key: &IdempotencyKey, reply: &StoredReply) -> Result<()> {
        let (key, reply) = (key.clone(), reply.clone());
        self.within(move |db, tenant| {
            let params = params![tenant, key.route, key.key, reply.status, reply.body];
            execute_one(db, &KEEP_REPLY, params)
        })
        .await
    }
}

/// What a key that is not new was used for. A claim without a reply cannot be committed by a flow, so one that
/// is seen is an inconsistency.
fn used(db: &Connection, tenant: i32, key: &IdempotencyKey) -> Result<Claim> {
    let params = params![tenant, key.route, key.key];
    let claim = first(db, &KEY, params, "idempotency_keys", |row| {
        row.get::<String>("key")?;
        let fingerprint = row.get("fingerprint")?;
        let (status, body) = (row.get::<u16>("status")?, row.get("reply")?);
        Ok(Claim::Used {
            fingerprint,
            reply: StoredReply { status, body },
        })
    })?;
    claim.ok_or_else(|| StoreError::corrupt("idempotency_keys", "key", &key.key, "the row is gone"))
}

/// Forgets the keys of all tenants that were made before.
pub(crate) fn delete_before(db: &Connection, before: Timestamp, limit: u32) -> Result<u64> {
    execute(db, &DELETE_KEYS, params![stamp(before), limit])
}

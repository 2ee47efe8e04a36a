//! The keys of clients. A claim is a row of the open transaction, so what fails gives its key back.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_store::batches::Batches;
use mizan_store::idempotency::{
    Claim, Idempotency, IdempotencyKey, KeptReply, StoredReply, UsedKey, UsedKeys,
};
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

    INSERT_REPLY = "
        INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, created_at, status, reply)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (tenant_id, route, key) DO NOTHING";

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

    async fn keep_reply(&mut self, key: &IdempotencyKey, reply: &StoredReply) -> Result<()> {
        let (key, reply) = (key.clone(), reply.clone());
        self.within(move |db, tenant| {
            let params = params![tenant, key.route, key.key, reply.status, reply.body];
            execute_one(db, &KEEP_REPLY, params)
        })
        .await
    }

    async fn used_keys(&mut self, keys: &[&IdempotencyKey]) -> Result<UsedKeys> {
        let keys: Vec<IdempotencyKey> = keys.iter().map(|it| (*it).clone()).collect();
        self.within(move |db, tenant| {
            let mut used = UsedKeys::new();
            for key in keys {
                if let Some(found) = find(db, tenant, &key)? {
                    used.insert(key, found);
                }
            }
            Ok(used)
        })
        .await
    }

    async fn insert_replies(&mut self, replies: &[KeptReply<'_>], at: Timestamp) -> Result<()> {
        let owned = |it: &KeptReply<'_>| {
            (
                it.key.clone(),
                it.fingerprint.to_vec(),
                it.status,
                it.body.to_owned(),
            )
        };
        let replies: Vec<_> = replies.iter().map(owned).collect();
        self.within(move |db, tenant| {
            for (key, fingerprint, status, body) in replies {
                let params = params![tenant, key.route, key.key, fingerprint, stamp(at), status, body];
                if execute(db, &INSERT_REPLY, params)? == 0 {
                    let what = "pk_idempotency_keys".to_owned();
                    return Err(StoreError::Collision { what });
                }
            }
            Ok(())
        })
        .await
    }
}

/// On one thread and one file there is nothing to send in one go.
impl Batches for SqliteTx {}

/// What a key was used for. A claim without a reply cannot be committed by a flow, so one that is seen is an
/// inconsistency.
fn find(db: &Connection, tenant: i32, key: &IdempotencyKey) -> Result<Option<UsedKey>> {
    let params = params![tenant, key.route, key.key];
    first(db, &KEY, params, "idempotency_keys", |row| {
        row.get::<String>("key")?;
        let fingerprint = row.get("fingerprint")?;
        let (status, body) = (row.get::<u16>("status")?, row.get("reply")?);
        Ok(UsedKey {
            fingerprint,
            reply: StoredReply { status, body },
        })
    })
}

/// What a key that is not new was used for.
fn used(db: &Connection, tenant: i32, key: &IdempotencyKey) -> Result<Claim> {
    let found = find(db, tenant, key)?;
    let UsedKey { fingerprint, reply } =
        found.ok_or_else(|| StoreError::corrupt("idempotency_keys", "key", &key.key, "the row is gone"))?;
    Ok(Claim::Used { fingerprint, reply })
}

/// Forgets the keys of all tenants that were made before.
pub(crate) fn delete_before(db: &Connection, before: Timestamp, limit: u32) -> Result<u64> {
    execute(db, &DELETE_KEYS, params![stamp(before), limit])
}

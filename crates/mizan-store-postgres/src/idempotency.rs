//! Layer 1 of idempotency: the keys of clients.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_store::idempotency::{
    Claim, Idempotency, IdempotencyKey, KeptReply, StoredReply, UsedKey, UsedKeys,
};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    /// Waits for a rival that claims the same key, until its transaction ends.
    CLAIM = "INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO NOTHING";
    /// One look at the key for each, spelled out: with a join and no statistics yet, the planner reads all rows.
    USED_MANY = "SELECT found.* FROM unnest($2::text[], $3::text[]) AS wanted (route, key)
         CROSS JOIN LATERAL (
             SELECT route, key, fingerprint, status, reply FROM idempotency_keys
             WHERE tenant_id = $1 AND route = wanted.route AND key = wanted.key LIMIT 1) AS found";
    /// In order of key, so that two processes with the same keys wait for each other and never in a ring.
    INSERT_REPLIES = "INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, created_at, status, reply)
         SELECT $1, r.route, r.key, r.fingerprint, $7, r.status, r.reply
         FROM unnest($2::text[], $3::text[], $4::bytea[], $5::smallint[], $6::text[])
             AS r (route, key, fingerprint, status, reply)
         ORDER BY r.route, r.key
         ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO NOTHING";
    USED = "SELECT key, fingerprint, status, reply FROM idempotency_keys
         WHERE tenant_id = $1 AND route = $2 AND key = $3";
    KEEP_REPLY = "UPDATE idempotency_keys SET status = $4, reply = $5
         WHERE tenant_id = $1 AND route = $2 AND key = $3 AND status IS NULL";
    DELETE_BEFORE = "DELETE FROM idempotency_keys WHERE (tenant_id, route, key) IN (
             SELECT tenant_id, route, key FROM idempotency_keys
             WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
}

fn used(row: &Row) -> Result<UsedKey> {
    let record = Record::new(row, "idempotency_keys", "key");
    let status: Option<i16> = record.get("status")?;
    let reply: Option<String> = record.get("reply")?;
    let (Some(status), Some(body)) = (status, reply) else {
        return Err(record.corrupt("reply", &"a committed key without a reply"));
    };
    Ok(UsedKey {
        fingerprint: record.get("fingerprint")?,
        reply: StoredReply {
            status: u16::try_from(status).map_err(|error| record.corrupt("status", &error))?,
            body,
        },
    })
}

pub(crate) async fn delete_before(session: &Session, before: Timestamp, limit: u32) -> Result<u64> {
    session
        .execute(DELETE_BEFORE, &[&before, &i64::from(limit)])
        .await
}

/// A rival came first, or went away.
fn taken() -> StoreError {
    StoreError::Collision {
        what: "pk_idempotency_keys".to_owned(),
    }
}

impl PgTx {
    pub(crate) async fn read_used_keys(&self, keys: &[&IdempotencyKey]) -> Result<UsedKeys> {
        let routes: Vec<&str> = keys.iter().map(|it| it.route.as_str()).collect();
        let texts: Vec<&str> = keys.iter().map(|it| it.key.as_str()).collect();
        let rows = self
            .session
            .rows(USED_MANY, &[&self.tenant, &routes, &texts])
            .await?;
        rows.iter()
            .map(|row| {
                let record = Record::new(row, "idempotency_keys", "key");
                let (route, key) = (record.get("route")?, record.get("key")?);
                Ok((IdempotencyKey { route, key }, used(row)?))
            })
            .collect()
    }

    pub(crate) async fn write_replies(&self, replies: &[KeptReply<'_>], at: Timestamp) -> Result<()> {
        if replies.is_empty() {
            return Ok(());
        }
        let routes: Vec<&str> = replies.iter().map(|it| it.key.route.as_str()).collect();
        let keys: Vec<&str> = replies.iter().map(|it| it.key.key.as_str()).collect();
        let prints: Vec<&[u8]> = replies.iter().map(|it| it.fingerprint).collect();
        let statuses = replies.iter().map(|it| i16::try_from(it.status));
        let statuses = statuses
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| StoreError::Overflow)?;
        let bodies: Vec<&str> = replies.iter().map(|it| it.body).collect();
        let kept = self
            .session
            .execute(
                INSERT_REPLIES,
                &[&self.tenant, &routes, &keys, &prints, &statuses, &bodies, &at],
            )
            .await?;
        if kept == replies.len() as u64 {
            Ok(())
        } else {
            Err(taken())
        }
    }

    /// What a key that is not new was used for.
    async fn used(&self, key: &IdempotencyKey) -> Result<Claim> {
        let row = self
            .session
            .row(USED, &[&self.tenant, &key.route, &key.key])
            .await?;
        let UsedKey { fingerprint, reply } = used(&row.ok_or_else(taken)?)?;
        Ok(Claim::Used { fingerprint, reply })
    }
}

#[async_trait]
impl Idempotency for PgTx {
    async fn claim_key(&mut self, key: &IdempotencyKey, fingerprint: &[u8], at: Timestamp) -> Result<Claim> {
        let claimed = self
            .session
            .execute(CLAIM, &[&self.tenant, &key.route, &key.key, &fingerprint, &at])
            .await?;
        if claimed == 1 {
            return Ok(Claim::New);
        }
        self.used(key).await
    }

    async fn keep_reply(&mut self, key: &IdempotencyKey, reply: &StoredReply) -> Result<()> {
        let status = i16::try_from(reply.status).map_err(|_| StoreError::Overflow)?;
        let kept = self
            .session
            .execute(
                KEEP_REPLY,
                &[&self.tenant, &key.route, &key.key, &status, &reply.body],
            )
            .await?;
        StoreError::expect_rows("idempotency::KEEP_REPLY", 1, kept)
    }

    async fn used_keys(&mut self, keys: &[&IdempotencyKey]) -> Result<UsedKeys> {
        self.read_used_keys(keys).await
    }

    async fn insert_replies(&mut self, replies: &[KeptReply<'_>], at: Timestamp) -> Result<()> {
        self.write_replies(replies, at).await
    }
}

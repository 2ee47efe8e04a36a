//! Layer 1 of idempotency: the keys of clients.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_store::idempotency::{Claim, Idempotency, IdempotencyKey, StoredReply};
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
    USED = "SELECT key, fingerprint, status, reply FROM idempotency_keys
         WHERE tenant_id = $1 AND route = $2 AND key = $3";
    /// Only a key without a reply, which nobody but the claiming transaction can see.
    RELEASE = "DELETE FROM idempotency_keys
         WHERE tenant_id = $1 AND route = $2 AND key = $3 AND status IS NULL";
    KEEP_REPLY = "UPDATE idempotency_keys SET status = $4, reply = $5
         WHERE tenant_id = $1 AND route = $2 AND key = $3 AND status IS NULL";
    DELETE_BEFORE = "DELETE FROM idempotency_keys WHERE (tenant_id, route, key) IN (
             SELECT tenant_id, route, key FROM idempotency_keys
             WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
}

fn used(row: &Row) -> Result<Claim> {
    let record = Record::new(row, "idempotency_keys", "key");
    let status: Option<i16> = record.get("status")?;
    let reply: Option<String> = record.get("reply")?;
    let (Some(status), Some(body)) = (status, reply) else {
        return Err(record.corrupt("reply", &"a committed key without a reply"));
    };
    Ok(Claim::Used {
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
        let row = self
            .session
            .row(USED, &[&self.tenant, &key.route, &key.key])
            .await?;
        row.as_ref().map_or_else(
            || {
                Err(StoreError::Collision {
                    what: "pk_idempotency_keys".to_owned(),
                })
            },
            used,
        )
    }

    async fn release_key(&mut self, key: &IdempotencyKey) -> Result<()> {
        let released = self
            .session
            .execute(RELEASE, &[&self.tenant, &key.route, &key.key])
            .await?;
        StoreError::expect_rows("idempotency::RELEASE", 1, released)
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
}

//! Layer 1 of idempotency: the keys of clients.

use std::collections::HashSet;

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_store::idempotency::{Claim, Idempotency, IdempotencyKey, StoredReply};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::record::Record;
use crate::session::{Param, Session};
use crate::statements::statements;
use crate::tx::PgTx;

statements! {
    /// Waits for a rival that claims the same key, until its transaction ends.
    CLAIM = "INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO NOTHING";
    /// In order of key, so that two processes that claim the same keys wait for each other and never in a ring.
    CLAIM_MANY = "INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, created_at)
         SELECT $1, c.route, c.key, c.fingerprint, $5
         FROM unnest($2::text[], $3::text[], $4::bytea[]) AS c (route, key, fingerprint)
         ORDER BY c.route, c.key
         ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO NOTHING
         RETURNING route, key";
    /// Planned anew each time: a plan from when the table was small would read all of it for ever.
    KEEP_REPLIES = "UPDATE idempotency_keys k SET status = r.status, reply = r.reply
         FROM unnest($2::text[], $3::text[], $4::smallint[], $5::text[]) AS r (route, key, status, reply)
         WHERE k.tenant_id = $1 AND k.route = r.route AND k.key = r.key AND k.status IS NULL
         RETURNING 1";
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

impl PgTx {
    /// What a key that is not new was used for.
    async fn used(&self, key: &IdempotencyKey) -> Result<Claim> {
        let row = self
            .session
            .row(USED, &[&self.tenant, &key.route, &key.key])
            .await?;
        let gone = || StoreError::Collision {
            what: "pk_idempotency_keys".to_owned(),
        };
        used(&row.ok_or_else(gone)?)
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

    async fn claim_keys(
        &mut self,
        claims: &[(IdempotencyKey, Vec<u8>)],
        at: Timestamp,
    ) -> Result<Vec<Claim>> {
        let routes: Vec<&str> = claims.iter().map(|(key, _)| key.route.as_str()).collect();
        let keys: Vec<&str> = claims.iter().map(|(key, _)| key.key.as_str()).collect();
        let prints: Vec<&[u8]> = claims.iter().map(|(_, print)| print.as_slice()).collect();
        let rows = self
            .session
            .rows(CLAIM_MANY, &[&self.tenant, &routes, &keys, &prints, &at])
            .await?;
        let mut made = HashSet::with_capacity(rows.len());
        for row in &rows {
            let record = Record::new(row, "idempotency_keys", "key");
            made.insert(IdempotencyKey {
                route: record.get("route")?,
                key: record.get("key")?,
            });
        }
        let mut answers = Vec::with_capacity(claims.len());
        for (key, _) in claims {
            answers.push(if made.contains(key) {
                Claim::New
            } else {
                self.used(key).await?
            });
        }
        Ok(answers)
    }

    async fn keep_replies(&mut self, replies: &[(IdempotencyKey, StoredReply)]) -> Result<()> {
        let routes: Vec<&str> = replies.iter().map(|(key, _)| key.route.as_str()).collect();
        let keys: Vec<&str> = replies.iter().map(|(key, _)| key.key.as_str()).collect();
        let statuses = replies.iter().map(|(_, reply)| i16::try_from(reply.status));
        let statuses = statuses
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| StoreError::Overflow)?;
        let bodies: Vec<&str> = replies.iter().map(|(_, reply)| reply.body.as_str()).collect();
        let params: [(Param<'_>, Type); 5] = [
            (&self.tenant, Type::INT4),
            (&routes, Type::TEXT_ARRAY),
            (&keys, Type::TEXT_ARRAY),
            (&statuses, Type::INT2_ARRAY),
            (&bodies, Type::TEXT_ARRAY),
        ];
        let kept = self
            .session
            .run(self.session.client().query_typed(KEEP_REPLIES, &params))
            .await?;
        let kept = kept.len() as u64;
        StoreError::expect_rows("idempotency::KEEP_REPLIES", replies.len() as u64, kept)
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

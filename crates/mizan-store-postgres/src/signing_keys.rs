//! The keys that sign access tokens.

use mizan_core::Timestamp;
use mizan_store::Result;
use mizan_store::platform::SigningKey;
use tokio_postgres::Row;

use crate::record::Record;
use crate::session::Session;
use crate::statements::statements;

statements! {
    LIST = "SELECT kid, secret, created_at, retired_at FROM signing_keys ORDER BY created_at, kid";
    /// Replicas that start at once all find no key; one of them makes it.
    LOCK = "SELECT pg_advisory_xact_lock(5207341889003)";
    INSERT = "INSERT INTO signing_keys (kid, secret, created_at, retired_at)
         SELECT $1, $2, $3, $4
         WHERE NOT ($5 AND EXISTS (SELECT FROM signing_keys WHERE retired_at IS NULL))
         ON CONFLICT (kid) DO NOTHING";
    RETIRE_OTHERS = "UPDATE signing_keys SET retired_at = $2 WHERE kid <> $1 AND retired_at IS NULL";
    DELETE_RETIRED_BEFORE = "DELETE FROM signing_keys WHERE retired_at < $1";
}

fn signing_key(row: &Row) -> Result<SigningKey> {
    let record = Record::new(row, "signing_keys", "kid");
    Ok(SigningKey {
        kid: record.get("kid")?,
        secret: record.get("secret")?,
        created_at: record.get("created_at")?,
        retired_at: record.get("retired_at")?,
    })
}

pub(crate) async fn list(session: &Session) -> Result<Vec<SigningKey>> {
    session.rows(LIST, &[]).await?.iter().map(signing_key).collect()
}

pub(crate) async fn insert(session: &Session, key: &SigningKey, only_if_none: bool) -> Result<bool> {
    session.rows(LOCK, &[]).await?;
    let inserted = session
        .execute(
            INSERT,
            &[
                &key.kid,
                &key.secret,
                &key.created_at,
                &key.retired_at,
                &only_if_none,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

pub(crate) async fn retire_others(session: &Session, kid: &str, at: Timestamp) -> Result<u64> {
    session.execute(RETIRE_OTHERS, &[&kid, &at]).await
}

pub(crate) async fn delete_retired_before(session: &Session, at: Timestamp) -> Result<u64> {
    session.execute(DELETE_RETIRED_BEFORE, &[&at]).await
}

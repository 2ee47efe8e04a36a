//! The keys that sign access tokens.

use mizan_core::Timestamp;
use mizan_store::Result;
use mizan_store::platform::SigningKey;
use rusqlite::{Connection, params};

use crate::cells::{stamp, stamp_opt};
use crate::statement::{all, execute, statements};

statements! {
    SIGNING_KEYS = "SELECT kid, secret, created_at, retired_at FROM signing_keys ORDER BY created_at, kid";

    INSERT_SIGNING_KEY = "
        INSERT INTO signing_keys (kid, secret, created_at, retired_at)
        SELECT ?1, ?2, ?3, ?4
        WHERE NOT ?5 OR NOT EXISTS (SELECT 1 FROM signing_keys WHERE retired_at IS NULL)
        ON CONFLICT (kid) DO NOTHING";

    RETIRE_OTHER_SIGNING_KEYS = "UPDATE signing_keys SET retired_at = ?2 WHERE kid <> ?1 AND retired_at IS NULL";

    DELETE_RETIRED_SIGNING_KEYS = "DELETE FROM signing_keys WHERE retired_at < ?1";
}

pub(super) fn list(db: &Connection) -> Result<Vec<SigningKey>> {
    all(db, &SIGNING_KEYS, [], "signing_keys", |row| {
        Ok(SigningKey {
            kid: row.get("kid")?,
            secret: row.get("secret")?,
            created_at: row.time("created_at")?,
            retired_at: row.time_opt("retired_at")?,
        })
    })
}

pub(super) fn insert(db: &Connection, key: &SigningKey, only_if_none: bool) -> Result<bool> {
    let params = params![
        key.kid,
        key.secret,
        stamp(key.created_at),
        stamp_opt(key.retired_at),
        only_if_none
    ];
    Ok(execute(db, &INSERT_SIGNING_KEY, params)? == 1)
}

pub(super) fn retire_others(db: &Connection, kid: &str, at: Timestamp) -> Result<u64> {
    execute(db, &RETIRE_OTHER_SIGNING_KEYS, params![kid, stamp(at)])
}

pub(super) fn delete_retired_before(db: &Connection, at: Timestamp) -> Result<u64> {
    execute(db, &DELETE_RETIRED_SIGNING_KEYS, [stamp(at)])
}

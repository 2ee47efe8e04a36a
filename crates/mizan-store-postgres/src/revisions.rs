//! What the database says of itself: its migrations, and what the service's role may do to the journal.

use mizan_store::{Result, StoreError};

use crate::pool::{BEGIN_READ, SessionPool};
use crate::record::Record;
use crate::statements::statements;

statements! {
    HAS_REVISIONS = "SELECT to_regclass('mizan_migrations') IS NOT NULL AS has_revisions";
    /// The journal, each of its partitions, and what makes transaction ids unique.
    MAY_CHANGE_JOURNAL = "SELECT bool_or(has_any_column_privilege(t.oid, 'UPDATE')
                OR has_table_privilege(t.oid, 'DELETE')
                OR has_table_privilege(t.oid, 'TRUNCATE')) AS may_change
         FROM (SELECT inhrelid AS oid FROM pg_inherits WHERE inhparent = 'journal'::regclass
               UNION ALL VALUES ('journal'::regclass::oid), ('transactions'::regclass::oid)) AS t";
}

/// Not among the statements of the schema: the table belongs to the migrations, which make it before all others.
const REVISIONS: &str = "SELECT revision FROM mizan_migrations ORDER BY revision";
/// The service's role may not be allowed to read the table; whoever logged in made it.
const AS_WHO_LOGGED_IN: &str = "SET LOCAL ROLE NONE";

pub(crate) async fn applied(pool: &SessionPool) -> Result<Vec<String>> {
    let session = pool.begin(BEGIN_READ).await?;
    session
        .run(session.client().batch_execute(AS_WHO_LOGGED_IN))
        .await?;
    let exists = session.one(HAS_REVISIONS, &[]).await?;
    if !Record::new(&exists, "mizan_migrations", "revision").get("has_revisions")? {
        session.rollback().await?;
        return Ok(Vec::new());
    }
    let rows = session.rows(REVISIONS, &[]).await?;
    let revisions = rows
        .iter()
        .map(|row| Record::new(row, "mizan_migrations", "revision").get("revision"))
        .collect::<Result<Vec<String>>>()?;
    session.rollback().await?;
    Ok(revisions)
}

pub(crate) async fn journal_is_append_only(pool: &SessionPool) -> Result<bool> {
    let session = pool.begin(BEGIN_READ).await?;
    let row = session.one(MAY_CHANGE_JOURNAL, &[]).await?;
    let may_change: bool = row
        .try_get("may_change")
        .map_err(|error| StoreError::Database(Box::new(error)))?;
    session.rollback().await?;
    Ok(!may_change)
}

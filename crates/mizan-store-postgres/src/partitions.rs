//! The partitions of the journal: making them ahead, listing them, and taking those away that are archived.

use async_trait::async_trait;
use mizan_core::AccountId;
use mizan_store::partitions::{Archived, Carried, Partition, Partitions, State};
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::platform::PgPlatform;
use crate::pool::{BEGIN_WRITE, SessionPool};
use crate::record::Record;
use crate::statements::statements;

/// Archiving reads and compares millions of rows in one transaction, so that nobody else archives them meanwhile.
/// Detaching waits for postings, and new ones queue behind it: not for longer than this.
const LONG: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
     SET LOCAL lock_timeout = '2s'";
/// The service's role may not change what is appended, so this is for whoever owns the tables.
const AS_WHO_LOGGED_IN: &str = "SET LOCAL ROLE NONE";

statements! {
    MAKE = "SELECT journal_make_partitions($1, $2) AS made";
    /// Sealed up to the end of a partition means that no row can come below it: the sealer waits for them.
    PARTITIONS = "SELECT p.name, coalesce(p.from_seq, 0) AS from_seq, p.to_seq - 1 AS to_seq, p.bytes, r.rows,
                r.first_at, r.last_at,
                CASE WHEN p.to_seq - 1 <= (SELECT max(to_seq) FROM chain_blocks) THEN 'sealed'
                     WHEN n.is_called AND n.last_value >= p.to_seq - 1 THEN 'full'
                     WHEN n.is_called AND n.last_value >= coalesce(p.from_seq, 0) THEN 'open'
                     ELSE 'ahead' END AS state
         FROM journal_partitions() p
         CROSS JOIN journal_numbers n
         CROSS JOIN LATERAL (
             SELECT count(*) AS rows, min(posted_at) AS first_at, max(posted_at) AS last_at FROM journal
             WHERE seq >= coalesce(p.from_seq, 0) AND seq < p.to_seq) AS r
         ORDER BY p.to_seq";
    LOCK_ARCHIVE = "SELECT pg_try_advisory_xact_lock(5207341889004) AS locked";
    ARCHIVES = "SELECT from_seq, to_seq, rows, file, sha256, bytes, first_at, last_at, first_block, last_block,
                archived_at
         FROM journal_archives ORDER BY from_seq";
    CARRIED = "SELECT account_id, posted, entries FROM archived_balances ORDER BY account_id";
    BLOCKS_BETWEEN = "SELECT min(no) AS first, max(no) AS last FROM chain_blocks WHERE to_seq >= $1 AND from_seq <= $2";
    RECORD = "INSERT INTO journal_archives (from_seq, to_seq, rows, file, sha256, bytes, first_at, last_at, first_block,
                                       last_block, archived_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    CARRY = "INSERT INTO archived_balances AS c (account_id, posted, entries)
         SELECT account_id, sum(amount), count(*) FROM (
             SELECT credit_account_id AS account_id, amount FROM journal WHERE seq BETWEEN $1 AND $2
             UNION ALL SELECT debit_account_id, -amount FROM journal WHERE seq BETWEEN $1 AND $2) AS moved
         GROUP BY account_id
         ON CONFLICT (account_id) DO UPDATE
         SET posted = c.posted + excluded.posted, entries = c.entries + excluded.entries";
    DROP_PARTITION = "SELECT journal_drop_partition($1)";
}

/// Makes partitions for so many rows that are not numbered yet, and one to spare.
pub(crate) async fn make_for(pool: &SessionPool, rows: usize) -> Result<u32> {
    let rows = i64::try_from(rows).map_err(|_| StoreError::Overflow)?;
    let whole = rows / pool.partition_rows.max(1);
    make(pool, u32::try_from(whole + 2).map_err(|_| StoreError::Overflow)?).await
}

/// Makes partitions in a transaction of its own.
pub(crate) async fn make(pool: &SessionPool, ahead: u32) -> Result<u32> {
    let session = pool.begin(BEGIN_WRITE).await?;
    let ahead = i32::try_from(ahead).map_err(|_| StoreError::Overflow)?;
    let row = session.one(MAKE, &[&pool.partition_rows, &ahead]).await?;
    session.commit().await?;
    let made: i32 = Record::new(&row, "journal", "made").get("made")?;
    Ok(made.unsigned_abs())
}

fn partition(row: &Row) -> Result<Partition> {
    let record = Record::new(row, "journal_partitions", "name");
    let word: &str = record.get("state")?;
    let all = [State::Ahead, State::Open, State::Full, State::Sealed];
    let state = all.into_iter().find(|it| it.as_str() == word);
    Ok(Partition {
        name: record.get("name")?,
        from_seq: record.get("from_seq")?,
        to_seq: record.get("to_seq")?,
        rows: record.get::<i64>("rows")?.unsigned_abs(),
        bytes: record.get::<i64>("bytes")?.unsigned_abs(),
        first_at: record.get("first_at")?,
        last_at: record.get("last_at")?,
        state: state.ok_or_else(|| record.corrupt("state", &word))?,
    })
}

fn archived(row: &Row) -> Result<Archived> {
    let record = Record::new(row, "journal_archives", "from_seq");
    Ok(Archived {
        from_seq: record.get("from_seq")?,
        to_seq: record.get("to_seq")?,
        rows: record.get::<i64>("rows")?.unsigned_abs(),
        file: record.get("file")?,
        sha256: record.bytes("sha256")?,
        bytes: record.get::<i64>("bytes")?.unsigned_abs(),
        first_at: record.get("first_at")?,
        last_at: record.get("last_at")?,
        first_block: record.get("first_block")?,
        last_block: record.get("last_block")?,
        archived_at: record.get("archived_at")?,
    })
}

fn carried(row: &Row) -> Result<Carried> {
    let record = Record::new(row, "archived_balances", "account_id");
    Ok(Carried {
        account: AccountId(record.get("account_id")?),
        posted: record.get("posted")?,
        entries: record.get::<i64>("entries")?.unsigned_abs(),
    })
}

fn signed(count: u64) -> Result<i64> {
    i64::try_from(count).map_err(|_| StoreError::Overflow)
}

impl PgPlatform {
    async fn take_time(&mut self) -> Result<()> {
        self.session.patience = None;
        self.session.run(self.session.client().batch_execute(LONG)).await
    }
}

#[async_trait]
impl Partitions for PgPlatform {
    /// Counts every row, which takes as long as it takes.
    async fn partitions(&mut self) -> Result<Vec<Partition>> {
        self.take_time().await?;
        let rows = self.session.rows(PARTITIONS, &[]).await?;
        rows.iter().map(partition).collect()
    }

    async fn make_partitions(&mut self, ahead: u32) -> Result<u32> {
        make(&self.pool, ahead).await
    }

    async fn lock_archive(&mut self) -> Result<bool> {
        self.take_time().await?;
        let row = self.session.one(LOCK_ARCHIVE, &[]).await?;
        Record::new(&row, "journal_archives", "locked").get("locked")
    }

    async fn archives(&mut self) -> Result<Vec<Archived>> {
        let rows = self.session.rows(ARCHIVES, &[]).await?;
        rows.iter().map(archived).collect()
    }

    async fn carried(&mut self) -> Result<Vec<Carried>> {
        let rows = self.session.rows(CARRIED, &[]).await?;
        rows.iter().map(carried).collect()
    }

    async fn blocks_between(&mut self, from_seq: i64, to_seq: i64) -> Result<Option<(i64, i64)>> {
        let row = self.session.one(BLOCKS_BETWEEN, &[&from_seq, &to_seq]).await?;
        let record = Record::new(&row, "chain_blocks", "first");
        let first: Option<i64> = record.get("first")?;
        Ok(first.zip(record.get("last")?))
    }

    async fn archive_partition(&mut self, name: &str, archived: &Archived) -> Result<()> {
        self.session
            .run(self.session.client().batch_execute(AS_WHO_LOGGED_IN))
            .await?;
        let recorded = self
            .session
            .execute(
                RECORD,
                &[
                    &archived.from_seq,
                    &archived.to_seq,
                    &signed(archived.rows)?,
                    &archived.file,
                    &archived.sha256.as_slice(),
                    &signed(archived.bytes)?,
                    &archived.first_at,
                    &archived.last_at,
                    &archived.first_block,
                    &archived.last_block,
                    &archived.archived_at,
                ],
            )
            .await?;
        StoreError::expect_rows("partitions::RECORD", 1, recorded)?;
        self.session
            .execute(CARRY, &[&archived.from_seq, &archived.to_seq])
            .await?;
        self.session.rows(DROP_PARTITION, &[&name]).await?;
        Ok(())
    }
}

//! The tamper-evidence chain: sealing rights, blocks, and the rows that go into them.

use async_trait::async_trait;
use mizan_core::{AccountId, TenantId, Timestamp};
use mizan_ledger::chain::{Block, Head, JournalRow, Leaf};
use mizan_store::chain::Chain;
use mizan_store::{Result, StoreError};
use tokio_postgres::Row;

use crate::platform::PgPlatform;
use crate::pool::BEGIN_WRITE;
use crate::record::Record;
use crate::statements::statements;

/// The sealer waits for postings under way, and new ones queue behind it: not for longer than this.
const HORIZON_LIMIT: &str = "SET LOCAL lock_timeout = '2s'";
/// A leaf: `seq` as eight bytes, big endian, and a hash of sixteen.
const LEAF_BYTES: usize = 24;

statements! {
    LOCK_CHAIN = "SELECT pg_try_advisory_xact_lock(5207341889002) AS locked";
    HEAD = "SELECT no, to_seq, hash FROM chain_blocks ORDER BY no DESC LIMIT 1";
    /// The lock that writers hold shared ([`crate::transfers::LOCK_POSTING`]), taken alone.
    WAIT_FOR_POSTINGS = "SELECT pg_advisory_xact_lock(5207341889001)";
    LAST_SEQ = "SELECT coalesce(max(seq), 0) AS last FROM journal";
    INSERT_BLOCK = "INSERT INTO chain_blocks (no, from_seq, to_seq, leaves, previous, hash, sealed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    BLOCKS_AFTER = "SELECT no, leaves, previous, hash FROM chain_blocks WHERE no > $1 ORDER BY no LIMIT $2";
    JOURNAL_ROWS = "SELECT seq, tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount,
                currency, debit_after, credit_after, reverses, reference, metadata, fingerprint, posted_at
         FROM journal WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
}

fn head(row: &Row) -> Result<Head> {
    let record = Record::new(row, "chain_blocks", "no");
    Ok(Head {
        block: record.get("no")?,
        seq: record.get("to_seq")?,
        hash: record.bytes("hash")?,
    })
}

fn leaves_to_bytes(leaves: &[Leaf]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(leaves.len() * LEAF_BYTES);
    for leaf in leaves {
        bytes.extend(leaf.seq.to_be_bytes());
        bytes.extend(leaf.hash);
    }
    bytes
}

fn leaves_of_bytes(bytes: &[u8]) -> Option<Vec<Leaf>> {
    let (leaves, rest) = bytes.as_chunks::<LEAF_BYTES>();
    let read = |leaf: &[u8; LEAF_BYTES]| {
        Some(Leaf {
            seq: i64::from_be_bytes(*leaf.first_chunk()?),
            hash: *leaf.last_chunk()?,
        })
    };
    if rest.is_empty() {
        leaves.iter().map(read).collect()
    } else {
        None
    }
}

fn block(row: &Row) -> Result<Block> {
    let record = Record::new(row, "chain_blocks", "no");
    let leaves = leaves_of_bytes(record.get("leaves")?)
        .ok_or_else(|| record.corrupt("leaves", &"not a whole number of leaves"))?;
    Ok(Block {
        no: record.get("no")?,
        leaves,
        previous: record.bytes("previous")?,
        hash: record.bytes("hash")?,
    })
}

fn journal_row(row: &Row) -> Result<JournalRow> {
    let record = Record::new(row, "journal", "seq");
    Ok(JournalRow {
        seq: record.get("seq")?,
        tenant: TenantId(record.get("tenant_id")?),
        transaction: record.id("transaction_id")?,
        leg: record.get("leg")?,
        kind: record.get("kind")?,
        debit: AccountId(record.get("debit_account_id")?),
        credit: AccountId(record.get("credit_account_id")?),
        amount: record.get("amount")?,
        currency: record.get("currency")?,
        debit_after: record.get("debit_after")?,
        credit_after: record.get("credit_after")?,
        reverses: record.maybe_id("reverses")?,
        reference: record.get("reference")?,
        metadata: record.get("metadata")?,
        fingerprint: record.get("fingerprint")?,
        posted_at: record.get("posted_at")?,
    })
}

#[async_trait]
impl Chain for PgPlatform {
    async fn lock_chain(&mut self) -> Result<bool> {
        let row = self.session.one(LOCK_CHAIN, &[]).await?;
        Record::new(&row, "chain_blocks", "locked").get("locked")
    }

    async fn chain_head(&mut self) -> Result<Head> {
        let row = self.session.row(HEAD, &[]).await?;
        row.as_ref().map_or(Ok(Head::EMPTY), head)
    }

    /// On a connection of its own, so that the lock is gone as soon as the answer is there and not when the
    /// sealing transaction ends. A wait that takes too long is a collision: ask again later.
    async fn complete_up_to(&mut self) -> Result<i64> {
        let alone = self.pool.begin(BEGIN_WRITE).await?;
        alone.run(alone.client().batch_execute(HORIZON_LIMIT)).await?;
        alone.rows(WAIT_FOR_POSTINGS, &[]).await?;
        let row = alone.one(LAST_SEQ, &[]).await?;
        alone.rollback().await?;
        Record::new(&row, "journal", "last").get("last")
    }

    async fn insert_block(&mut self, block: &Block, sealed_at: Timestamp) -> Result<()> {
        let first = block.leaves.first().map_or(0, |it| it.seq);
        let last = block.leaves.last().map_or(0, |it| it.seq);
        let inserted = self
            .session
            .execute(
                INSERT_BLOCK,
                &[
                    &block.no,
                    &first,
                    &last,
                    &leaves_to_bytes(&block.leaves),
                    &block.previous.as_slice(),
                    &block.hash.as_slice(),
                    &sealed_at,
                ],
            )
            .await?;
        StoreError::expect_rows("INSERT_BLOCK", 1, inserted)
    }

    async fn blocks_after(&mut self, no: i64, limit: u32) -> Result<Vec<Block>> {
        let rows = self.session.rows(BLOCKS_AFTER, &[&no, &i64::from(limit)]).await?;
        rows.iter().map(block).collect()
    }

    async fn journal_rows(&mut self, after: i64, up_to: i64, limit: u32) -> Result<Vec<JournalRow>> {
        let rows = self
            .session
            .rows(JOURNAL_ROWS, &[&after, &up_to, &i64::from(limit)])
            .await?;
        rows.iter().map(journal_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_read_back_as_they_were_written() {
        let leaves = vec![
            Leaf {
                seq: 1,
                hash: [7; 16],
            },
            Leaf {
                seq: i64::MAX,
                hash: [9; 16],
            },
        ];
        assert_eq!(leaves_of_bytes(&leaves_to_bytes(&leaves)), Some(leaves.clone()));
        assert_eq!(leaves_of_bytes(&leaves_to_bytes(&leaves)[1..]), None);
    }
}

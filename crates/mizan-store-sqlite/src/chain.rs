//! The stored side of the tamper-evidence chain. A block's leaves are 24 bytes each: seq (big endian) and hash.

use async_trait::async_trait;
use mizan_core::{AccountId, TenantId, Timestamp};
use mizan_ledger::chain::{Block, Head, JournalRow, Leaf};
use mizan_store::Result;
use mizan_store::chain::Chain;
use rusqlite::params;

use crate::cells::{Cells, stamp};
use crate::platform::SqlitePlatform;
use crate::statement::{all, execute_one, first, statements, value};

const LEAF_BYTES: usize = 24;

statements! {
    CHAIN_HEAD = "SELECT no, to_seq, hash FROM chain_blocks ORDER BY no DESC LIMIT 1";

    COMPLETE_UP_TO = "SELECT coalesce(max(seq), 0) FROM journal";

    INSERT_BLOCK = "
        INSERT INTO chain_blocks (no, from_seq, to_seq, leaves, previous, hash, sealed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    BLOCKS_AFTER = "SELECT no, leaves, previous, hash FROM chain_blocks WHERE no > ?1 ORDER BY no LIMIT ?2";

    JOURNAL_ROWS = "
        SELECT seq, tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount, currency,
               debit_after, credit_after, reverses, reference, metadata, fingerprint, posted_at
        FROM journal
        WHERE seq > ?1 AND seq <= ?2
        ORDER BY seq LIMIT ?3";
}

#[async_trait]
impl Chain for SqlitePlatform {
    /// Takes the right to write, which others wait for; so it never answers `false`.
    async fn lock_chain(&mut self) -> Result<bool> {
        self.take_the_pen().await?;
        Ok(true)
    }

    async fn chain_head(&mut self) -> Result<Head> {
        self.look(|db| {
            let head = first(db, &CHAIN_HEAD, [], "chain_blocks", |row| {
                Ok(Head {
                    block: row.get("no")?,
                    seq: row.get("to_seq")?,
                    hash: row.bytes("hash")?,
                })
            })?;
            Ok(head.unwrap_or(Head::EMPTY))
        })
        .await
    }

    /// The end of the journal: transactions that post come one after the other, so every row that can be seen
    /// has all the rows before it.
    async fn complete_up_to(&mut self) -> Result<i64> {
        self.look(|db| value(db, &COMPLETE_UP_TO, [])).await
    }

    async fn insert_block(&mut self, block: &Block, sealed_at: Timestamp) -> Result<()> {
        let block = block.clone();
        self.change(move |db| {
            let params = params![
                block.no,
                block.leaves.first().map(|it| it.seq),
                block.leaves.last().map(|it| it.seq),
                packed(&block.leaves),
                block.previous,
                block.hash,
                stamp(sealed_at)
            ];
            execute_one(db, &INSERT_BLOCK, params)
        })
        .await
    }

    async fn blocks_after(&mut self, no: i64, limit: u32) -> Result<Vec<Block>> {
        self.look(move |db| {
            all(db, &BLOCKS_AFTER, params![no, limit], "chain_blocks", |row| {
                Ok(Block {
                    no: row.get("no")?,
                    leaves: row.read("leaves", |bytes: Vec<u8>| unpacked(&bytes))?,
                    previous: row.bytes("previous")?,
                    hash: row.bytes("hash")?,
                })
            })
        })
        .await
    }

    async fn journal_rows(&mut self, after: i64, up_to: i64, limit: u32) -> Result<Vec<JournalRow>> {
        self.look(move |db| {
            all(
                db,
                &JOURNAL_ROWS,
                params![after, up_to, limit],
                "journal",
                journal_row,
            )
        })
        .await
    }
}

fn packed(leaves: &[Leaf]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(leaves.len() * LEAF_BYTES);
    for leaf in leaves {
        bytes.extend(leaf.seq.to_be_bytes());
        bytes.extend(leaf.hash);
    }
    bytes
}

fn unpacked(bytes: &[u8]) -> Result<Vec<Leaf>, String> {
    let (leaves, rest) = bytes.as_chunks::<LEAF_BYTES>();
    if leaves.is_empty() || !rest.is_empty() {
        return Err(format!(
            "{} bytes are no list of leaves of {LEAF_BYTES}",
            bytes.len()
        ));
    }
    let leaf = |bytes: &[u8; LEAF_BYTES]| {
        let (mut seq, mut hash) = ([0; 8], [0; 16]);
        seq.copy_from_slice(&bytes[..8]);
        hash.copy_from_slice(&bytes[8..]);
        Leaf {
            seq: i64::from_be_bytes(seq),
            hash,
        }
    };
    Ok(leaves.iter().map(leaf).collect())
}

fn journal_row(row: &mut Cells<'_>) -> Result<JournalRow> {
    Ok(JournalRow {
        seq: row.get("seq")?,
        tenant: TenantId(row.get("tenant_id")?),
        transaction: row.id("transaction_id")?,
        leg: row.get("leg")?,
        kind: row.get("kind")?,
        debit: AccountId(row.get("debit_account_id")?),
        credit: AccountId(row.get("credit_account_id")?),
        amount: row.get("amount")?,
        currency: row.get("currency")?,
        debit_after: row.get("debit_after")?,
        credit_after: row.get("credit_after")?,
        reverses: row.id_opt("reverses")?,
        reference: row.get("reference")?,
        metadata: row.get("metadata")?,
        fingerprint: row.get("fingerprint")?,
        posted_at: row.time("posted_at")?,
    })
}

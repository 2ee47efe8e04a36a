//! The tamper-evidence chain: journal rows are sealed into blocks, each block names the one before it.
//!
//! A block keeps one short hash per row, so a broken block names the row that was changed, taken out, put in
//! or moved. Sealing runs behind the commits. The head is also kept outside the database (the anchor), which
//! is what catches a cut tail.

use chrono::SecondsFormat;
use mizan_core::{AccountId, Minor, TenantId, Timestamp, TransactionId};
use sha2::{Digest, Sha256};

/// One journal row, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The row's place in the journal; grows, may have gaps.
    pub seq: i64,
    pub tenant: TenantId,
    pub transaction: TransactionId,
    /// The leg's place in its transaction, from 0.
    pub leg: i16,
    pub kind: String,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Minor,
    pub currency: String,
    pub debit_after: Option<Minor>,
    pub credit_after: Option<Minor>,
    pub reverses: Option<TransactionId>,
    pub reference: Option<String>,
    pub metadata: Option<String>,
    pub fingerprint: Vec<u8>,
    pub posted_at: Timestamp,
}

/// The place and the hash of one row in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    pub seq: i64,
    pub hash: [u8; 16],
}

/// A sealed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// From 1, without gaps.
    pub no: i64,
    /// In order of `seq`, never empty.
    pub leaves: Vec<Leaf>,
    /// The hash of the block before; zeros for the first.
    pub previous: [u8; 32],
    pub hash: [u8; 32],
}

/// The end of the chain: what the anchor outside the database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub block: i64,
    pub seq: i64,
    pub hash: [u8; 32],
}

impl Head {
    /// Before anything was sealed.
    pub const EMPTY: Self = Self {
        block: 0,
        seq: 0,
        hash: [0; 32],
    };
}

/// One thing that is wrong with the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("journal row {seq} (block {block}) was changed after it was sealed")]
    RowChanged { block: i64, seq: i64 },
    #[error("journal row {seq} (block {block}) is gone")]
    RowMissing { block: i64, seq: i64 },
    #[error("journal row {seq} was put in after block {block} was sealed")]
    RowInserted { block: i64, seq: i64 },
    #[error("block {block} does not recompute")]
    BlockHash { block: i64 },
    #[error("block {block} does not follow the block before it")]
    BlockOrder { block: i64 },
    #[error("the anchor names block {anchor}, the chain ends at block {head}: the end was cut off")]
    TailCut { anchor: i64, head: i64 },
    #[error("the anchor and block {block} differ")]
    AnchorMismatch { block: i64 },
}

/// Hashes one row: every column, each with its length, so that no two rows share an input.
pub fn leaf(row: &JournalRow) -> Leaf {
    let mut hash = Sha256::new();
    hash.update(b"mizan.journal.v1");
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    let optional = |it: Option<i64>| it.map_or_else(Vec::new, |it| it.to_le_bytes().to_vec());
    field(&row.seq.to_le_bytes());
    field(&row.tenant.0.to_le_bytes());
    field(row.transaction.0.as_bytes());
    field(&row.leg.to_le_bytes());
    field(row.kind.as_bytes());
    field(&row.debit.0.to_le_bytes());
    field(&row.credit.0.to_le_bytes());
    field(&row.amount.to_le_bytes());
    field(row.currency.as_bytes());
    field(&optional(row.debit_after));
    field(&optional(row.credit_after));
    field(
        row.reverses
            .map(|it| it.0.as_bytes().to_vec())
            .unwrap_or_default()
            .as_slice(),
    );
    field(row.reference.as_deref().unwrap_or_default().as_bytes());
    field(row.metadata.as_deref().unwrap_or_default().as_bytes());
    field(&row.fingerprint);
    field(
        row.posted_at
            .to_rfc3339_opts(SecondsFormat::Micros, true)
            .as_bytes(),
    );
    let digest = hash.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    Leaf {
        seq: row.seq,
        hash: short,
    }
}

fn block_hash(no: i64, previous: &[u8; 32], leaves: &[Leaf]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"mizan.block.v1");
    hash.update(no.to_le_bytes());
    hash.update(previous);
    for leaf in leaves {
        hash.update(leaf.seq.to_le_bytes());
        hash.update(leaf.hash);
    }
    hash.finalize().into()
}

/// Seals rows, in order of `seq`, into the block after `head`. `None` if there are no rows.
pub fn seal(head: &Head, rows: &[JournalRow]) -> Option<Block> {
    let last = rows.last()?.seq;
    assert!(
        rows.windows(2).all(|it| it[0].seq < it[1].seq),
        "rows are sealed in order"
    );
    assert!(rows[0].seq > head.seq && last > head.seq, "rows are sealed once");
    let leaves: Vec<_> = rows.iter().map(leaf).collect();
    let no = head.block + 1;
    let hash = block_hash(no, &head.hash, &leaves);
    Some(Block {
        no,
        leaves,
        previous: head.hash,
        hash,
    })
}

/// Checks a block against the block before it and against the rows that the journal has now between the
/// end of the block before and its own end. Returns the head for the next block.
pub fn verify(head: &Head, block: &Block, rows: &[JournalRow], breaks: &mut Vec<Break>) -> Head {
    if block.no != head.block + 1 || block.previous != head.hash {
        breaks.push(Break::BlockOrder { block: block.no });
    }
    if block.hash != block_hash(block.no, &block.previous, &block.leaves) {
        breaks.push(Break::BlockHash { block: block.no });
    }
    let mut now = rows.iter().map(leaf).peekable();
    for sealed in &block.leaves {
        while let Some(extra) = now.next_if(|it| it.seq < sealed.seq) {
            breaks.push(Break::RowInserted {
                block: block.no,
                seq: extra.seq,
            });
        }
        match now.next_if(|it| it.seq == sealed.seq) {
            None => breaks.push(Break::RowMissing {
                block: block.no,
                seq: sealed.seq,
            }),
            Some(seen) if seen.hash != sealed.hash => {
                breaks.push(Break::RowChanged {
                    block: block.no,
                    seq: sealed.seq,
                });
            }
            Some(_) => {}
        }
    }
    breaks.extend(now.map(|it| Break::RowInserted {
        block: block.no,
        seq: it.seq,
    }));
    Head {
        block: block.no,
        seq: block.leaves.last().map_or(head.seq, |it| it.seq),
        hash: block.hash,
    }
}

/// Compares the anchor kept outside the database with the chain: `at_anchor` is the hash of the block
/// that the anchor names, if the chain has it.
pub fn verify_anchor(anchor: &Head, head: &Head, at_anchor: Option<[u8; 32]>, breaks: &mut Vec<Break>) {
    if anchor.block > head.block {
        breaks.push(Break::TailCut {
            anchor: anchor.block,
            head: head.block,
        });
    } else if anchor.block > 0 && at_anchor != Some(anchor.hash) {
        breaks.push(Break::AnchorMismatch { block: anchor.block });
    }
}

#[cfg(test)]
mod tests;

//! The journal in parts by `seq`, and what of it went to an archive. A store may keep one table and have no parts.

use async_trait::async_trait;
use mizan_core::{AccountId, Minor, Timestamp};

use crate::Result;

/// What may still happen to a part of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made ahead: no number of it was drawn yet.
    Ahead,
    /// Rows are appended.
    Open,
    /// All its numbers are drawn; not all its rows are sealed.
    Full,
    /// All its rows are in blocks of the chain, and none can come any more.
    Sealed,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Open => "open",
            Self::Full => "full",
            Self::Sealed => "sealed",
        }
    }
}

/// One part of the journal that is in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub name: String,
    /// The first and the last number that it may have; the first part begins at 0.
    pub from_seq: i64,
    pub to_seq: i64,
    pub rows: u64,
    /// With its indexes.
    pub bytes: u64,
    /// When its first and its last row were posted.
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    pub state: State,
}

/// One part of the journal that went to an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub from_seq: i64,
    pub to_seq: i64,
    pub rows: u64,
    /// Where the file was written, as an absolute path.
    pub file: String,
    pub sha256: [u8; 32],
    pub bytes: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The blocks of the chain that have rows of it.
    pub first_block: i64,
    pub last_block: i64,
    pub archived_at: Timestamp,
}

/// What the archived rows of an account add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    pub account: AccountId,
    pub posted: Minor,
    pub entries: u64,
}

#[async_trait]
pub trait Partitions {
    /// The parts that are in the database, oldest first. None where the journal is one table.
    async fn partitions(&mut self) -> Result<Vec<Partition>>;

    /// Makes parts until `ahead` of them lie beyond the last number that was drawn; returns how many it made.
    async fn make_partitions(&mut self, ahead: u32) -> Result<u32>;

    /// Takes the right to archive until the transaction ends, which may now last; `false` if another process has it.
    async fn lock_archive(&mut self) -> Result<bool>;

    /// What went to an archive, oldest first.
    async fn archives(&mut self) -> Result<Vec<Archived>>;

    /// What the archived rows of each account add up to, by account.
    async fn carried(&mut self) -> Result<Vec<Carried>>;

    /// The first and the last block of the chain that have rows between these numbers, both included.
    async fn blocks_between(&mut self, from_seq: i64, to_seq: i64) -> Result<Option<(i64, i64)>>;

    /// Records the oldest part as archived, carries its balances forward and takes it out of the database, all when
    /// the transaction commits. Refused unless the part is sealed.
    async fn archive_partition(&mut self, name: &str, archived: &Archived) -> Result<()>;
}

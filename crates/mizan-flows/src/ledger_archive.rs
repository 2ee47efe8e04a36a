//! Moving sealed partitions of the journal into files, so that nothing is lost or kept twice wherever it stops.
//!
//! A partition is written to a file, synced, read back and compared with the rows and with the chain's leaves; then
//! the file takes its name and the manifest its line; then one database transaction records the archive, carries the
//! balances forward and drops the partition. Every step but the last can be done again and does the same.

mod compare;
mod files;
mod write;

use std::path::{Path, PathBuf};

use mizan_core::{Clock, Timestamp};
use mizan_ledger::chain::JournalRow;
use mizan_store::partitions::{Archived, Partition, State};
use mizan_store::{Store, StoreError};
use serde::Serialize;

pub use files::{Manifest, sha256_of};

/// How many rows are read at a time; one row group of a file.
const FETCH: u32 = 50_000;

/// Why a partition stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("another process is archiving")]
    Busy,
    #[error("{}: row {seq} is not in it as it is in the journal", file.display())]
    Differs { file: PathBuf, seq: i64 },
    #[error("journal row {seq} is not what was sealed: run `mizan ledger verify` first")]
    Broken { seq: i64 },
}

/// A kind of file that holds journal rows.
pub trait RowFormat: Send + Sync {
    fn create(&self, file: std::fs::File) -> std::io::Result<Box<dyn RowWriter>>;
    fn open(&self, file: std::fs::File) -> std::io::Result<Box<dyn RowReader>>;
}

pub trait RowWriter: Send {
    fn append(&mut self, rows: &[JournalRow]) -> std::io::Result<()>;
    /// Hands the file back with everything written, so that it can be synced.
    fn finish(self: Box<Self>) -> std::io::Result<std::fs::File>;
}

pub trait RowReader: Send {
    /// The next rows in order of `seq`; `None` at the end.
    fn next_rows(&mut self) -> std::io::Result<Option<Vec<JournalRow>>>;
}

/// Which partitions are old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// All their numbers are below this one.
    Seq(i64),
    /// All their rows were posted before.
    Time(Timestamp),
}

impl Before {
    fn covers(self, partition: &Partition) -> bool {
        match self {
            Self::Seq(seq) => partition.to_seq < seq,
            Self::Time(at) => partition.last_at.is_none_or(|last| last < at),
        }
    }
}

/// One partition that was, or would be, moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub partition: String,
    pub from_seq: i64,
    pub to_seq: i64,
    pub rows: u64,
    pub file: String,
    /// `None`: nothing was written, this was asked as a dry run.
    pub sha256: Option<String>,
}

/// The partitions that can go: sealed and old enough, oldest first without a gap.
pub async fn candidates(store: &dyn Store, before: Before) -> Result<Vec<Partition>, StoreError> {
    let mut platform = store.platform().await?;
    let partitions = platform.partitions().await?;
    platform.rollback().await?;
    let may_go = |it: &Partition| it.state == State::Sealed && before.covers(it);
    Ok(partitions.into_iter().take_while(may_go).collect())
}

/// Where a partition's file is, or would be.
pub fn file_of(partition: &Partition, directory: &Path) -> PathBuf {
    directory.join(format!(
        "journal-{:012}-{:012}.parquet",
        partition.from_seq, partition.to_seq
    ))
}

/// Moves one partition. `progress` hears how many rows were written or compared.
pub async fn archive(
    store: &dyn Store,
    clock: &dyn Clock,
    format: &dyn RowFormat,
    partition: &Partition,
    directory: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Moved, ArchiveError> {
    let mut platform = store.platform().await?;
    if !platform.lock_archive().await? {
        return Err(ArchiveError::Busy);
    }
    let file = file_of(partition, directory);
    let part = file.with_extension("parquet.part");
    let blocks = platform
        .blocks_between(partition.from_seq, partition.to_seq)
        .await?
        .unwrap_or((0, 0));
    let written = write::write(&mut *platform, format, partition, &part, progress).await?;
    compare::compare(&mut *platform, format, partition, &part, blocks, progress).await?;
    let (sha256, bytes) = sha256_of(&part)?;
    let at = clock.now();
    let archived = Archived {
        from_seq: partition.from_seq,
        to_seq: partition.to_seq,
        rows: written.rows,
        file: file.display().to_string(),
        sha256,
        bytes,
        first_at: written.first_at.unwrap_or_default(),
        last_at: written.last_at.unwrap_or_default(),
        first_block: blocks.0,
        last_block: blocks.1,
        archived_at: at,
    };
    files::name(&part, &file)?;
    let line = Manifest::of(&archived, &file, &written.sums);
    files::note(directory, &line)?;
    platform.archive_partition(&partition.name, &archived).await?;
    platform.commit().await?;
    Ok(Moved {
        partition: partition.name.clone(),
        from_seq: partition.from_seq,
        to_seq: partition.to_seq,
        rows: written.rows,
        file: archived.file,
        sha256: Some(line.sha256),
    })
}

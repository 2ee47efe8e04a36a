//! Reading a file back before its rows are dropped: against the journal, and against the leaves of the chain.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;

use mizan_ledger::chain::{JournalRow, Leaf, leaf};
use mizan_store::Platform;
use mizan_store::partitions::Partition;

use super::files::at_path;
use super::{ArchiveError, FETCH, RowFormat};

pub(super) async fn compare(
    platform: &mut dyn Platform,
    format: &dyn RowFormat,
    partition: &Partition,
    part: &Path,
    blocks: (i64, i64),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), ArchiveError> {
    let file = File::open(part).map_err(at_path(part))?;
    let mut reader = format.open(file).map_err(at_path(part))?;
    let mut sealed = Sealed {
        next_block: blocks.0,
        last_block: blocks.1,
        leaves: VecDeque::new(),
    };
    let mut after = partition.from_seq - 1;
    let mut kept: VecDeque<JournalRow> = VecDeque::new();
    loop {
        let rows = platform.journal_rows(after, partition.to_seq, FETCH).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in &rows {
            while kept.is_empty()
                && let Some(more) = reader.next_rows().map_err(at_path(part))?
            {
                kept.extend(more);
            }
            if kept.pop_front().as_ref() != Some(row) {
                return Err(differs(part, row.seq));
            }
            if sealed.next(platform, partition).await? != Some(leaf(row)) {
                return Err(ArchiveError::Broken { seq: row.seq });
            }
        }
        progress(rows.len() as u64);
    }
    if let Some(extra) = kept.pop_front() {
        return Err(differs(part, extra.seq));
    }
    match sealed.next(platform, partition).await? {
        Some(gone) => Err(ArchiveError::Broken { seq: gone.seq }),
        None => Ok(()),
    }
}

fn differs(file: &Path, seq: i64) -> ArchiveError {
    ArchiveError::Differs {
        file: file.to_path_buf(),
        seq,
    }
}

/// The sealed leaves of a partition, block by block.
struct Sealed {
    next_block: i64,
    last_block: i64,
    leaves: VecDeque<Leaf>,
}

impl Sealed {
    async fn next(
        &mut self,
        platform: &mut dyn Platform,
        partition: &Partition,
    ) -> Result<Option<Leaf>, ArchiveError> {
        while self.leaves.is_empty() && self.next_block > 0 && self.next_block <= self.last_block {
            let blocks = platform.blocks_after(self.next_block - 1, 16).await?;
            self.next_block = blocks.last().map_or(self.last_block, |it| it.no) + 1;
            let within = partition.from_seq..=partition.to_seq;
            let leaves = blocks.into_iter().flat_map(|it| it.leaves);
            self.leaves.extend(leaves.filter(|it| within.contains(&it.seq)));
        }
        Ok(self.leaves.pop_front())
    }
}

//! The rows of one partition into one file.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use mizan_core::Timestamp;
use mizan_store::Platform;
use mizan_store::partitions::Partition;

use super::files::at_path;
use super::{ArchiveError, FETCH, RowFormat};

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub rows: u64,
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    /// The sum of the amounts of each currency, in minor units.
    pub sums: BTreeMap<String, i128>,
}

/// Writes and syncs the file, over one that an earlier try may have left.
pub(super) async fn write(
    platform: &mut dyn Platform,
    format: &dyn RowFormat,
    partition: &Partition,
    part: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Written, ArchiveError> {
    let file = File::create(part).map_err(at_path(part))?;
    let mut writer = format.create(file).map_err(at_path(part))?;
    let mut written = Written::default();
    let mut after = partition.from_seq - 1;
    loop {
        let rows = platform.journal_rows(after, partition.to_seq, FETCH).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        writer.append(&rows).map_err(at_path(part))?;
        for row in &rows {
            let at = Some(row.posted_at);
            written.first_at = written.first_at.min(at).or(at);
            written.last_at = written.last_at.max(at);
            *written.sums.entry(row.currency.clone()).or_default() += i128::from(row.amount);
        }
        written.rows += rows.len() as u64;
        progress(rows.len() as u64);
    }
    let file = writer.finish().map_err(at_path(part))?;
    file.sync_all().map_err(at_path(part))?;
    Ok(written)
}

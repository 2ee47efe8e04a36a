//! Files that are there or not, never half: written beside their name, synced, then named.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use mizan_core::Timestamp;
use mizan_store::partitions::Archived;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ArchiveError;

const MANIFEST: &str = "manifest.ndjson";

/// One line of the manifest: what a file holds, for whoever has the files and no database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub file: String,
    /// In hex.
    pub sha256: String,
    pub bytes: u64,
    pub rows: u64,
    pub from_seq: i64,
    pub to_seq: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The sum of the amounts of each currency, in minor units, as text so that no reader makes floats of them.
    pub sums: BTreeMap<String, String>,
    pub first_block: i64,
    pub last_block: i64,
}

impl Manifest {
    pub(super) fn of(archived: &Archived, file: &Path, sums: &BTreeMap<String, i128>) -> Self {
        let name = file.file_name().unwrap_or_default();
        Self {
            file: name.to_string_lossy().into_owned(),
            sha256: hex(&archived.sha256),
            bytes: archived.bytes,
            rows: archived.rows,
            from_seq: archived.from_seq,
            to_seq: archived.to_seq,
            first_at: archived.first_at,
            last_at: archived.last_at,
            sums: sums
                .iter()
                .map(|(it, sum)| (it.clone(), sum.to_string()))
                .collect(),
            first_block: archived.first_block,
            last_block: archived.last_block,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, it| text + &format!("{it:02x}"))
}

/// Adds the path to an error of a file.
pub(super) fn at_path(path: &Path) -> impl Fn(std::io::Error) -> ArchiveError + '_ {
    |source| ArchiveError::File {
        path: path.to_path_buf(),
        source,
    }
}

/// The hash of a file's bytes, and how many there are.
pub fn sha256_of(path: &Path) -> Result<([u8; 32], u64), ArchiveError> {
    let mut file = File::open(path).map_err(at_path(path))?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(at_path(path))?;
        if read == 0 {
            return Ok((hash.finalize().into(), bytes));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Gives a synced file its name, for good.
pub(super) fn name(part: &Path, file: &Path) -> Result<(), ArchiveError> {
    fs::rename(part, file).map_err(at_path(file))?;
    let directory = file.parent().unwrap_or(Path::new("."));
    let directory = File::open(directory).map_err(at_path(directory))?;
    directory.sync_all().map_err(at_path(file))
}

/// Puts a line into the manifest, in the place of an earlier one of the same file.
pub(super) fn note(directory: &Path, line: &Manifest) -> Result<(), ArchiveError> {
    let path = directory.join(MANIFEST);
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(at_path(&path)(error)),
    };
    let wrong = |error: serde_json::Error| at_path(&path)(error.into());
    let mut lines = Vec::new();
    for text in before.lines() {
        let kept: Manifest = serde_json::from_str(text).map_err(wrong)?;
        if kept.file != line.file {
            lines.push(kept);
        }
    }
    lines.push(line.clone());
    let part = path.with_extension("ndjson.part");
    let mut file = File::create(&part).map_err(at_path(&part))?;
    for line in &lines {
        let text = serde_json::to_string(line).map_err(wrong)?;
        writeln!(file, "{text}").map_err(at_path(&part))?;
    }
    file.sync_all().map_err(at_path(&part))?;
    name(&part, &path)
}

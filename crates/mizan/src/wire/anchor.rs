//! The anchor: the end of the chain, kept in a file outside the database. It is what catches a cut tail.

use std::path::{Path, PathBuf};

use anyhow::Context;
use mizan_config::{Database, Settings};
use mizan_ledger::chain::Head;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct File {
    block: i64,
    seq: i64,
    /// In hex.
    hash: String,
}

/// Where the anchor is kept: in the file that is configured, else beside the file of an embedded database.
pub fn place(settings: &Settings) -> Option<PathBuf> {
    if settings.anchor_file.is_some() {
        return settings.anchor_file.clone();
    }
    match &settings.database {
        Database::Sqlite { path } => {
            let mut name = path.clone().into_os_string();
            name.push(".anchor");
            Some(name.into())
        }
        Database::Postgres { .. } => None,
    }
}

/// Reads an anchor; `None` if the file is not there.
pub fn read(path: &Path) -> anyhow::Result<Option<Head>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let bad = || format!("{} is not an anchor", path.display());
    let file: File = serde_json::from_str(&text).with_context(bad)?;
    let mut hash = [0_u8; 32];
    if file.hash.len() != 64 || !file.hash.is_ascii() {
        anyhow::bail!(bad());
    }
    for (byte, pair) in hash.iter_mut().zip(file.hash.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).with_context(bad)?;
        *byte = u8::from_str_radix(pair, 16).with_context(bad)?;
    }
    Ok(Some(Head {
        block: file.block,
        seq: file.seq,
        hash,
    }))
}

/// Writes an anchor: beside it first, then moved over, so that a crash leaves the old one or the new one.
pub fn write(path: &Path, head: &Head) -> anyhow::Result<()> {
    let hash = head
        .hash
        .iter()
        .fold(String::new(), |text, it| text + &format!("{it:02x}"));
    let text = serde_json::to_string(&File {
        block: head.block,
        seq: head.seq,
        hash,
    })?;
    let mut new = path.to_path_buf().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    std::fs::write(&new, text + "\n").with_context(|| format!("{} cannot be written", new.display()))?;
    std::fs::rename(&new, path).with_context(|| format!("{} cannot be written", path.display()))
}

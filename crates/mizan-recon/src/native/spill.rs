//! Rows that do not fit into memory, in one file that has no name: it is gone when the run is, however it ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// A piece of the file, and what it has to look like when it comes back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    at: u64,
    pub length: usize,
    check: u64,
}

#[derive(Debug)]
pub(super) struct Spill {
    directory: PathBuf,
    file: OnceLock<File>,
    end: AtomicU64,
}

impl Spill {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            file: OnceLock::new(),
            end: AtomicU64::new(0),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// How much was written so far, in bytes.
    pub(super) fn written(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, chunks: &[Vec<u8>]) -> io::Result<Extent> {
        let file = if let Some(file) = self.file.get() {
            file
        } else {
            let new = tempfile::tempfile_in(&self.directory)?;
            // Of two that get here at once one keeps its file, and both use that.
            self.file.get_or_init(|| new)
        };
        let length: usize = chunks.iter().map(Vec::len).sum();
        let start = self.end.fetch_add(length as u64, Ordering::Relaxed);
        let (mut at, mut check) = (start, Xxh3::new());
        for chunk in chunks {
            file.write_all_at(chunk, at)?;
            check.update(chunk);
            at += chunk.len() as u64;
        }
        Ok(Extent {
            at: start,
            length,
            check: check.digest(),
        })
    }

    pub(super) fn read(&self, extent: Extent) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; extent.length];
        let file = self.file.get().ok_or(io::ErrorKind::NotFound)?;
        file.read_exact_at(&mut bytes, extent.at)?;
        if xxh3_64(&bytes) == extent.check {
            Ok(bytes)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "what was written did not come back as it was",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spilled_comes_back_or_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let spill = Spill::new(directory.path().to_owned());
        let one = spill.write(&[b"ab".to_vec(), b"c".to_vec()]).unwrap();
        let other = spill.write(&[b"defg".to_vec()]).unwrap();
        assert_eq!(spill.read(one).unwrap(), b"abc");
        assert_eq!(spill.read(other).unwrap(), b"defg");
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            0,
            "it has no name"
        );
        spill.file.get().unwrap().write_all_at(b"x", 1).unwrap();
        assert_eq!(spill.read(one).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let nowhere = Spill::new(directory.path().join("nowhere"));
        assert!(nowhere.write(&[b"a".to_vec()]).is_err());
    }
}

//! Where files are kept: statements, and what could not be read of them.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tempfile::TempPath;

/// Why a file could not be kept or brought back.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("the object store has no {key}")]
    Missing { key: String },
    #[error("the object store could not be used")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("a temporary file could not be written in {}; free space there, or name another directory", dir.display())]
    Spool {
        dir: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// A folder, or a bucket. Keys are `statements/1/ab…`; what is kept under one never changes.
#[async_trait]
pub trait Objects: Send + Sync + 'static {
    /// Where files wait on their way in and out.
    fn spool(&self) -> &Path;

    /// Keeps a file, durably. The same key again is the same file.
    async fn put(&self, key: &str, file: &Path) -> Result<(), ObjectError>;

    /// Brings a file back.
    async fn fetch(&self, key: &str) -> Result<LocalCopy, ObjectError>;
}

/// A file on this machine: the object itself, or a copy that vanishes with this value.
#[derive(Debug)]
pub enum LocalCopy {
    Itself(PathBuf),
    Copy(TempPath),
}

impl LocalCopy {
    pub fn path(&self) -> &Path {
        match self {
            Self::Itself(path) => path,
            Self::Copy(path) => path,
        }
    }
}

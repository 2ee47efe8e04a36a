//! The run lock: a file beside the database, locked by the operating system and signed by its holder.
//!
//! The lock ends with the process that holds it, however that ends; the file is removed with the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mizan_store::migrate::MigrateError;
use tokio::time::{Instant, sleep};

const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The lock, while it is held.
pub(super) struct Held {
    file: File,
    path: PathBuf,
}

/// Tries again and again until the deadline.
pub(super) async fn take(database: &Path, deadline: Duration) -> Result<Held, MigrateError> {
    let mut path = database.as_os_str().to_owned();
    path.push("-migrate");
    let path = PathBuf::from(path);
    let until = Instant::now() + deadline;
    loop {
        match try_once(&path) {
            Ok(Some(file)) => return Ok(Held { file, path }),
            Ok(None) if Instant::now() >= until => {
                return Err(MigrateError::LockHeld {
                    holder: holder(&path),
                    waited: deadline,
                });
            }
            Ok(None) => sleep(BETWEEN_TRIES.min(until - Instant::now())).await,
            Err(source) => return Err(lock_file(&path, source)),
        }
    }
}

/// `None`: somebody else has it.
fn try_once(path: &Path) -> std::io::Result<Option<File>> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    // Its last holder may have removed it between our open and our lock: then the name is somebody else's.
    let same = std::fs::metadata(path)
        .ok()
        .zip(file.metadata().ok())
        .is_some_and(|(named, ours)| (named.dev(), named.ino()) == (ours.dev(), ours.ino()));
    Ok(same.then_some(file))
}

impl Held {
    /// Says in the file who holds the lock, for those who wait.
    pub(super) fn sign(&mut self, since: &str) -> Result<(), MigrateError> {
        let signature = format!("pid {}, mizan-migrate, since {since}", std::process::id());
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(signature.as_bytes())
        };
        write(&mut self.file).map_err(|it| lock_file(&self.path, it))
    }

    /// Removes the file, then lets go of it.
    pub(super) fn give_back(self) -> Result<(), MigrateError> {
        std::fs::remove_file(&self.path).map_err(|it| lock_file(&self.path, it))
    }
}

/// What the holder wrote; it may not have come to it yet.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|it| it.take(200).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() => text,
        _ => format!("a process that has {} open", path.display()),
    }
}

fn lock_file(path: &Path, source: std::io::Error) -> MigrateError {
    MigrateError::LockFile {
        path: path.display().to_string(),
        source,
    }
}

//! Opening connections to the file, each with the same settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mizan_store::{Result, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{refused, unavailable};
use crate::statement::{Statement, value};

/// How a store works with its file.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// How many transactions may read at the same time, at least 1.
    pub readers: usize,
    /// How long a lock that another process holds is waited for.
    pub busy_timeout: Duration,
    /// How long a caller waits for the writer or for a reader of this process.
    pub acquire_timeout: Duration,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(10),
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    Read,
}

/// As many statements as there are; none is ever prepared twice.
const CACHED_STATEMENTS: usize = 256;

const SWITCH_TO_WAL: Statement = Statement {
    name: "SWITCH_TO_WAL",
    sql: "PRAGMA journal_mode = WAL",
};

/// The file's absolute path. A name such as `:memory:` is a file like any other.
pub(crate) fn file(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(unavailable)?;
    create_private(&path)?;
    Ok(path)
}

/// Makes the file if it is not there, for the owner alone: its permissions are all that protects the journal.
fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(error)),
    }
}

/// Opens a connection: write-ahead log, every commit on disk before it is answered, foreign keys checked.
pub(crate) fn connect(path: &Path, access: Access, config: &SqliteConfig) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(unavailable)?;
    db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    db.busy_timeout(config.busy_timeout).map_err(unavailable)?;
    switch_to_wal(&db, config.busy_timeout)?;
    let settings = [
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("trusted_schema", "OFF"),
        ("query_only", if access == Access::Read { "ON" } else { "OFF" }),
    ];
    for (name, setting) in settings {
        db.pragma_update(None, name, setting).map_err(unavailable)?;
    }
    Ok(db)
}

/// The first one to open a file switches it. SQLite does not wait for rivals that switch it as well, so this does.
fn switch_to_wal(db: &Connection, limit: Duration) -> Result<()> {
    const PAUSE: Duration = Duration::from_millis(10);
    let tries = limit.as_millis() / PAUSE.as_millis();
    for _ in 0..=tries {
        match value::<String>(db, &SWITCH_TO_WAL, []) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) | Err(StoreError::Collision { .. }) => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    let busy = rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error {
            code: ErrorCode::DatabaseBusy,
            extended_code: rusqlite::ffi::SQLITE_BUSY,
        },
        None,
    );
    Err(refused(&SWITCH_TO_WAL, busy))
}

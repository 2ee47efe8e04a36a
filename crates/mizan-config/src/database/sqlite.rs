//! The forms of a SQLite URL.
//!
//! | form | file |
//! | --- | --- |
//! | `sqlite:mizan.db`, `sqlite://mizan.db` | `mizan.db` |
//! | `sqlite:/var/mizan.db`, `sqlite:///var/mizan.db` | `/var/mizan.db` |
//! | `sqlite+aiosqlite:///mizan.db` (SQLAlchemy) | `mizan.db` |
//! | `sqlite+aiosqlite:////var/mizan.db` (SQLAlchemy) | `/var/mizan.db` |

use std::path::PathBuf;

use super::{Database, Refused};
use crate::locator::decode;

/// `rest` follows `sqlite:`. A `+driver` part means that the URL was written for SQLAlchemy, whose third slash
/// only ends the (empty) host.
pub(super) fn parse(rest: &str, has_driver: bool) -> Result<Database, Refused> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if query.contains("mode=memory") || path.contains(":memory:") {
        return Err(Refused::InMemory);
    }
    let path = decode(path)?;
    let path = match path.strip_prefix("//") {
        Some(path) if has_driver => path.strip_prefix('/').unwrap_or(path),
        // Nobody means a file in the root directory's own '.'.
        Some(path) if path.starts_with("/./") => &path[1..],
        Some(path) => path,
        None => &path,
    };
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err(Refused::NoFile);
    }
    Ok(Database::Sqlite {
        path: PathBuf::from(path),
    })
}

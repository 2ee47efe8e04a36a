//! TOML files that people write: read with serde, errors with line and column.

use serde::de::DeserializeOwned;

/// The largest rule or map file, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Why a file is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("line {line}, column {column}: {reason}")]
    At {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("{reason}")]
    Whole { reason: String },
}

pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, FileError> {
    if text.len() > LARGEST {
        let reason = format!("the file is larger than {LARGEST} bytes");
        return Err(FileError::Whole { reason });
    }
    toml::from_str(text).map_err(|error| {
        let reason = error.message().to_owned();
        match error.span() {
            Some(span) => {
                let before = &text.as_bytes()[..span.start.min(text.len())];
                let line_start = memchr::memrchr(b'\n', before).map_or(0, |it| it + 1);
                FileError::At {
                    line: memchr::memchr_iter(b'\n', before).count() + 1,
                    column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
                    reason,
                }
            }
            None => FileError::Whole { reason },
        }
    })
}

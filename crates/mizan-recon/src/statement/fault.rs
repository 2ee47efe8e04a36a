//! What is wrong with one row, and how it becomes a quarantined one.

use super::Quarantined;

/// How much of a quarantined row is kept, in characters.
const EXCERPT: usize = 200;

/// The column at fault and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub column: Option<String>,
    pub reason: String,
}

impl Fault {
    pub(crate) fn row(reason: impl Into<String>) -> Self {
        Self {
            column: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn at(column: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            column: Some(column.into()),
            reason: reason.into(),
        }
    }

    pub(crate) fn quarantined(self, line_no: u64, raw: &[u8]) -> Quarantined {
        // Four bytes are the longest character: no more of the row than can be kept is looked at.
        let head = &raw[..raw.len().min(EXCERPT * 4)];
        Quarantined {
            line_no,
            column: self.column,
            reason: self.reason,
            raw_excerpt: String::from_utf8_lossy(head).chars().take(EXCERPT).collect(),
        }
    }
}

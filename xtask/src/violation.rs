//! One place where the repository breaks a rule of its own.

use std::fmt;

/// Shown as `crates/x/src/y.rs:12: [sql] … (because …)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Relative to the root of the repository.
    pub file: String,
    /// From 1; 0 when it is about the whole file.
    pub line: usize,
    pub rule: &'static str,
    pub message: String,
    pub reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": [{}] {} (because {})", self.rule, self.message, self.reason)
    }
}

//! What a file says about itself (balances, control sums, counts), compared with what was read of it.

/// One comparison. A check that fails refuses nothing: the rows are there, and whoever reads them is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was compared, such as `closing balance of NL26…, statement 253`.
    pub what: String,
    pub held: bool,
    /// Both sides of the comparison, or why it could not be made.
    pub detail: String,
}

impl Check {
    pub(crate) fn new(what: impl Into<String>, held: bool, detail: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            held,
            detail: detail.into(),
        }
    }
}

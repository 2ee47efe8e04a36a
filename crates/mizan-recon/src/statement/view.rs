//! How checks look in JSON.

use serde::{Deserialize, Serialize};

use super::check::Check;

/// What a file says of itself against what was read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    pub what: String,
    pub held: bool,
    pub detail: String,
}

impl From<&Check> for CheckView {
    fn from(it: &Check) -> Self {
        Self {
            what: it.what.clone(),
            held: it.held,
            detail: it.detail.clone(),
        }
    }
}

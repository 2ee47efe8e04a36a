//! The only place where the real environment is read.

use crate::problem::Problems;
use crate::settings::{Loaded, Settings};

/// Reads the settings of this process.
///
/// A name or value that is not UTF-8 is read with replacement characters, so it fails the check of its setting.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment is read"
)]
pub fn load_process_env() -> Result<Loaded, Problems> {
    Settings::from_env(std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    }))
}

//! What this binary is: its version, and the commit and time it was built from, where the build knew them.

/// `MIZAN_GIT_SHA` at build time, else what the build script found, else `unknown`.
pub const GIT_SHA: &str = env!("MIZAN_BUILD_GIT_SHA");
/// RFC 3339, from `SOURCE_DATE_EPOCH` or the commit.
pub const BUILD_TIME: &str = env!("MIZAN_BUILD_TIME");
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
pub const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("MIZAN_BUILD_GIT_SHA"), ")");

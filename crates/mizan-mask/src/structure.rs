//! Layer two: credentials that are recognised by where they stand.

pub(crate) mod dsn;

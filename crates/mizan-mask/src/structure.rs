//! Layer two: credentials that are recognised by where they stand.

pub(crate) mod collection;
pub(crate) mod dsn;
pub(crate) mod field;
pub(crate) mod field_name;
pub(crate) mod header;
pub(crate) mod pem;
pub(crate) mod value;

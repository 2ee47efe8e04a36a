//! Layer three: credentials that are recognised by what they look like.

pub(crate) mod host;

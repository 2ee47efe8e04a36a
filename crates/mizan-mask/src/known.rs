//! Layer one: values the masker was told, wherever and however encoded they appear.

pub(crate) mod environment;

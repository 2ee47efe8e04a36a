//! Pages of lists, as every list statement takes them: rows before a key, so many of them, after so many.
//!
//! The first page is the one before the greatest key, so all pages run the same statement on the same index.

use std::fmt::Display;

use mizan_store::{Page, Start};

/// Sorts after every id.
const AFTER_ALL_IDS: &str = "~";

/// The limits of a page of rows with keys of type `K`.
pub(crate) struct Bounds<K> {
    /// Only rows with a key below this.
    pub before: K,
    pub limit: i64,
    pub offset: i64,
}

/// A page of rows whose key is an id kept as text.
pub(crate) fn by_id<I: Display>(page: &Page<I>) -> Bounds<String> {
    let before = match &page.start {
        Start::After(id) => id.to_string(),
        Start::First | Start::Offset(_) => AFTER_ALL_IDS.to_owned(),
    };
    bounds(page, before)
}

/// A page of rows whose key is a number.
pub(crate) fn by_number<N>(page: &Page<N>, number: impl Fn(&N) -> i64) -> Bounds<i64> {
    let before = match &page.start {
        Start::After(it) => number(it),
        Start::First | Start::Offset(_) => i64::MAX,
    };
    bounds(page, before)
}

fn bounds<I, K>(page: &Page<I>, before: K) -> Bounds<K> {
    let offset = match page.start {
        Start::Offset(rows) => i64::from(rows),
        Start::First | Start::After(_) => 0,
    };
    Bounds {
        before,
        limit: page.fetch(),
        offset,
    }
}

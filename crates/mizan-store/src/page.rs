//! Pages of lists. Keyset paging: page 10 000 costs what page 1 costs.

/// Where a page starts. Lists run from the newest row to the oldest; ids are time-ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<K> {
    First,
    /// After the row with this key: the `next` of the page before.
    After(K),
    /// Skips so many rows; for people who type a page number. Bounded by the edge.
    Offset(u32),
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<K> {
    /// From 1 to 200.
    pub limit: u32,
    pub start: Start<K>,
    /// Whether to count all rows of the filter as well, which costs what it costs.
    pub with_total: bool,
}

impl<K> Page<K> {
    pub fn first(limit: u32) -> Self {
        Self {
            limit,
            start: Start::First,
            with_total: false,
        }
    }

    /// How many rows a store fetches: one more than wanted tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T, K> {
    pub items: Vec<T>,
    /// The key to go on after; `None` on the last page.
    pub next: Option<K>,
    pub total: Option<u64>,
}

impl<T, K> Paged<T, K> {
    /// Makes a page out of the rows that [`Page::fetch`] asked for.
    pub fn of(mut rows: Vec<T>, page: &Page<K>, total: Option<u64>, key: impl Fn(&T) -> K) -> Self {
        let limit = page.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self {
            items: rows,
            next,
            total,
        }
    }
}

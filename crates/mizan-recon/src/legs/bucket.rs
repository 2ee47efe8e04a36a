//! Rows of both sides under one key.

use std::collections::BTreeMap;

use mizan_core::Currency;

use super::LegRule;
use super::table::Table;
use crate::line::{Line, LineStatus};

/// Rows that a leg may bring together: equal in currency, status and every key.
pub(super) struct Bucket {
    pub key: Vec<(&'static str, String)>,
    pub theirs: Vec<usize>,
    pub ours: Vec<usize>,
}

/// Buckets that have rows of both sides. A row without a value for a key is in none.
pub(super) fn buckets(table: &Table<'_>, leg: &LegRule) -> Vec<Bucket> {
    type Place = (Currency, LineStatus, Vec<String>);
    let mut all: BTreeMap<Place, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    let place = |line: &Line, values: Option<Vec<String>>| Some((line.currency, line.status, values?));
    for (row, line) in table.their_rows() {
        let values = leg
            .keys
            .iter()
            .map(|it| it.statement.of(line).map(str::to_owned))
            .collect();
        if let Some(place) = place(line, values) {
            all.entry(place).or_default().0.push(row);
        }
    }
    for (row, line) in table.our_rows() {
        let values = leg
            .keys
            .iter()
            .map(|it| it.ledger.of(line).map(str::to_owned))
            .collect();
        if let Some(place) = place(line, values) {
            all.entry(place).or_default().1.push(row);
        }
    }
    all.into_iter()
        .filter(|(_, (theirs, ours))| !theirs.is_empty() && !ours.is_empty())
        .map(|((_, _, values), (theirs, ours))| Bucket {
            key: leg
                .keys
                .iter()
                .map(|it| it.statement.as_str())
                .zip(values)
                .collect(),
            theirs,
            ours,
        })
        .collect()
}

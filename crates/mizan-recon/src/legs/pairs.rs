//! One to one: equal amounts first, then amounts within the tolerance; a pair only where each row is the other's
//! single candidate.

use std::collections::BTreeMap;

use super::bucket::Bucket;
use super::table::{Table, Together, near, value, words};
use super::{LegRule, LegStats, Tolerance};
use crate::sets::Sets;

/// Candidates that are looked at in one bucket; with more, all its rows are ambiguous.
const MOST_CANDIDATES: usize = 1_000_000;

pub(super) fn run(table: &mut Table<'_>, leg: &LegRule, bucket: &Bucket, stats: &mut LegStats) {
    pass(table, leg, Tolerance::Minor(0), bucket, stats);
    if leg.tolerance != Tolerance::Minor(0) {
        pass(table, leg, leg.tolerance, bucket, stats);
    }
}

fn pass(table: &mut Table<'_>, leg: &LegRule, tolerance: Tolerance, bucket: &Bucket, stats: &mut LegStats) {
    let theirs: Vec<usize> = bucket
        .theirs
        .iter()
        .copied()
        .filter(|it| table.theirs(*it).is_some())
        .collect();
    let mut ours: Vec<(i128, usize)> = bucket
        .ours
        .iter()
        .filter_map(|it| Some((value(leg, table.ours(*it)?), *it)))
        .collect();
    ours.sort_unstable();
    let mut sets = Sets::new(theirs.len() + ours.len());
    let mut linked = vec![false; theirs.len() + ours.len()];
    let mut looked_at = 0;
    for (at, place) in theirs.iter().enumerate() {
        let Some(line) = table.theirs(*place) else {
            continue;
        };
        let wanted = value(leg, line);
        // A tolerance in basis points is at most half of the ledger's amount, which then is at most twice ours.
        let reach = tolerance.allowed(2 * (wanted.abs() + 1));
        let reach = i128::try_from(reach).unwrap_or(i128::MAX / 4);
        let from = ours.partition_point(|it| it.0 < wanted.saturating_sub(reach));
        let until = ours.partition_point(|it| it.0 <= wanted.saturating_add(reach));
        looked_at += until - from;
        if looked_at > MOST_CANDIDATES {
            let ours: Vec<usize> = ours.iter().map(|it| it.1).collect();
            let all = Together {
                theirs: &theirs,
                ours: &ours,
            };
            table.ambiguous(leg, &words(bucket), &all, stats);
            return;
        }
        for (other, (amount, candidate)) in ours.iter().enumerate().take(until).skip(from) {
            let close = (wanted - amount).unsigned_abs() <= tolerance.allowed(*amount);
            if close && table.ours(*candidate).is_some_and(|it| near(leg, line, it)) {
                sets.join(at, theirs.len() + other);
                linked[at] = true;
                linked[theirs.len() + other] = true;
            }
        }
    }
    let mut together: BTreeMap<usize, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for it in (0..linked.len()).filter(|it| linked[*it]) {
        let group = together.entry(sets.root(it)).or_default();
        match it.checked_sub(theirs.len()) {
            None => group.0.push(theirs[it]),
            Some(other) => group.1.push(ours[other].1),
        }
    }
    for (theirs, mut ours) in together.into_values() {
        ours.sort_unstable();
        let rows = Together {
            theirs: &theirs,
            ours: &ours,
        };
        if theirs.len() == 1 && ours.len() == 1 {
            table.matched(&rows, stats);
        } else {
            table.ambiguous(leg, &words(bucket), &rows, stats);
        }
    }
}

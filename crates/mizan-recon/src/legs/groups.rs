//! Many rows of one side that sum to one row of the other, such as the rows of a payout and the payout itself.

use super::bucket::Bucket;
use super::table::{Table, Together, near, value, words};
use super::{LegRule, LegStats, Shape};
use crate::line::Line;

pub(super) fn run(table: &mut Table<'_>, leg: &LegRule, bucket: &Bucket, stats: &mut LegStats) {
    let statement_sums = leg.shape == Shape::ManyToOne;
    let their_lines: Vec<&Line> = bucket.theirs.iter().filter_map(|it| table.theirs(*it)).collect();
    let our_lines: Vec<&Line> = bucket.ours.iter().filter_map(|it| table.ours(*it)).collect();
    let (many, ones, places) = if statement_sums {
        (their_lines, our_lines, &bucket.ours)
    } else {
        (our_lines, their_lines, &bucket.theirs)
    };
    let sum: i128 = many.iter().map(|it| value(leg, it)).sum();
    let in_time = |one: &Line| many.iter().all(|it| near(leg, it, one));
    let close = |one: &Line| {
        let (statement, ledger) = if statement_sums {
            (sum, value(leg, one))
        } else {
            (value(leg, one), sum)
        };
        (statement - ledger).unsigned_abs() <= leg.tolerance.allowed(ledger)
    };
    let candidates: Vec<usize> = ones
        .iter()
        .zip(places)
        .filter(|(one, _)| close(one) && in_time(one))
        .map(|(_, place)| *place)
        .collect();
    // One row with the key and another sum: the key says that they belong together.
    let lone = match ones.as_slice() {
        [one] if candidates.is_empty() && in_time(one) => Some(value(leg, one)),
        _ => None,
    };
    let picked = if lone.is_some() { places } else { &candidates };
    let rows = if statement_sums {
        Together {
            theirs: &bucket.theirs,
            ours: picked,
        }
    } else {
        Together {
            theirs: picked,
            ours: &bucket.ours,
        }
    };
    match (lone, candidates.len()) {
        (Some(one), _) => {
            let sums = if statement_sums { (sum, one) } else { (one, sum) };
            table.mismatched(leg, &words(bucket), &rows, sums, stats);
        }
        (None, 0) => {}
        (None, 1) => table.matched(&rows, stats),
        (None, _) => table.ambiguous(leg, &words(bucket), &rows, stats),
    }
}

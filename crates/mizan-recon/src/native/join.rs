//! The full outer join: rows by the hash of their key into partitions, partitions sorted and walked together.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::engine::Side;
use crate::line::{Line, LineKind};
use crate::native::Tables;
use crate::native::tally::Tally;

/// What rows are joined by. The kind is part of it only where the reference is the key.
pub(super) type Key<'a> = (&'a str, Option<LineKind>);

/// Joins the given rows and calls `group` once per key with the rows of both sides.
pub(super) fn outer_join<'t>(
    tables: &'t Tables<'t>,
    (statement, ledger): (Vec<u32>, Vec<u32>),
    key: impl Fn(&'t Line) -> Key<'t> + Sync,
    group: impl Fn(&mut Tally, &[u32], &[u32]) + Sync,
) -> Tally {
    let key_of = |side: Side, row: u32| key(&tables.lines(side)[row as usize]);
    // The text alone is hashed: what differs only in kind meets in a partition, and is told apart by the key.
    let hash_of = |side: Side, row: u32| (tables.hash)(key_of(side, row).0.as_bytes());
    let theirs = partition(statement, tables.partitions, |row| hash_of(Side::Statement, row));
    let ours = partition(ledger, tables.partitions, |row| hash_of(Side::Ledger, row));
    let tallies: Vec<Tally> = theirs
        .into_par_iter()
        .zip(ours)
        .map(|(mut theirs, mut ours)| {
            theirs.sort_unstable_by(|a, b| order((a, Side::Statement), (b, Side::Statement), &key_of));
            ours.sort_unstable_by(|a, b| order((a, Side::Ledger), (b, Side::Ledger), &key_of));
            let mut tally = Tally::default();
            walk(&theirs, &ours, &key_of, |statement, ledger| {
                group(&mut tally, statement, ledger);
            });
            tally
        })
        .collect();
    tallies.into_iter().fold(Tally::default(), Tally::merge)
}

/// A row and the hash of its key.
type Hashed = (u128, u32);

fn partition(rows: Vec<u32>, partitions: usize, hash: impl Fn(u32) -> u128 + Sync) -> Vec<Vec<Hashed>> {
    let hashed: Vec<Hashed> = rows.into_par_iter().map(|row| (hash(row), row)).collect();
    let mut cut: Vec<Vec<Hashed>> = (0..partitions)
        .map(|_| Vec::with_capacity(hashed.len() / partitions + hashed.len() / partitions / 8))
        .collect();
    for it in hashed {
        let place = (it.0 >> 64) % partitions as u128;
        let place = usize::try_from(place).expect("smaller than the number of partitions");
        cut[place].push(it);
    }
    cut
}

/// By hash, and where hashes are equal by the key itself: equal hashes of different keys do no harm.
fn order<'t>(
    (one, one_side): (&Hashed, Side),
    (other, other_side): (&Hashed, Side),
    key: &impl Fn(Side, u32) -> Key<'t>,
) -> Ordering {
    let by_key = || key(one_side, one.1).cmp(&key(other_side, other.1));
    one.0.cmp(&other.0).then_with(by_key)
}

fn walk<'t>(
    theirs: &[Hashed],
    ours: &[Hashed],
    key: &impl Fn(Side, u32) -> Key<'t>,
    mut group: impl FnMut(&[u32], &[u32]),
) {
    let run = |rows: &[Hashed], from: usize, side: Side| -> usize {
        let same = |it: &&Hashed| order((&rows[from], side), (*it, side), key) == Ordering::Equal;
        rows[from..].iter().take_while(same).count()
    };
    let (mut at, mut our_at) = (0, 0);
    let (mut left, mut right): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    while at < theirs.len() || our_at < ours.len() {
        let which = match (theirs.get(at), ours.get(our_at)) {
            (Some(one), Some(other)) => order((one, Side::Statement), (other, Side::Ledger), key),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        left.clear();
        right.clear();
        if which.is_le() {
            let rows = run(theirs, at, Side::Statement);
            left.extend(theirs[at..at + rows].iter().map(|it| it.1));
            at += rows;
        }
        if which.is_ge() {
            let rows = run(ours, our_at, Side::Ledger);
            right.extend(ours[our_at..our_at + rows].iter().map(|it| it.1));
            our_at += rows;
        }
        group(&left, &right);
    }
}

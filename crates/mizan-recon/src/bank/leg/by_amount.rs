//! Amount, currency and day: a pair only where each is the other's single candidate.

use std::collections::{BTreeMap, HashMap};

use mizan_core::Currency;

use super::days;
use super::outcome::Outcome;
use crate::sets::Sets;

/// Candidates that are looked at; past this many, all that is left of the currency is ambiguous.
const MOST_CANDIDATES: usize = 1_000_000;

pub(super) fn run(out: &mut Outcome<'_>) {
    let mut of: BTreeMap<Currency, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for it in out.open_batches() {
        of.entry(out.batches[it].currency).or_default().0.push(it);
    }
    for it in out.open_lines() {
        of.entry(out.lines[it].currency).or_default().1.push(it);
    }
    for (batches, mut lines) in of.into_values() {
        lines.sort_by_key(|it| out.lines[*it].amount_minor);
        currency(out, &batches, &lines);
    }
}

fn currency(out: &mut Outcome<'_>, batches: &[usize], lines: &[usize]) {
    let tolerance = i128::from(out.leg.tolerance_minor);
    let window = i64::from(out.leg.window_days);
    let amount = |line: usize| i128::from(out.lines[line].amount_minor);
    let mut sets = Sets::new(batches.len() + lines.len());
    let mut linked = vec![false; batches.len() + lines.len()];
    let mut seen = 0;
    for (place, it) in batches.iter().enumerate() {
        let batch = &out.batches[*it];
        let net = batch.net_minor();
        let from = lines.partition_point(|line| amount(*line) < net - tolerance);
        let until = lines.partition_point(|line| amount(*line) <= net + tolerance);
        seen += until - from;
        if seen > MOST_CANDIDATES {
            out.ambiguous(batches, lines, "by amount, too many candidates");
            return;
        }
        for at in from..until {
            if (0..=window).contains(&days(batch, out.lines[lines[at]].booked_on)) {
                sets.join(place, batches.len() + at);
                linked[place] = true;
                linked[batches.len() + at] = true;
            }
        }
    }
    let mut groups: HashMap<usize, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for place in (0..linked.len()).filter(|it| linked[*it]) {
        let group = groups.entry(sets.root(place)).or_default();
        match place.checked_sub(batches.len()) {
            None => group.0.push(batches[place]),
            Some(at) => group.1.push(lines[at]),
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort();
    for (batches, lines) in groups {
        if let ([_], [_]) = (batches.as_slice(), lines.as_slice()) {
            out.settle(&batches, &lines, "by amount");
        } else {
            out.ambiguous(&batches, &lines, "by amount");
        }
    }
}

//! The second leg: reference and kind, for pairs of which at least one row has no event id.
//!
//! Two rows with different event ids are different events, whatever else they share. A reference may occur
//! several times (partial refunds), so a group is settled in steps: rows that repeat each other are duplicates;
//! rows that agree in currency, status and amount with exactly one row of the other side are its partner; one
//! row left on each side are partners that disagree; and everything else that has candidates is ambiguous.

use std::collections::BTreeMap;

use crate::compare::Rows;
use crate::engine::Side;
use crate::finding::Leg;
use crate::line::Line;
use crate::native::Tables;
use crate::native::join::{Key, outer_join};
use crate::native::tally::{Tally, owns};

/// Takes the lone rows out of the tally, joins them, and reports what is left as missing.
pub(super) fn run(tables: &Tables<'_>, tally: &mut Tally) {
    let statement = std::mem::take(&mut tally.lone_statement);
    let ledger = std::mem::take(&mut tally.lone_ledger);
    let (statement, keyless) = with_reference(tables.statement, statement);
    alone(tables, tally, Side::Statement, keyless);
    let (ledger, keyless) = with_reference(tables.ledger, ledger);
    alone(tables, tally, Side::Ledger, keyless);
    let joined = outer_join(
        tables,
        (statement, ledger),
        reference_and_kind,
        |tally, theirs, ours| {
            settle(tables, tally, theirs, ours);
        },
    );
    *tally = std::mem::take(tally).merge(joined);
}

fn reference_and_kind(line: &Line) -> Key<'_> {
    (line.reference().unwrap_or_default(), Some(line.kind))
}

fn with_reference(lines: &[Line], rows: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
    rows.into_iter()
        .partition(|row| lines[*row as usize].reference().is_some())
}

/// Rows that only their event id, or nothing at all, could have matched.
fn alone(tables: &Tables<'_>, tally: &mut Tally, side: Side, rows: Vec<u32>) {
    let lines = tables.lines(side);
    let (with_id, without): (Vec<u32>, Vec<u32>) = rows
        .into_iter()
        .partition(|row| lines[*row as usize].event_id().is_some());
    for row in with_id {
        tally.missing(tables.judge, Leg::EventId, side, &lines[row as usize]);
    }
    for row in distinct(tables, tally, Leg::Keyless, side, &without) {
        tally.missing(tables.judge, Leg::Keyless, side, &lines[row as usize]);
    }
}

/// All rows of one reference and kind.
fn settle(tables: &Tables<'_>, tally: &mut Tally, theirs: &[u32], ours: &[u32]) {
    let theirs = distinct(tables, tally, Leg::Reference, Side::Statement, theirs);
    let ours = distinct(tables, tally, Leg::Reference, Side::Ledger, ours);
    let mut alike: BTreeMap<_, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
    for (side, rows) in [(Side::Statement, theirs), (Side::Ledger, ours)] {
        for row in rows {
            let line = &tables.lines(side)[row as usize];
            let both = alike
                .entry((line.currency, line.status, line.amount_minor))
                .or_default();
            match side {
                Side::Statement => both.0.push(row),
                Side::Ledger => both.1.push(row),
            }
        }
    }
    let (mut their_rest, mut our_rest) = (Vec::new(), Vec::new());
    for (theirs, ours) in alike.into_values() {
        if !partners(tables, tally, &theirs, &ours) {
            their_rest.extend(theirs);
            our_rest.extend(ours);
        }
    }
    if !partners(tables, tally, &their_rest, &our_rest) {
        for (side, rows) in [(Side::Statement, their_rest), (Side::Ledger, our_rest)] {
            for row in rows {
                let line = &tables.lines(side)[row as usize];
                let leg = if line.event_id().is_some() {
                    Leg::EventId
                } else {
                    Leg::Reference
                };
                tally.missing(tables.judge, leg, side, line);
            }
        }
    }
}

/// Settles rows that could be each other's partners: one pair, or ambiguous. False: they could not.
fn partners(tables: &Tables<'_>, tally: &mut Tally, theirs: &[u32], ours: &[u32]) -> bool {
    let pick = |side: Side, rows: &[u32]| -> Vec<_> {
        let lines = tables.lines(side);
        rows.iter().map(|it| &lines[*it as usize]).collect::<Vec<&Line>>()
    };
    let (statement, ledger) = (pick(Side::Statement, theirs), pick(Side::Ledger, ours));
    let no_id = |rows: &[&Line]| rows.iter().any(|it| it.event_id().is_none());
    if statement.is_empty() || ledger.is_empty() || !(no_id(&statement) || no_id(&ledger)) {
        return false;
    }
    if let ([theirs], [ours]) = (theirs, ours) {
        tally.pair(tables, Leg::Reference, (*theirs, *ours));
    } else if owns(tables.judge, Side::Statement, statement[0]) {
        let rows = Rows {
            statement: &statement,
            ledger: &ledger,
        };
        tally.findings.push(tables.judge.ambiguous(rows));
    } else {
        tally.outside(Side::Statement, statement.len() as u64);
        tally.outside(Side::Ledger, ledger.len() as u64);
    }
    true
}

/// One of each row that has no event id and is repeated word for word; the repetition is a finding. The rows
/// come back in the order of what they say.
fn distinct(tables: &Tables<'_>, tally: &mut Tally, leg: Leg, side: Side, rows: &[u32]) -> Vec<u32> {
    let lines = tables.lines(side);
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| {
        let (a, b) = (&lines[*a as usize], &lines[*b as usize]);
        a.content().cmp(&b.content()).then(a.row_no.cmp(&b.row_no))
    });
    let repeated = |a: &u32, b: &u32| {
        let (a, b) = (&lines[*a as usize], &lines[*b as usize]);
        a.event_id().is_none() && a.repeats(b)
    };
    let mut kept = Vec::with_capacity(rows.len());
    for run in rows.chunk_by(repeated) {
        kept.push(run[0]);
        if run.len() > 1 {
            let said: Vec<&Line> = run.iter().map(|it| &lines[*it as usize]).collect();
            tally.duplicate(tables.judge, leg, side, &said);
        }
    }
    kept
}

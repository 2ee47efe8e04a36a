//! The exact leg: duplicates per side first, then one row of each side per event id.

use crate::engine::Side;
use crate::finding::Leg;
use crate::line::Line;
use crate::native::Tables;
use crate::native::join::{Key, outer_join};
use crate::native::tally::Tally;

/// Joins all rows that have an event id; the others, and those without a partner, are left as lone rows.
pub(super) fn run(tables: &Tables<'_>) -> Tally {
    let (statement, no_statement) = with_id(tables.statement);
    let (ledger, no_ledger) = with_id(tables.ledger);
    let mut tally = outer_join(tables, (statement, ledger), event_id, |tally, theirs, ours| {
        let statement = first(tables, Side::Statement, theirs, tally);
        let ledger = first(tables, Side::Ledger, ours, tally);
        match (statement, ledger) {
            (Some(statement), Some(ledger)) => tally.pair(tables, Leg::EventId, (statement, ledger)),
            (Some(statement), None) => tally.lone_statement.push(statement),
            (None, Some(ledger)) => tally.lone_ledger.push(ledger),
            (None, None) => {}
        }
    });
    tally.lone_statement.extend(no_statement);
    tally.lone_ledger.extend(no_ledger);
    tally
}

fn event_id(line: &Line) -> Key<'_> {
    (line.event_id().unwrap_or_default(), None)
}

fn with_id(lines: &[Line]) -> (Vec<u32>, Vec<u32>) {
    let rows = (0..).zip(lines);
    let (with, without): (Vec<_>, Vec<_>) = rows.partition(|(_, line)| line.event_id().is_some());
    let places = |rows: Vec<(u32, &Line)>| rows.into_iter().map(|it| it.0).collect();
    (places(with), places(without))
}

/// The row that stands for its key. Which one it is depends on what the rows say, not on where they stand.
fn first(tables: &Tables<'_>, side: Side, rows: &[u32], tally: &mut Tally) -> Option<u32> {
    if let [] | [_] = rows {
        return rows.first().copied();
    }
    let lines = tables.lines(side);
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| {
        let (a, b) = (&lines[*a as usize], &lines[*b as usize]);
        a.content().cmp(&b.content()).then(a.row_no.cmp(&b.row_no))
    });
    let said: Vec<&Line> = rows.iter().map(|it| &lines[*it as usize]).collect();
    tally.duplicate(tables.judge, Leg::EventId, side, &said);
    Some(rows[0])
}

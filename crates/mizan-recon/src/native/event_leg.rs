//! The exact leg: duplicates per side first, then one row of each side per event id.

use super::Plan;
use super::groups::Damaged;
use super::shelf::Writer;
use super::tally::Tally;
use crate::engine::Side;
use crate::finding::Leg;
use crate::line::Line;
use crate::packed::Packed;

/// Settles all rows of one event id. A row without a partner goes on to the leg of its reference, if it has one.
pub(super) fn settle(
    plan: &Plan<'_>,
    tally: &mut Tally<'_>,
    lone: &mut [Writer<'_>; 2],
    theirs: &[Packed<'_>],
    ours: &[Packed<'_>],
) -> Result<(), Damaged> {
    if let ([theirs], [ours]) = (theirs, ours)
        && theirs.agrees(ours)
        && plan.judge.rules.owns_statement_at(theirs.micros)
    {
        tally.matched(Leg::EventId, theirs.row_no, ours.row_no);
        return Ok(());
    }
    let statement = first(tally, Side::Statement, theirs)?;
    let ledger = first(tally, Side::Ledger, ours)?;
    let mut alone = |side: Side, (row, line): &(Packed<'_>, Line)| {
        if line.reference().is_some() {
            lone[side as usize].push_raw(plan.place_of_reference(row.reference()), row.raw);
        } else {
            tally.missing(Leg::EventId, side, line);
        }
    };
    match (&statement, &ledger) {
        (Some((_, statement)), Some((_, ledger))) => tally.pair(Leg::EventId, statement, ledger),
        (Some(statement), None) => alone(Side::Statement, statement),
        (None, Some(ledger)) => alone(Side::Ledger, ledger),
        (None, None) => {}
    }
    Ok(())
}

/// The row that stands for its key. Which one it is depends on what the rows say, not on where they stand.
fn first<'a>(
    tally: &mut Tally<'_>,
    side: Side,
    rows: &[Packed<'a>],
) -> Result<Option<(Packed<'a>, Line)>, Damaged> {
    let read = |row: &Packed<'a>| Ok((*row, row.line().ok_or(Damaged)?));
    let mut rows: Vec<(Packed<'a>, Line)> = rows.iter().map(read).collect::<Result<_, _>>()?;
    if rows.len() > 1 {
        rows.sort_by(|(_, a), (_, b)| a.content().cmp(&b.content()).then(a.row_no.cmp(&b.row_no)));
        let said: Vec<&Line> = rows.iter().map(|it| &it.1).collect();
        tally.duplicate(Leg::EventId, side, &said);
    }
    Ok(rows.into_iter().next())
}

//! The second leg: reference and kind, for pairs of which at least one row has no event id.
//!
//! Two rows with different event ids are different events, whatever else they share. A reference may occur
//! several times (partial refunds), so a group is settled in steps: rows that repeat each other are duplicates;
//! rows that agree in currency, status and amount with exactly one row of the other side are its partner; one
//! row left on each side are partners that disagree; and everything else that has candidates is ambiguous.

use std::collections::BTreeMap;

use super::Plan;
use super::groups::Damaged;
use super::tally::Tally;
use crate::compare::Rows;
use crate::engine::Side;
use crate::finding::Leg;
use crate::line::Line;
use crate::packed::Packed;

/// Settles all rows of one reference and kind, or all that have no key at all.
pub(super) fn settle(
    plan: &Plan<'_>,
    tally: &mut Tally<'_>,
    theirs: &[Packed<'_>],
    ours: &[Packed<'_>],
) -> Result<(), Damaged> {
    if let ([theirs], [ours]) = (theirs, ours)
        && !theirs.reference().is_empty()
        && (theirs.event_id().is_empty() || ours.event_id().is_empty())
        && theirs.agrees(ours)
        && plan.judge.rules.owns_statement_at(theirs.micros)
    {
        tally.matched(Leg::Reference, theirs.row_no, ours.row_no);
        return Ok(());
    }
    let lines = |rows: &[Packed<'_>]| {
        let lines = rows.iter().map(Packed::line);
        lines.collect::<Option<Vec<Line>>>().ok_or(Damaged)
    };
    let (theirs, ours) = (lines(theirs)?, lines(ours)?);
    let keyless = theirs.iter().chain(&ours).any(|it| it.reference().is_none());
    if keyless {
        alone(tally, Side::Statement, &theirs);
        alone(tally, Side::Ledger, &ours);
    } else {
        by_reference(tally, &theirs, &ours);
    }
    Ok(())
}

/// Rows that nothing could have matched.
fn alone(tally: &mut Tally<'_>, side: Side, rows: &[Line]) {
    for line in distinct(tally, Leg::Keyless, side, rows) {
        tally.missing(Leg::Keyless, side, line);
    }
}

fn by_reference(tally: &mut Tally<'_>, theirs: &[Line], ours: &[Line]) {
    let theirs = distinct(tally, Leg::Reference, Side::Statement, theirs);
    let ours = distinct(tally, Leg::Reference, Side::Ledger, ours);
    let mut alike: BTreeMap<_, (Vec<&Line>, Vec<&Line>)> = BTreeMap::new();
    for (side, rows) in [(Side::Statement, theirs), (Side::Ledger, ours)] {
        for line in rows {
            let both = alike
                .entry((line.currency, line.status, line.amount_minor))
                .or_default();
            match side {
                Side::Statement => both.0.push(line),
                Side::Ledger => both.1.push(line),
            }
        }
    }
    let (mut their_rest, mut our_rest) = (Vec::new(), Vec::new());
    for (theirs, ours) in alike.into_values() {
        if !partners(tally, &theirs, &ours) {
            their_rest.extend(theirs);
            our_rest.extend(ours);
        }
    }
    if !partners(tally, &their_rest, &our_rest) {
        for (side, rows) in [(Side::Statement, their_rest), (Side::Ledger, our_rest)] {
            for line in rows {
                let leg = if line.event_id().is_some() {
                    Leg::EventId
                } else {
                    Leg::Reference
                };
                tally.missing(leg, side, line);
            }
        }
    }
}

/// Settles rows that could be each other's partners: one pair, or ambiguous. False: they could not.
fn partners(tally: &mut Tally<'_>, statement: &[&Line], ledger: &[&Line]) -> bool {
    let no_id = |rows: &[&Line]| rows.iter().any(|it| it.event_id().is_none());
    if statement.is_empty() || ledger.is_empty() || !(no_id(statement) || no_id(ledger)) {
        return false;
    }
    if let ([theirs], [ours]) = (statement, ledger) {
        tally.pair(Leg::Reference, theirs, ours);
    } else if tally.owns(Side::Statement, statement[0]) {
        let finding = tally.judge.ambiguous(Rows { statement, ledger });
        tally.findings.push(finding);
    } else {
        tally.outside(Side::Statement, statement.len() as u64);
        tally.outside(Side::Ledger, ledger.len() as u64);
    }
    true
}

/// One of each row that has no event id and is repeated word for word; the repetition is a finding. The rows
/// come back in the order of what they say.
fn distinct<'l>(tally: &mut Tally<'_>, leg: Leg, side: Side, rows: &'l [Line]) -> Vec<&'l Line> {
    let mut rows: Vec<&Line> = rows.iter().collect();
    rows.sort_by(|a, b| a.content().cmp(&b.content()).then(a.row_no.cmp(&b.row_no)));
    let repeated = |a: &&Line, b: &&Line| a.event_id().is_none() && a.repeats(b);
    let mut kept = Vec::with_capacity(rows.len());
    for run in rows.chunk_by(repeated) {
        kept.push(run[0]);
        if run.len() > 1 {
            tally.duplicate(leg, side, run);
        }
    }
    kept
}

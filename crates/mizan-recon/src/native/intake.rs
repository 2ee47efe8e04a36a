//! Reads a side on all threads: they take turns at its shares, and put every row where its key belongs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use mizan_core::Currency;

use super::shelf::Writer;
use super::{Plan, on_all_threads};
use crate::engine::{MatchError, Progress, Side, Sum};
use crate::line::LineFields;
use crate::rules::Rules;
use crate::statement::{LineSource, Quarantined, Rows, StatementError};

/// What was seen of one side on the way in.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub rows: u64,
    pub sums: BTreeMap<Currency, Sum>,
    pub quarantined: Vec<Quarantined>,
}

impl Seen {
    fn merge(mut self, other: Self) -> Self {
        self.rows += other.rows;
        for (currency, sum) in other.sums {
            self.sums.entry(currency).or_default().merge(sum);
        }
        self.quarantined.extend(other.quarantined);
        self
    }
}

/// Reads a side to its end.
pub(super) fn read(plan: &Plan<'_>, source: &mut dyn LineSource, side: Side) -> Result<Seen, MatchError> {
    let failed = |source: StatementError| MatchError::Read { side, source };
    let (source, rows) = (Mutex::new((source, false)), AtomicU64::new(0));
    let next = || -> Result<_, MatchError> {
        let mut turn = source.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.1 {
            return Ok(None);
        }
        let share = turn.0.next_share().map_err(failed);
        // After the end, and after an error, nobody asks again.
        turn.1 = !matches!(share, Ok(Some(_)));
        share
    };
    let seen = on_all_threads(plan.threads, || {
        let mut intake = Intake {
            plan,
            writer: Writer::new(&plan.shelf, side),
            rules: plan.judge.rules,
            last: (Currency::TRY, Sum::default()),
            seen: Seen::default(),
        };
        while let Some(share) = next()? {
            plan.watch.check()?;
            let before = intake.seen.rows;
            share(&mut intake).map_err(failed)?;
            intake.writer.check()?;
            let more = intake.seen.rows - before;
            let rows = rows.fetch_add(more, Ordering::Relaxed) + more;
            plan.watch.tell(Progress::Read { side, rows });
        }
        intake.finish()
    })?;
    let mut seen = seen.into_iter().fold(Seen::default(), Seen::merge);
    seen.quarantined.sort_by_key(|it| it.line_no);
    Ok(seen)
}

/// One thread's part.
struct Intake<'p> {
    plan: &'p Plan<'p>,
    writer: Writer<'p>,
    rules: &'p Rules,
    /// The sum of the currency of the last row: most rows have that one too.
    last: (Currency, Sum),
    seen: Seen,
}

impl Intake<'_> {
    fn put_sum_aside(&mut self) {
        let sum = std::mem::take(&mut self.last.1);
        if sum.rows > 0 {
            self.seen.sums.entry(self.last.0).or_default().merge(sum);
        }
    }

    fn finish(mut self) -> Result<Seen, MatchError> {
        self.put_sum_aside();
        self.writer.finish()?;
        Ok(self.seen)
    }
}

impl Rows for Intake<'_> {
    #[inline]
    fn line(&mut self, fields: &LineFields<'_>) {
        self.seen.rows += 1;
        if fields.status.moved_money() && self.rules.owns_statement(fields.occurred_at) {
            if self.last.0 != fields.currency {
                self.put_sum_aside();
                self.last.0 = fields.currency;
            }
            self.last.1.add(fields);
        }
        let place = self.plan.place_of(fields);
        self.writer.push(place, fields);
    }

    fn quarantined(&mut self, row: Quarantined) {
        self.seen.quarantined.push(row);
    }
}

//! The engine that needs nothing but this process: both sides are cut into partitions by the hash of their
//! keys, and the partitions are joined on all cores.
//!
//! Plan: every row goes to the partition of its event id, or of its reference where it has none. A partition of
//! event ids is joined alone; what stays alone there and has a reference goes on to the partition of that, and
//! these are joined next. What is left then is missing. A row is used once. Partitions share nothing, so what
//! does not fit into memory waits on disk and is read back one by one.

mod event_leg;
mod groups;
mod intake;
mod reference_leg;
mod shelf;
mod spill;
mod tally;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use xxhash_rust::xxh3::xxh3_128;

use crate::compare::Judge;
use crate::digest::digest;
use crate::engine::{Job, MatchEngine, MatchError, Progress, Report, Side, Summary, Watch};
use crate::line::LineFields;
use crate::packed::Packed;
use crate::statement::StatementError;
use groups::{Damaged, Groups, Key};
use intake::Seen;
use shelf::{Shelf, Writer};
use spill::Spill;
use tally::Tally;

/// Partitions of each key: so many that one of some million rows still stays in the cache of a core.
const PARTITIONS: usize = 1024;
const MOST_PARTITIONS: usize = 4096;
/// Pairs are written when so many bytes of them have come together.
const PAIRS: usize = 64 * 1024;

/// What the engine may use of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes for rows in memory; beyond that they wait on disk.
    pub memory: usize,
    /// None: as many as there are cores.
    pub threads: Option<NonZeroUsize>,
    pub spill_dir: PathBuf,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            threads: None,
            spill_dir: std::env::temp_dir(),
        }
    }
}

/// Joins in this process, on its own threads.
#[derive(Debug, Clone)]
pub struct NativeEngine {
    limits: Limits,
    partitions: usize,
    hash: fn(&[u8]) -> u128,
}

impl Default for NativeEngine {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl NativeEngine {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            partitions: PARTITIONS,
            hash: xxh3_128,
        }
    }

    /// Cuts into about this many partitions. The result is the same.
    #[must_use]
    pub fn with_partitions(mut self, partitions: usize) -> Self {
        self.partitions = partitions.clamp(1, MOST_PARTITIONS);
        self
    }

    /// A hash under which different keys meet, to show that they are told apart all the same.
    #[cfg(test)]
    fn with_hash(mut self, hash: fn(&[u8]) -> u128) -> Self {
        self.hash = hash;
        self
    }

    fn plan<'a>(&self, judge: Judge<'a>, watch: Watch<'a>) -> Plan<'a> {
        let machine = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = self.limits.threads.map_or_else(machine, NonZeroUsize::get);
        let spill = Spill::new(self.limits.spill_dir.clone());
        // What is being read, compared and found, and what the allocator keeps, is not on the shelf.
        let rows = self.limits.memory / 4 * 3;
        Plan {
            judge,
            watch,
            threads,
            partitions: self.partitions,
            hash: self.hash,
            shelf: Shelf::new(2 * self.partitions, rows, spill),
        }
    }
}

/// What all threads of a run share.
struct Plan<'a> {
    judge: Judge<'a>,
    watch: Watch<'a>,
    threads: usize,
    /// Of each key: those of event ids come first on the shelf, those of references after them.
    partitions: usize,
    hash: fn(&[u8]) -> u128,
    shelf: Shelf,
}

impl Plan<'_> {
    #[inline]
    fn place_of(&self, fields: &LineFields<'_>) -> usize {
        match fields.event_id {
            Some(id) if !id.is_empty() => self.place(id.as_bytes()),
            _ => self.place_of_reference(fields.reference.unwrap_or_default().as_bytes()),
        }
    }

    fn place_of_reference(&self, reference: &[u8]) -> usize {
        self.partitions + self.place(reference)
    }

    #[inline]
    fn place(&self, key: &[u8]) -> usize {
        // The upper half of the hash; the table of a partition uses the lower.
        (((self.hash)(key) >> 96) as usize * self.partitions) >> 32
    }
}

/// Runs `work` on so many threads; the first error is the result.
fn on_all_threads<T: Send>(
    threads: usize,
    work: impl Fn() -> Result<T, MatchError> + Sync,
) -> Result<Vec<T>, MatchError> {
    if threads <= 1 {
        return Ok(vec![work()?]);
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let ended = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended
            .map(|it| it.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Whoever wants the pairs.
type Pairs<'a> = Option<Mutex<&'a mut (dyn std::io::Write + Send)>>;

/// Joins the partitions of one key on all threads.
fn join<'a>(plan: &'a Plan<'a>, key: Key, pairs: &Pairs<'_>) -> Result<Tally<'a>, MatchError> {
    let next = AtomicUsize::new(0);
    let first = if key == Key::EventId { 0 } else { plan.partitions };
    let tallies = on_all_threads(plan.threads, || {
        let mut tally = Tally::new(plan.judge, pairs.is_some());
        let mut lone = [Side::Statement, Side::Ledger].map(|it| Writer::new(&plan.shelf, it));
        let mut groups = Groups::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.partitions {
                break;
            }
            plan.watch.check()?;
            let loaded = plan.shelf.take(first + number)?;
            groups
                .each(
                    &loaded,
                    key,
                    plan.hash,
                    |theirs: &[Packed<'_>], ours: &[Packed<'_>]| match key {
                        Key::EventId => event_leg::settle(plan, &mut tally, &mut lone, theirs, ours),
                        Key::ReferenceAndKind => reference_leg::settle(plan, &mut tally, theirs, ours),
                    },
                )
                .map_err(|Damaged| MatchError::Read {
                    side: Side::Statement,
                    source: StatementError::Damaged,
                })?;
            write_pairs(&mut tally, pairs, PAIRS)?;
            let done = (first + number + 1) as u64;
            let all = 2 * plan.partitions as u64;
            plan.watch.tell(Progress::Compared { done, all });
        }
        write_pairs(&mut tally, pairs, 0)?;
        for writer in lone {
            writer.finish()?;
        }
        Ok(tally)
    })?;
    let none = Tally::new(plan.judge, false);
    Ok(tallies.into_iter().fold(none, Tally::merge))
}

fn write_pairs(tally: &mut Tally<'_>, pairs: &Pairs<'_>, at_least: usize) -> Result<(), MatchError> {
    let (Some(text), Some(to)) = (&mut tally.pairs, pairs) else {
        return Ok(());
    };
    if text.len() > at_least {
        let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(text.as_bytes())
            .map_err(|source| MatchError::Pairs { source })?;
        text.clear();
    }
    Ok(())
}

impl MatchEngine for NativeEngine {
    fn name(&self) -> &'static str {
        "native"
    }

    fn run(&self, job: Job<'_>) -> Result<Report, MatchError> {
        let (statement_name, ledger_name) = (job.statement.name().to_owned(), job.ledger.name().to_owned());
        let judge = Judge {
            rules: job.rules,
            statement_name: &statement_name,
            ledger_name: &ledger_name,
        };
        let plan = self.plan(judge, job.watch);
        let theirs = intake::read(&plan, job.statement, Side::Statement)?;
        let ours = intake::read(&plan, job.ledger, Side::Ledger)?;
        let pairs: Pairs<'_> = job.pairs.map(Mutex::new);
        let by_event = join(&plan, Key::EventId, &pairs)?;
        let tally = by_event.merge(join(&plan, Key::ReferenceAndKind, &pairs)?);
        let mut report = report(theirs, ours, tally);
        report.spilled_bytes = plan.shelf.spilled();
        report.statement_ignored_columns = job.statement.ignored_columns().to_vec();
        report.ledger_ignored_columns = job.ledger.ignored_columns().to_vec();
        Ok(report)
    }
}

fn report(theirs: Seen, ours: Seen, tally: Tally<'_>) -> Report {
    let (mut findings, mut neighbours) = (tally.findings, tally.neighbours);
    for all in [&mut findings, &mut neighbours] {
        all.sort_unstable_by(|a, b| (&a.event_id, a.finding_type).cmp(&(&b.event_id, b.finding_type)));
    }
    let mut summary = Summary {
        statement_rows: theirs.rows,
        ledger_rows: ours.rows,
        statement_quarantined: theirs.quarantined.len() as u64,
        ledger_quarantined: ours.quarantined.len() as u64,
        statement_outside_window: tally.outside[0],
        ledger_outside_window: tally.outside[1],
        matched: tally.matched,
        disagreeing: tally.disagreeing,
        ..Summary::default()
    };
    for finding in &findings {
        *summary.findings_by_type.entry(finding.finding_type).or_default() += 1;
    }
    for (side, sums) in [(Side::Statement, theirs.sums), (Side::Ledger, ours.sums)] {
        let sums = sums.into_iter().map(|(currency, sum)| ((side, currency), sum));
        summary.sums.extend(sums);
    }
    summary.digest = digest(&summary, &findings);
    Report {
        summary,
        findings,
        neighbours,
        statement_quarantine: theirs.quarantined,
        ledger_quarantine: ours.quarantined,
        ..Report::default()
    }
}

#[cfg(test)]
mod tests;

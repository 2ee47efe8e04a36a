//! What every matching engine has to do. A new engine is added to [`engines`] and has to pass all of it.

mod oracle;
mod planted;

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta};
use mizan_core::Currency;
use mizan_recon::{
    Batches, Job, Limits, Line, LineFields, LineKind, LineSource, LineStatus, Lines, MatchEngine, MatchError,
    NativeEngine, Progress, Report, Row, Rules, Side, StatementError, Watch, match_lines,
};
use proptest::prelude::*;

/// Every engine, and each in the ways it can be set up that must not show in a result.
pub(crate) fn engines() -> Vec<(&'static str, Box<dyn MatchEngine>)> {
    let native = |threads, memory| {
        NativeEngine::new(Limits {
            threads: NonZeroUsize::new(threads),
            memory,
            ..Limits::default()
        })
    };
    vec![
        ("native", Box::new(NativeEngine::default())),
        ("native, one thread", Box::new(native(1, 1 << 30))),
        (
            "native, everything on disk",
            Box::new(native(3, 0).with_partitions(7)),
        ),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let text = |letter: char| prop::option::of((0..5_u8).prop_map(move |it| format!("{letter}{it}")));
    let small = (
        0..3_usize,
        1..4_i64,
        prop::option::of(0..2_i64),
        0..2_usize,
        0..2_usize,
        0..3_i64,
    );
    (text('e'), text('r'), small).prop_map(
        |(event_id, reference, (kind, amount, fee, currency, status, at))| {
            Line::new(LineFields {
                row_no: 0,
                event_id: event_id.as_deref(),
                reference: reference.as_deref(),
                kind: LineKind::ALL[kind],
                amount_minor: amount,
                fee_minor: fee,
                currency: [Currency::TRY, Currency::EUR][currency],
                status: LineStatus::ALL[status * 2],
                occurred_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(at),
                payout_id: None,
                transaction_id: None,
            })
        },
    )
}

fn side() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(line(), 0..25).prop_map(numbered)
}

fn numbered(mut lines: Vec<Line>) -> Vec<Line> {
    for (row_no, line) in (1..).zip(&mut lines) {
        line.row_no = row_no;
    }
    lines
}

fn run(engine: &dyn MatchEngine, statement: &[Line], ledger: &[Line]) -> Report {
    match_lines(
        "psp.csv",
        statement.to_vec(),
        ledger.to_vec(),
        &Rules::default(),
        engine,
    )
    .unwrap()
}

proptest! {
    #[test]
    fn an_engine_finds_what_the_oracle_finds(statement in side(), ledger in side()) {
        let expected = oracle::run(&statement, &ledger);
        for (name, engine) in engines() {
            let seen = oracle::seen(&run(&*engine, &statement, &ledger));
            prop_assert_eq!(&seen, &expected, "{}", name);
        }
    }

    #[test]
    fn the_digest_depends_on_neither_the_engine_nor_the_order_of_rows(
        (statement, shuffled) in side().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        ledger in side(),
    ) {
        let digest = run(&NativeEngine::default(), &statement, &ledger).summary.digest;
        for (name, engine) in engines() {
            let again = run(&*engine, &numbered(shuffled.clone()), &ledger);
            prop_assert_eq!(&again.summary.digest, &digest, "{}", name);
        }
    }
}

fn row(no: u64) -> Line {
    let id = format!("e{no}");
    Line::new(LineFields {
        row_no: no,
        event_id: Some(&id),
        reference: None,
        kind: LineKind::Deposit,
        amount_minor: 100,
        fee_minor: None,
        currency: Currency::TRY,
        status: LineStatus::Settled,
        occurred_at: DateTime::UNIX_EPOCH,
        payout_id: None,
        transaction_id: None,
    })
}

#[test]
fn a_cancelled_run_ends_without_a_result() {
    for (name, engine) in engines() {
        let cancelled = AtomicBool::new(false);
        // Somebody cancels in the middle of the statement.
        let cancel_at = |it: &Line| {
            cancelled.fetch_or(it.row_no == 50_000, Ordering::Relaxed);
        };
        let rows = (1..100_000).map(row).inspect(cancel_at);
        let mut statement = Lines::new("psp.csv", rows);
        let mut ledger = Lines::new("ledger", (1..10).map(row));
        let rules = Rules::default();
        let job = Job {
            watch: Watch {
                progress: None,
                cancelled: Some(&cancelled),
            },
            ..Job::new(&mut statement, &mut ledger, &rules)
        };
        assert!(matches!(engine.run(job), Err(MatchError::Cancelled)), "{name}");
    }
}

/// Gives some rows and then fails, as a file on a disk that goes away does.
struct Failing(u64);

impl LineSource for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        self.0 += 1;
        if self.0 < 10_000 {
            return Ok(Some(Row::Line(row(self.0))));
        }
        let source = io::Error::other("the disk went away");
        Err(StatementError::Io {
            line_no: self.0,
            source,
        })
    }
}

#[test]
fn a_side_that_breaks_off_is_an_error_and_never_the_end_of_the_side() {
    for (name, engine) in engines() {
        let error = engine
            .run(Job::new(
                &mut Lines::new("a", (1..10).map(row)),
                &mut Failing(0),
                &Rules::default(),
            ))
            .unwrap_err();
        let of_ledger = matches!(
            error,
            MatchError::Read {
                side: Side::Ledger,
                ..
            }
        );
        assert!(of_ledger, "{name}: {error}");
    }
    let stopped = || {
        let source = "no more".into();
        Err(StatementError::BrokenOff { source })
    };
    let rules = Rules::default();
    for (name, engine) in engines() {
        let mut batches = Batches::new("ledger", stopped);
        let mut failing = Failing(0);
        let job = Job::new(&mut batches, &mut failing, &rules);
        assert!(engine.run(job).is_err(), "{name}");
    }
}

#[test]
fn progress_reaches_the_end_and_every_pair_is_written_once() {
    for (name, engine) in engines() {
        let (rows, compared) = (AtomicU64::new(0), AtomicU64::new(0));
        let progress = |it| match it {
            Progress::Read { rows: seen, .. } => rows.fetch_max(seen, Ordering::Relaxed),
            Progress::Compared { done, .. } => compared.fetch_max(done, Ordering::Relaxed),
        };
        let watch = |it| {
            progress(it);
        };
        let (mut statement, mut ledger) = (
            Lines::new("a", (1..=9_000).map(row)),
            Lines::new("b", (1..=8_000).map(row)),
        );
        let (rules, mut pairs) = (Rules::default(), Vec::new());
        let job = Job {
            watch: Watch {
                progress: Some(&watch),
                cancelled: None,
            },
            pairs: Some(&mut pairs),
            ..Job::new(&mut statement, &mut ledger, &rules)
        };
        let report = engine.run(job).unwrap();
        assert_eq!(
            (rows.into_inner(), report.summary.matched),
            (9_000, 8_000),
            "{name}"
        );
        assert!(compared.into_inner() > 0, "{name}");
        let mut pairs: Vec<String> = String::from_utf8(pairs)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        let mut expected: Vec<String> = (1..=8_000).map(|it| format!("{it},{it},event_id")).collect();
        pairs.sort();
        expected.sort();
        assert_eq!(pairs, expected, "{name}");
    }
}

#[test]
fn a_spill_directory_that_cannot_be_written_is_named() {
    // Few rows find out at the end; many find out while other threads still read, and nobody waits for ever.
    for (memory, rows) in [(0, 8), (64 << 10, 40_000)] {
        let engine = NativeEngine::new(Limits {
            memory,
            spill_dir: "/nowhere/at/all".into(),
            threads: std::num::NonZeroUsize::new(4),
        });
        let error = match_lines("a", (1..=rows).map(row), [], &Rules::default(), &engine).unwrap_err();
        for part in ["/nowhere/at/all", "RECON_SPILL_DIR", "--memory-limit"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}

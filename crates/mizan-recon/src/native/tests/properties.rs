//! Laws of a run, over rows made to collide: few ids, few references, few amounts.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::minute;
use crate::engine::{Job, MatchEngine, Report, match_lines};
use crate::finding::{Finding, FindingType};
use crate::line::{Line, LineFields, LineKind, LineStatus};
use crate::native::{Limits, NativeEngine};
use crate::rules::Rules;
use crate::statement::Lines;
use chrono::TimeDelta;
use mizan_core::{Currency, TimeWindow};

fn line() -> impl Strategy<Value = Line> {
    let text = |letter: char| prop::option::of((0..6_u8).prop_map(move |it| format!("{letter}{it}")));
    let small = (
        0..2_usize,
        1..4_i64,
        prop::option::of(0..2_i64),
        0..2_usize,
        0..2_usize,
        0..4_i64,
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
                occurred_at: minute(at),
                payout_id: None,
                transaction_id: None,
            })
        },
    )
}

fn side() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(line(), 0..40).prop_map(numbered)
}

fn numbered(mut lines: Vec<Line>) -> Vec<Line> {
    (1..)
        .zip(&mut lines)
        .for_each(|(row_no, line)| line.row_no = row_no);
    lines
}

fn both_orders() -> impl Strategy<Value = (Vec<Line>, Vec<Line>)> {
    side().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle().prop_map(numbered)))
}

fn run(statement: Vec<Line>, ledger: Vec<Line>, rules: &Rules, engine: NativeEngine) -> Report {
    match_lines("psp.csv", statement, ledger, rules, &engine).unwrap()
}

/// A finding without the places of its rows.
fn said(finding: &Finding) -> String {
    let mut finding = finding.clone();
    for line in [&mut finding.statement, &mut finding.ledger]
        .into_iter()
        .flatten()
    {
        line.row_no = 0;
    }
    finding.why.statement_rows.fill(0);
    finding.why.ledger_rows.fill(0);
    format!("{finding:?}")
}

proptest! {
    #[test]
    fn the_result_depends_on_neither_order_nor_partitions_nor_threads_nor_hash(
        (statement, other_statement) in both_orders(),
        (ledger, other_ledger) in both_orders(),
    ) {
        let rules = Rules::default();
        let engine = NativeEngine::default();
        let once = run(statement, ledger, &rules, engine.clone().with_partitions(1));
        let with = |threads, memory| NativeEngine::new(Limits {
            threads: NonZeroUsize::new(threads),
            memory,
            ..Limits::default()
        });
        let engines = [
            engine.clone(),
            with(1, 1 << 20).with_partitions(3),
            with(3, 0).with_partitions(64),
            with(1, 100).with_partitions(1),
            engine.with_hash(|_| 7),
        ];
        for engine in engines {
            {
                let again = run(other_statement.clone(), other_ledger.clone(), &rules, engine);
                prop_assert_eq!(&again.summary, &once.summary);
                prop_assert_eq!(
                    again.findings.iter().map(said).collect::<Vec<_>>(),
                    once.findings.iter().map(said).collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn every_row_is_matched_or_in_a_finding_and_used_once(statement in side(), ledger in side()) {
        let rules = Rules::default();
        let mut matched = Vec::new();
        let report = NativeEngine::default().run(Job {
            pairs: Some(&mut matched),
            ..Job::new(&mut Lines::new("psp.csv", statement.clone()), &mut Lines::new("ledger", ledger.clone()), &rules)
        }).unwrap();
        let (mut theirs, mut ours) = (BTreeMap::new(), BTreeMap::new());
        for pair in std::str::from_utf8(&matched).unwrap().lines() {
            let (row, other) = pair.split_once(',').unwrap();
            let (other, rule) = other.split_once(',').unwrap();
            prop_assert!(["event_id", "reference_and_kind"].contains(&rule));
            *theirs.entry(row.parse::<u64>().unwrap()).or_insert(0) += 1;
            *ours.entry(other.parse::<u64>().unwrap()).or_insert(0) += 1;
        }
        let mut pairs = BTreeSet::new();
        for finding in &report.findings {
            let why = &finding.why;
            // A pair may disagree in several things, and counts once.
            let partner = pairs.insert((why.statement_rows.clone(), why.ledger_rows.clone()));
            let repeated = matches!(finding.finding_type, FindingType::DuplicateInPsp | FindingType::DuplicateInLedger);
            let uses = |rows: &[u64], used: &mut BTreeMap<u64, i32>| {
                for row in rows {
                    *used.entry(*row).or_insert(0) += i32::from(partner && !repeated);
                }
            };
            uses(&why.statement_rows, &mut theirs);
            uses(&why.ledger_rows, &mut ours);
        }
        for (used, lines) in [(theirs, statement), (ours, ledger)] {
            prop_assert_eq!(used.len(), lines.len(), "a row is nowhere");
            prop_assert!(used.values().all(|it| *it <= 1), "a row is used twice: {:?}", used);
        }
    }

    #[test]
    fn a_finding_is_unique_by_event_and_type(statement in side(), ledger in side()) {
        let report = run(statement, ledger, &Rules::default(), NativeEngine::default());
        let mut seen = BTreeSet::new();
        for finding in &report.findings {
            prop_assert!(seen.insert((&finding.event_id, finding.finding_type)), "{:?} twice", finding);
        }
    }

    #[test]
    fn windows_that_follow_each_other_find_together_what_one_run_finds(
        statement in side(), ledger in side(), lag in 0..3_i64,
    ) {
        let all = run(statement.clone(), ledger.clone(), &Rules::default(), NativeEngine::default());
        let mut together = Vec::new();
        let mut matched = 0;
        for start in 0..4 {
            let window = TimeWindow::new(minute(start * 2), minute(start * 2 + 2)).unwrap();
            let rules = Rules::default().with_window(window, TimeDelta::minutes(lag), TimeDelta::minutes(10));
            let report = run(statement.clone(), ledger.clone(), &rules, NativeEngine::default());
            matched += report.summary.matched;
            together.extend(report.findings.iter().map(said));
        }
        let mut one_run: Vec<String> = all.findings.iter().map(said).collect();
        one_run.sort();
        together.sort();
        prop_assert_eq!(together, one_run);
        prop_assert_eq!(matched, all.summary.matched);
    }
}

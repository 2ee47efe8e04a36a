//! Shares of volume, from what runs kept.

use chrono::TimeDelta;
use mizan_core::{RunId, TimeWindow};
use mizan_recon::engine::match_lines;
use mizan_recon::{LineFields, LineKind, LineStatus, NativeEngine, Rules};
use mizan_store::recon_runs::RunStatus;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A run over `hours` of 1 March that ended at `finished`.
fn run(hours: (&str, &str), volume: Minor, matched: Minor, finished: &str) -> DayCovered {
    DayCovered {
        run: RunId::new(),
        provider: "mockpsp".parse().unwrap(),
        window: TimeWindow::new(at(hours.0), at(hours.1)).unwrap(),
        day: "2026-03-01".parse().unwrap(),
        currency: "TRY".parse().unwrap(),
        volume,
        matched,
        finished_at: at(finished),
    }
}

const DAY: (&str, &str) = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
const MORNING: (&str, &str) = ("2026-03-01T00:00:00Z", "2026-03-01T12:00:00Z");
const EVENING: (&str, &str) = ("2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z");

fn check(rows: &[DayCovered], now: &str, expected: [Option<i128>; 3]) {
    let seen = summarise(rows, at(now));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].at.map(Share::basis_points), expected, "{seen:?}");
}

#[test]
fn a_day_counts_with_what_was_matched_in_time() {
    let rows = [
        run(DAY, 1_000, 900, "2026-03-02T06:00:00Z"),
        run(DAY, 1_000, 950, "2026-03-03T06:00:00Z"),
        run(DAY, 1_000, 1_000, "2026-03-05T06:00:00Z"),
    ];
    check(
        &rows,
        "2026-03-09T00:00:00Z",
        [Some(9_000), Some(9_500), Some(10_000)],
    );
    check(&rows, "2026-03-03T12:00:00Z", [Some(9_000), None, None]);
}

#[test]
fn a_day_that_nobody_ran_in_time_is_not_matched_at_all_then() {
    let late = [run(DAY, 1_000, 1_000, "2026-03-04T06:00:00Z")];
    check(&late, "2026-03-09T00:00:00Z", [Some(0), Some(0), Some(10_000)]);
}

#[test]
fn windows_of_a_part_of_a_day_add_up_and_the_latest_of_each_counts() {
    let rows = [
        run(MORNING, 400, 100, "2026-03-01T13:00:00Z"),
        run(EVENING, 600, 600, "2026-03-02T01:00:00Z"),
        run(MORNING, 400, 400, "2026-03-02T02:00:00Z"),
    ];
    check(
        &rows,
        "2026-03-09T00:00:00Z",
        [Some(10_000), Some(10_000), Some(10_000)],
    );
    let whole = [rows[0].clone(), run(DAY, 1_000, 999, "2026-03-02T03:00:00Z")];
    check(
        &whole,
        "2026-03-09T00:00:00Z",
        [Some(9_990), Some(9_990), Some(9_990)],
    );
}

#[test]
fn a_share_is_rounded_down() {
    let share = Share {
        matched: 999_999,
        volume: 1_000_000,
    };
    assert_eq!(share.basis_points(), Some(9_999));
    assert_eq!(Share::default().basis_points(), None);
}

/// What runs over two days made of a row that only the ledger has, late on the first day.
#[test]
fn within_the_settlement_lag_a_row_is_not_matched_and_counts_in_its_own_window_only() {
    let late = at("2026-03-01T23:00:00Z");
    let ledger = || {
        [Line::new(LineFields {
            row_no: 1,
            event_id: Some("e1"),
            reference: None,
            kind: LineKind::Deposit,
            amount_minor: 100,
            fee_minor: None,
            currency: "TRY".parse().unwrap(),
            status: LineStatus::Settled,
            occurred_at: late,
            payout_id: None,
            transaction_id: None,
        })]
    };
    let over = |start: &str, end: &str, volume: &[DayVolume]| {
        let window = TimeWindow::new(at(start), at(end)).unwrap();
        let rules = Rules::default().with_window(window, TimeDelta::hours(2), TimeDelta::minutes(5));
        let report = match_lines("psp", [], ledger(), &rules, &NativeEngine::default()).unwrap();
        let run = ReconRun {
            window,
            ..recon_run()
        };
        let days = covered(&run, &report, volume, at("2026-03-03T00:00:00Z"));
        let days = days.iter().map(|it| (it.volume, it.matched)).collect::<Vec<_>>();
        (report.findings.len(), days)
    };
    let volume = DayVolume {
        day: late.date_naive(),
        currency: "TRY".parse().unwrap(),
        volume: 100,
    };
    assert_eq!(
        over(DAY.0, DAY.1, &[volume]),
        (0, vec![(100, 0)]),
        "no finding, and not matched"
    );
    let next = over("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", &[]);
    assert_eq!(
        next,
        (1, vec![]),
        "the finding of the next window is not counted twice"
    );
}

fn recon_run() -> ReconRun {
    ReconRun {
        id: RunId::new(),
        provider: "mockpsp".parse().unwrap(),
        window: TimeWindow::new(at(DAY.0), at(DAY.1)).unwrap(),
        dry_run: false,
        statement: None,
        bank_statement: None,
        idempotency_key: None,
        fingerprint: Vec::new(),
        status: RunStatus::Completed,
        attempts: 1,
        stats_json: None,
        error_json: None,
        created_by: "system:test".into(),
        created_at: at(DAY.0),
        updated_at: at(DAY.0),
        started_at: None,
        finished_at: None,
    }
}

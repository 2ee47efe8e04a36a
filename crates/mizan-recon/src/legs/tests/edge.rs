//! Runs over windows that follow each other: every pair belongs to one of them, and every row that is alone too.

use mizan_core::TimeWindow;

use super::*;

/// Days 0 to 40 in windows of ten days; each run reads what its rules want, as a run out of a store does. A row of
/// the test has its time on its day at midnight.
fn runs(rules: &str, theirs: &[&str], ours: &[&str]) -> Vec<(Summary, u64)> {
    let set = RuleFile::parse(rules).unwrap();
    let rows = |texts: &[&str]| -> Vec<Line> { (1..).zip(texts).map(|(no, it)| row(no, it)).collect() };
    let day = |day: i64| Timestamp::UNIX_EPOCH + TimeDelta::days(day);
    let over = |start: i64| {
        let rules = set.over(
            TimeWindow::new(day(start), day(start + 10)).unwrap(),
            TimeDelta::minutes(5),
        );
        let reading = rules.reading_window().unwrap();
        let read = |texts: &[&str]| {
            let rows = rows(texts).into_iter();
            rows.filter(|it| reading.contains(it.occurred_at))
                .collect::<Vec<_>>()
        };
        let engine = NativeEngine::default();
        let mut report = match_lines("psp", read(theirs), read(ours), &rules, &engine).unwrap();
        let stats = apply(&mut report, &set.legs, &rules);
        let rows = stats.iter().map(|it| it.statement_rows + it.ledger_rows).sum();
        (report.summary, rows)
    };
    (0..4).map(|it| over(it * 10)).collect()
}

/// Pairs that agree and findings, of all windows together.
fn sums(rules: &str, theirs: &[&str], ours: &[&str]) -> (u64, u64) {
    let all = runs(rules, theirs, ours);
    (
        all.iter().map(|it| it.0.matched).sum(),
        all.iter().map(|it| it.0.findings()).sum(),
    )
}

const ONE: &str = "[[leg]]\nname = \"one\"\nkeys = [\"reference\"]\nwindow_days = 3\n";
const MANY: &str =
    "[[leg]]\nname = \"many\"\nkeys = [\"payout_id=reference\"]\nrows = \"many_to_one\"\nwindow_days = 3\n";

#[test]
fn a_pair_over_the_edge_is_found_by_one_of_the_windows_and_nothing_is_missing() {
    for there in 5..25_i64 {
        for here in (there - 5)..=(there + 5) {
            let theirs = format!("a r deposit 1.00 day={there}");
            let ours = format!("b r deposit 1.00 day={here}");
            let near = (there - here).abs() <= 3;
            let expected = if near { (1, 0) } else { (0, 2) };
            assert_eq!(sums(ONE, &[&theirs], &[&ours]), expected, "{there} {here}");
        }
    }
}

#[test]
fn a_group_over_the_edge_is_summed_whole_by_the_window_of_its_first_row() {
    for first in 5..20_i64 {
        let rows: Vec<String> = [0, 3, 6]
            .iter()
            .map(|it| format!("a{it} - deposit 1.00 po=p day={}", first + it))
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let sum = format!("b p deposit 3.00 day={}", first + 3);
        let all = runs(MANY, &rows, &[&sum]);
        assert_eq!(sums(MANY, &rows, &[&sum]), (1, 0), "{first}");
        let owner = usize::try_from(first / 10).unwrap();
        assert_eq!((all[owner].0.matched, all[owner].1), (1, 4), "{first}");
        let other = format!("b p deposit 2.00 day={}", first + 3);
        assert_eq!(
            sums(MANY, &rows, &[&other]),
            (0, 1),
            "one finding in one window: {first}"
        );
    }
}

#[test]
fn rows_beside_the_window_are_missing_in_their_own_only() {
    let all = runs(ONE, &["a r deposit 1.00 day=9"], &["b s deposit 1.00 day=11"]);
    let found: Vec<_> = all.iter().map(|it| it.0.findings()).collect();
    assert_eq!(found, [1, 1, 0, 0]);
}

#[test]
fn within_the_settlement_lag_a_row_of_the_ledger_is_no_finding_and_after_it_one() {
    let rules = "settlement_lag_hours = 48\n";
    for here in 0..25_i64 {
        let ours = format!("a r deposit 1.00 day={here}");
        for later in 0..=2 {
            let theirs = format!("a r deposit 1.00 day={}", here + later);
            assert_eq!(sums(rules, &[&theirs], &[&ours]), (1, 0), "{here} {later}");
        }
        let found: Vec<_> = runs(rules, &[], &[&ours])
            .iter()
            .map(|it| it.0.findings())
            .collect();
        let judged = usize::try_from((here + 2) / 10).unwrap();
        let expected: Vec<u64> = (0..4).map(|it| u64::from(it == judged)).collect();
        assert_eq!(found, expected, "day {here} is judged once, two days later");
    }
}

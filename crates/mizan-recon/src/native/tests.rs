//! Whole runs of the native engine. A row is written `id reference kind amount currency`, `-` for none, and
//! then what is out of the ordinary: `fee=0.10`, `failed`, `at=90` (minutes).

mod properties;
mod reference;

use chrono::TimeDelta;
use mizan_core::{Currency, Money, TimeWindow, Timestamp};

use super::NativeEngine;
use crate::engine::{Report, Side, match_lines};
use crate::finding::{Finding, FindingType, Severity};
use crate::line::{Line, LineFields, LineStatus};
use crate::rules::Rules;

fn minute(at: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::minutes(at)
}

fn row(row_no: u64, text: &str) -> Line {
    let words: Vec<&str> = text.split(' ').collect();
    let [event_id, reference, kind, amount, currency, extra @ ..] = words.as_slice() else {
        panic!("a row has five words: {text}");
    };
    let extra_of = |prefix: &str| extra.iter().find_map(|it| it.strip_prefix(prefix));
    let currency: Currency = currency.parse().unwrap();
    let minor = |it: &str| Money::parse(it, currency).unwrap().minor;
    Line::new(LineFields {
        row_no,
        event_id: (*event_id != "-").then_some(event_id),
        reference: (*reference != "-").then_some(reference),
        kind: kind.parse().unwrap(),
        amount_minor: minor(amount),
        fee_minor: extra_of("fee=").map(minor),
        currency,
        status: extra
            .iter()
            .find_map(|it| it.parse().ok())
            .unwrap_or(LineStatus::Settled),
        occurred_at: minute(extra_of("at=").map_or(0, |it| it.parse().unwrap())),
        payout_id: None,
        transaction_id: None,
    })
}

fn rows(texts: &[&str]) -> Vec<Line> {
    (1..).zip(texts).map(|(row_no, text)| row(row_no, text)).collect()
}

fn run(statement: &[&str], ledger: &[&str], rules: &Rules) -> Report {
    match_lines(
        "psp.csv",
        rows(statement),
        rows(ledger),
        rules,
        &NativeEngine::default(),
    )
    .unwrap()
}

/// `type id difference`; ids that were made up are `row`.
fn shown(finding: &Finding) -> String {
    let id = if finding.event_id.starts_with("row_") {
        "row"
    } else {
        &finding.event_id
    };
    let difference = finding
        .why
        .difference_minor
        .map_or(String::new(), |it| format!(" {it:+}"));
    format!("{} {id}{difference}", finding.finding_type)
}

fn check(rules: &Rules, statement: &[&str], ledger: &[&str], matched: u64, expected: &[&str]) {
    let report = run(statement, ledger, rules);
    let mut seen: Vec<String> = report.findings.iter().map(shown).collect();
    seen.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(seen, expected, "{statement:?} against {ledger:?}");
    assert_eq!(
        report.summary.matched, matched,
        "{statement:?} against {ledger:?}"
    );
}

#[test]
fn every_kind_of_disagreement_is_named_and_both_sides_are_reported() {
    let rules = Rules::default();
    let e1 = "e1 r1 deposit 10.00 TRY";
    check(&rules, &[e1], &[e1], 1, &[]);
    check(&rules, &[e1], &[], 0, &["missing_in_ledger e1 +1000"]);
    check(&rules, &[], &[e1], 0, &["missing_in_psp e1 -1000"]);
    check(
        &rules,
        &["e1 r1 deposit 10.01 TRY"],
        &[e1],
        0,
        &["amount_mismatch e1 +1"],
    );
    check(
        &rules,
        &["e1 r1 deposit 9.99 TRY"],
        &[e1],
        0,
        &["amount_mismatch e1 -1"],
    );
    check(
        &rules,
        &["e1 r1 deposit 10.00 TRY failed"],
        &[e1],
        0,
        &["status_mismatch e1"],
    );
    check(
        &rules,
        &["e1 r1 deposit 10.00 TRY fee=0.10"],
        &["e1 r1 deposit 10.00 TRY fee=0.11"],
        0,
        &["fee_mismatch e1 -1"],
    );
    check(&rules, &["e1 r1 deposit 10.00 TRY fee=0.10"], &[e1], 1, &[]);
    check(
        &rules,
        &["e1 r1 deposit 11.00 TRY fee=0.10 failed"],
        &["e1 r1 deposit 10.00 TRY fee=0.20"],
        0,
        &[
            "status_mismatch e1",
            "amount_mismatch e1 +100",
            "fee_mismatch e1 -10",
        ],
    );
    // The same amount in the other direction is no match.
    check(
        &rules,
        &["e1 r1 refund 10.00 TRY"],
        &[e1],
        0,
        &["amount_mismatch e1 -2000"],
    );
    // Different events are different, whatever else they share.
    check(
        &rules,
        &["e2 r1 deposit 10.00 TRY"],
        &[e1],
        0,
        &["missing_in_ledger e2 +1000", "missing_in_psp e1 -1000"],
    );
}

#[test]
fn different_currencies_are_one_finding_and_never_compared() {
    let rules = Rules::default()
        .with_tolerance(Currency::TRY, u64::MAX)
        .with_tolerance(Currency::EUR, u64::MAX);
    check(
        &rules,
        &["e1 r1 deposit 99.00 EUR fee=1.00 failed"],
        &["e1 r1 deposit 10.00 TRY fee=2.00"],
        0,
        &["currency_mismatch e1"],
    );
    check(
        &rules,
        &["- r1 deposit 10.00 EUR"],
        &["- r1 deposit 10.00 TRY"],
        0,
        &["currency_mismatch row"],
    );
}

#[test]
fn a_difference_at_the_tolerance_matches_and_one_unit_more_does_not() {
    let rules = Rules::default()
        .with_tolerance(Currency::TRY, 5)
        .with_fee_tolerance(Currency::TRY, 2);
    let ours = ["e1 r1 deposit 10.00 TRY fee=1.00"];
    check(&rules, &["e1 r1 deposit 10.05 TRY fee=1.02"], &ours, 1, &[]);
    check(&rules, &["e1 r1 deposit 9.95 TRY fee=0.98"], &ours, 1, &[]);
    check(
        &rules,
        &["e1 r1 deposit 10.06 TRY fee=1.03"],
        &ours,
        0,
        &["amount_mismatch e1 +6", "fee_mismatch e1 +3"],
    );
    check(
        &rules,
        &["e1 r1 deposit 9.94 TRY fee=1.00"],
        &ours,
        0,
        &["amount_mismatch e1 -6"],
    );
    let euros = ["e1 r1 deposit 10.01 EUR"];
    check(
        &rules,
        &euros,
        &["e1 r1 deposit 10.00 EUR"],
        0,
        &["amount_mismatch e1 +1"],
    );
}

#[test]
fn a_duplicate_is_one_finding_per_key_and_its_first_row_is_still_matched() {
    let rules = Rules::default();
    let e1 = "e1 r1 deposit 10.00 TRY";
    check(&rules, &[e1, e1, e1], &[e1], 1, &["duplicate_in_psp e1"]);
    check(&rules, &[e1], &[e1, e1], 1, &["duplicate_in_ledger e1"]);
    check(
        &rules,
        &[e1, e1],
        &[e1, e1],
        1,
        &["duplicate_in_psp e1", "duplicate_in_ledger e1"],
    );
    check(
        &rules,
        &[e1, e1],
        &[],
        0,
        &["duplicate_in_psp e1", "missing_in_ledger e1 +1000"],
    );
    let reference_only = "- r1 deposit 10.00 TRY";
    check(
        &rules,
        &[reference_only, reference_only],
        &[reference_only],
        1,
        &["duplicate_in_psp row"],
    );
    let report = run(
        &[e1, "e2 r2 deposit 1.00 TRY", e1],
        &[e1, "e2 r2 deposit 1.00 TRY"],
        &rules,
    );
    assert_eq!(report.findings[0].why.statement_rows, [1, 3]);
}

#[test]
fn refunds_chargebacks_fees_and_zero_rows_are_summed_with_their_sign() {
    let all = [
        "e1 r1 deposit 100.00 TRY fee=2.90",
        "e2 r2 withdraw 30.00 TRY",
        "e3 r3 refund 10.00 TRY fee=-0.29",
        "e4 r4 chargeback 5.00 TRY fee=15.00",
        "e5 r5 fee 1.00 TRY",
        "e6 r6 adjustment -0.50 TRY",
        "e7 r7 deposit 0.00 TRY",
        "e8 r8 deposit 77.00 TRY failed",
        "e9 r9 deposit 5 JPY",
    ];
    let report = run(&all, &all[..1], &Rules::default());
    let lira = report.summary.sums[&(Side::Statement, Currency::TRY)];
    assert_eq!(
        (lira.rows, lira.gross_minor, lira.fees_minor, lira.net_minor()),
        (7, 5350, 1761, 3589)
    );
    assert_eq!(
        report.summary.sums[&(Side::Statement, Currency::JPY)].gross_minor,
        5
    );
    assert_eq!(
        report.summary.sums[&(Side::Ledger, Currency::TRY)].net_minor(),
        9710
    );
}

#[test]
fn amounts_at_the_edge_of_64_bits_are_compared_and_summed() {
    let most = "e1 r1 deposit 92233720368547758.07 TRY";
    let least = "e1 r1 deposit -92233720368547758.08 TRY";
    let difference = format!("amount_mismatch e1 +{}", u64::MAX);
    check(&Rules::default(), &[most], &[least], 0, &[&difference]);
    let report = run(&[most, &most.replace("e1", "e2")], &[], &Rules::default());
    assert_eq!(
        report.summary.sums[&(Side::Statement, Currency::TRY)].gross_minor,
        2 * i128::from(i64::MAX)
    );
}

#[test]
fn a_window_is_half_open_and_a_normal_lag_is_no_finding() {
    let window = TimeWindow::new(minute(100), minute(200)).unwrap();
    let rules = |lag| Rules::default().with_window(window, TimeDelta::minutes(lag), TimeDelta::minutes(5));
    let at = |minute: i64| format!("e1 r1 deposit 1.00 TRY at={minute}");
    let check_at = |lag, statement: &[i64], ledger: &[i64], matched, expected: &[&str]| {
        let texts = |minutes: &[i64]| minutes.iter().map(|it| at(*it)).collect::<Vec<_>>();
        let (theirs, ours) = (texts(statement), texts(ledger));
        let (theirs, ours) = (theirs.iter().map(String::as_str), ours.iter().map(String::as_str));
        check(
            &rules(lag),
            &theirs.collect::<Vec<_>>(),
            &ours.collect::<Vec<_>>(),
            matched,
            expected,
        );
    };
    check_at(0, &[100], &[], 0, &["missing_in_ledger e1 +100"]);
    check_at(0, &[200], &[], 0, &[]);
    check_at(0, &[], &[199], 0, &["missing_in_psp e1 -100"]);
    check_at(0, &[], &[200], 0, &[]);
    check_at(0, &[], &[99], 0, &[]);
    // A pair belongs to the window of the provider's row, also when the ledger's is just outside.
    check_at(0, &[100], &[98], 1, &[]);
    check_at(0, &[201], &[199], 0, &[]);
    // With 30 minutes to settle, what the ledger wrote at 180 is not overdue; what it wrote at 80 is.
    check_at(30, &[], &[180], 0, &[]);
    check_at(30, &[], &[80], 0, &["missing_in_psp e1 -100"]);
    let reading = rules(30).reading_window().unwrap();
    assert_eq!((reading.start(), reading.end()), (minute(65), minute(235)));
}

#[test]
fn severities_follow_the_rules() {
    let rules = Rules::default().with_severity(FindingType::MissingInPsp, Severity::Critical);
    let severity = |statement: &[&str], ledger: &[&str]| run(statement, ledger, &rules).findings[0].severity;
    assert_eq!(severity(&["e1 r1 deposit 1.00 TRY"], &[]), Severity::Error);
    assert_eq!(
        severity(&["e1 r1 deposit 1.00 TRY failed"], &[]),
        Severity::Info,
        "no money moved"
    );
    assert_eq!(severity(&[], &["e1 r1 deposit 1.00 TRY"]), Severity::Critical);
}

#[test]
fn runs_back_to_back_do_not_leak_into_each_other() {
    let engine = NativeEngine::default();
    let go = |texts: &[&str]| match_lines("a", rows(texts), [], &Rules::default(), &engine).unwrap();
    let alone = go(&["e2 r2 deposit 1.00 TRY"]);
    go(&["e1 r1 deposit 1.00 TRY", "e2 r2 deposit 9.00 TRY"]);
    assert_eq!(go(&["e2 r2 deposit 1.00 TRY"]), alone);
}

#[test]
fn a_hundred_thousand_and_one_rows_are_complete() {
    let line = |i: u64| row(i, &format!("evt_{i} pi_{i} deposit {i}.00 TRY"));
    let report = match_lines(
        "a",
        (1..=100_001).map(line),
        (2..=100_002).map(line),
        &Rules::default(),
        &NativeEngine::default(),
    )
    .unwrap();
    assert_eq!(
        (
            report.summary.statement_rows,
            report.summary.ledger_rows,
            report.summary.matched
        ),
        (100_001, 100_001, 100_000)
    );
    assert_eq!(
        report.findings.iter().map(shown).collect::<Vec<_>>(),
        [
            "missing_in_ledger evt_1 +100",
            "missing_in_psp evt_100002 -10000200"
        ]
    );
}

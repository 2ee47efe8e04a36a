//! Payouts against bank lines. A payout is written `id net day`, a bank line `day amount references…`.

use chrono::TimeDelta;
use mizan_core::{Money, Timestamp};

use super::super::{Batches, LoneRows};
use super::*;
use crate::line::{Line, LineFields, LineKind, LineStatus};

const CURRENCY: Currency = Currency::TRY;

fn minor(text: &str) -> i64 {
    Money::parse(text, CURRENCY).unwrap().minor
}

fn at(day: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::days(day)
}

fn line(payout: &str, kind: LineKind, amount: &str, fee: Option<&str>, day: i64) -> Line {
    Line::new(LineFields {
        row_no: 1,
        event_id: Some("e"),
        reference: None,
        kind,
        amount_minor: minor(amount),
        fee_minor: fee.map(minor),
        currency: CURRENCY,
        status: LineStatus::Settled,
        occurred_at: at(day),
        payout_id: (payout != "-").then_some(payout),
        transaction_id: None,
    })
}

fn batches(lines: &[Line]) -> Vec<Batch> {
    let mut batches = Batches::new(LoneRows::NotPaidOut);
    for line in lines {
        batches.add(line);
    }
    batches.finish()
}

fn bank(texts: &[&str]) -> BankRead {
    let lines = texts.iter().zip(1..).map(|(text, line_no)| {
        let mut words = text.split(' ');
        let day: i64 = words.next().unwrap().parse().unwrap();
        BankLine {
            line_no,
            account: None,
            amount_minor: minor(words.next().unwrap()),
            currency: CURRENCY,
            booked_on: at(day).date_naive(),
            value_on: None,
            booked: true,
            reversal: false,
            references: words.map(str::to_owned).collect(),
            text: String::new(),
        }
    });
    BankRead {
        lines: lines.collect(),
        covers_until: Some(at(100).date_naive()),
        ..BankRead::default()
    }
}

fn run(payouts: &[&str], lines: &[&str], leg: &BankRules) -> BankReport {
    let rows: Vec<Line> = payouts
        .iter()
        .map(|text| {
            let words: Vec<&str> = text.split(' ').collect();
            line(
                words[0],
                LineKind::Deposit,
                words[1],
                None,
                words[2].parse().unwrap(),
            )
        })
        .collect();
    match_bank(batches(&rows), &bank(lines), leg, &Rules::default())
}

/// States of the payouts in the order of their ids, and `type difference` of each finding.
fn check(payouts: &[&str], lines: &[&str], leg: &BankRules, states: &str, findings: &[&str]) {
    let report = run(payouts, lines, leg);
    let seen: Vec<_> = report.batches.iter().map(|it| it.state.as_str()).collect();
    assert_eq!(seen.join(" "), states, "{payouts:?} {lines:?}");
    let difference = |it: &BankFinding| it.seen_minor - it.expected_minor;
    let seen: Vec<_> = report
        .findings
        .iter()
        .map(|it| format!("{} {}", it.finding_type, difference(it)))
        .collect();
    assert_eq!(seen, findings, "{payouts:?} {lines:?}");
    let mut turned: Vec<&str> = lines.to_vec();
    turned.reverse();
    let again = run(payouts, &turned, leg);
    assert_eq!(
        again.batches, report.batches,
        "the order of lines changes nothing"
    );
    assert_eq!(again.findings.len(), report.findings.len());
}

fn rules(tolerance_minor: u64) -> BankRules {
    BankRules {
        tolerance_minor,
        ..BankRules::default()
    }
}

#[test]
fn a_payout_is_gross_less_fees_less_adjustments_and_zero_rows_abort_nothing() {
    let rows = [
        line("po_1", LineKind::Deposit, "100.00", Some("2.90"), 1),
        line("po_1", LineKind::Refund, "10.00", Some("0"), 2),
        line("po_1", LineKind::Chargeback, "20.00", Some("1.00"), 3),
        line("po_1", LineKind::Fee, "0.50", None, 1),
        line("po_1", LineKind::Adjustment, "-3.00", None, 1),
        line("po_1", LineKind::Deposit, "0", Some("0"), 1),
        line("-", LineKind::Deposit, "7.00", None, 1),
    ];
    let batches = batches(&rows);
    let [batch] = batches.as_slice() else {
        panic!("{batches:?}")
    };
    let sums = (
        batch.gross_minor,
        batch.fees_minor,
        batch.adjustments_minor,
        batch.net_minor(),
    );
    assert_eq!(sums, (7000, 440, 300, 6260));
    assert_eq!((batch.rows, batch.last_at), (6, at(3)));
    let report = match_bank(batches, &bank(&["5 62.60 po_1"]), &rules(0), &Rules::default());
    assert_eq!(report.findings, []);
    assert_eq!(report.batches[0].days, Some(2));
}

#[test]
fn a_payout_is_found_by_its_reference_and_its_amount_is_compared() {
    let by_name = |lines: &[&str], tolerance, states, findings: &[&str]| {
        check(&["po_1 10.00 1"], lines, &rules(tolerance), states, findings);
    };
    by_name(&["2 10.00 po_1"], 0, "matched", &[]);
    by_name(&["2 10.05 po_1"], 5, "matched", &[]);
    by_name(&["2 10.06 po_1"], 5, "mismatched", &["payout_mismatch 6"]);
    by_name(&["2 9.95 po_1"], 5, "matched", &[]);
    by_name(&["2 9.94 po_1"], 5, "mismatched", &["payout_mismatch -6"]);
    by_name(&["2 3.00 po_1", "3 3.00 po_1", "4 4.00 po_1"], 0, "matched", &[]);
    by_name(
        &["2 10.00 po_1", "3 10.00 po_1"],
        0,
        "mismatched",
        &["payout_mismatch 1000"],
    );
    by_name(&["2 10.00 STRIPE/po_1;x"], 0, "matched", &[]);
    by_name(&["2 10.00 po_12"], 0, "matched", &[]);
    by_name(
        &["50 10.00 po_12"],
        0,
        "missing",
        &["payout_mismatch 1000", "missing_in_bank -1000"],
    );
}

#[test]
fn one_credit_for_several_payouts_is_compared_with_their_sum() {
    let payouts = ["po_aa 10.00 1", "po_bb 20.00 1", "po_cc -5.00 1"];
    check(
        &payouts,
        &["3 25.00 po_aa po_bb po_cc"],
        &rules(0),
        "matched matched matched",
        &[],
    );
    check(
        &payouts,
        &["3 25.01 po_aa po_bb po_cc"],
        &rules(0),
        "mismatched mismatched mismatched",
        &["payout_mismatch 1"],
    );
}

#[test]
fn an_amount_matches_only_where_it_is_the_only_one() {
    let by_amount = |payouts: &[&str], lines: &[&str], tolerance, states, findings: &[&str]| {
        check(payouts, lines, &rules(tolerance), states, findings);
    };
    by_amount(&["a 10.00 1"], &["3 10.00"], 0, "matched", &[]);
    by_amount(&["a 10.00 1"], &["8 10.01"], 1, "matched", &[]);
    by_amount(
        &["a 10.00 1"],
        &["9 10.00"],
        0,
        "missing",
        &["payout_mismatch 1000", "missing_in_bank -1000"],
    );
    by_amount(
        &["a 10.00 1"],
        &["0 10.00"],
        0,
        "missing",
        &["payout_mismatch 1000", "missing_in_bank -1000"],
    );
    by_amount(
        &["a 10.00 1"],
        &["3 10.02"],
        1,
        "missing",
        &["payout_mismatch 1002", "missing_in_bank -1000"],
    );
    by_amount(
        &["a 10.00 1"],
        &["3 10.00", "4 10.00"],
        0,
        "ambiguous",
        &["ambiguous_match 1000"],
    );
    by_amount(
        &["a 10.00 1", "b 10.00 1"],
        &["3 10.00"],
        0,
        "ambiguous ambiguous",
        &["ambiguous_match -1000"],
    );
    by_amount(&["a -10.00 1"], &["3 -10.00"], 0, "matched", &[]);
    by_amount(&["a 0 1"], &[], 0, "nothing_due", &[]);
}

#[test]
fn a_payout_that_is_not_due_yet_is_no_finding() {
    let until = |day: i64| {
        let rows = [line("po_1", LineKind::Deposit, "10.00", None, 10)];
        let mut bank = bank(&[]);
        bank.covers_until = Some(at(day).date_naive());
        match_bank(batches(&rows), &bank, &rules(0), &Rules::default()).batches[0].state
    };
    assert_eq!(until(12), BatchState::NotDueYet);
    assert_eq!(until(13), BatchState::Missing);
}

#[test]
fn lines_of_others_and_other_currencies_are_never_a_payouts() {
    let only = BankRules {
        only_lines_with: vec!["stripe".to_owned()],
        ..BankRules::default()
    };
    let report = run(&["a 10.00 1"], &["3 10.00 RENT", "3 10.00 STRIPE"], &only);
    assert_eq!((report.of_others, report.findings.len()), (1, 0));
    let mut foreign = bank(&["3 10.00 po_1"]);
    foreign.lines[0].currency = Currency::EUR;
    let rows = [line("po_1", LineKind::Deposit, "10.00", None, 1)];
    let report = match_bank(batches(&rows), &foreign, &rules(0), &Rules::default());
    let found: Vec<_> = report.findings.iter().map(|it| it.finding_type).collect();
    assert_eq!(found, [FindingType::CurrencyMismatch]);
}

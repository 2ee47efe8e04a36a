//! Rule legs on what the exact comparison leaves over. A row is `id reference kind amount`, and then `po=…` for the
//! payout, `fee=…` and `day=…`.

mod edge;

use chrono::TimeDelta;
use mizan_core::{Currency, Money, Timestamp};

use super::*;
use crate::engine::{Summary, match_lines};
use crate::line::{LineFields, LineStatus};
use crate::native::NativeEngine;
use crate::rules::file::RuleFile;

fn row(row_no: u64, text: &str) -> Line {
    let words: Vec<&str> = text.split(' ').collect();
    let extra = |prefix: &str| words.iter().find_map(|it| it.strip_prefix(prefix));
    let minor = |it: &str| Money::parse(it, Currency::TRY).unwrap().minor;
    let day: i64 = extra("day=").map_or(0, |it| it.parse().unwrap());
    Line::new(LineFields {
        row_no,
        event_id: Some(words[0]),
        reference: (words[1] != "-").then_some(words[1]),
        kind: words[2].parse().unwrap(),
        amount_minor: minor(words[3]),
        fee_minor: extra("fee=").map(minor),
        currency: extra("in=").map_or(Currency::TRY, |it| it.parse().unwrap()),
        status: LineStatus::Settled,
        occurred_at: Timestamp::UNIX_EPOCH + TimeDelta::days(day),
        payout_id: extra("po="),
        transaction_id: None,
    })
}

fn run(rules: &str, theirs: &[&str], ours: &[&str]) -> (Summary, Vec<LegStats>) {
    let set = RuleFile::parse(rules).unwrap();
    let rows = |texts: &[&str]| -> Vec<Line> { (1..).zip(texts).map(|(no, it)| row(no, it)).collect() };
    let engine = NativeEngine::default();
    let mut report = match_lines("psp", rows(theirs), rows(ours), &set.rules, &engine).unwrap();
    let stats = apply(&mut report, &set.legs, &set.rules);
    for finding in &report.findings {
        assert!(!finding.why.statement_rows.is_empty() || !finding.why.ledger_rows.is_empty());
    }
    (report.summary, stats)
}

/// Matched pairs and groups, and `type count` of what was found; the same in any order of rows.
fn check(rules: &str, theirs: &[&str], ours: &[&str], matched: u64, findings: &[(&str, u64)]) {
    let (summary, _) = run(rules, theirs, ours);
    let found = summary.findings_by_type.iter();
    let found: Vec<_> = found.map(|(it, n)| (it.as_str(), *n)).collect();
    assert_eq!(
        (summary.matched, found.as_slice()),
        (matched, findings),
        "{theirs:?} {ours:?}"
    );
    let (mut theirs, mut ours) = (theirs.to_vec(), ours.to_vec());
    theirs.reverse();
    ours.reverse();
    assert_eq!(
        run(rules, &theirs, &ours).0.digest,
        summary.digest,
        "the order of rows changes nothing"
    );
}

const BY_REFERENCE: &str =
    "[[leg]]\nname = \"ref\"\nkeys = [\"reference\"]\ntolerance_minor = 5\nwindow_days = 2\n";
const BY_PAYOUT: &str = "[[leg]]\nname = \"payout\"\nrows = \"many_to_one\"\nkeys = [\"payout_id=reference\"]\ntolerance_minor = 5\n";

#[test]
fn exactly_the_tolerance_matches_and_one_minor_unit_more_does_not() {
    let lone: &[(&str, u64)] = &[("missing_in_ledger", 1), ("missing_in_psp", 1)];
    let one = |theirs: &str, ours: &str, matched, findings| {
        check(BY_REFERENCE, &[theirs], &[ours], matched, findings);
    };
    one("a R deposit 10.05", "b R deposit 10.00", 1, &[]);
    one("a R deposit 9.95", "b R deposit 10.00", 1, &[]);
    one("a R deposit 10.06", "b R deposit 10.00", 0, lone);
    one("a R deposit 9.94", "b R deposit 10.00", 0, lone);
    one("a R deposit 10.00 day=2", "b R deposit 10.00", 1, &[]);
    one("a R deposit 10.00 day=3", "b R deposit 10.00", 0, lone);
    one("a S deposit 10.00", "b R deposit 10.00", 0, lone);
    one("a R deposit 10.00 in=EUR", "b R deposit 10.00", 0, lone);
    one("a R refund 10.00", "b R deposit 10.00", 0, lone);
}

#[test]
fn basis_points_are_rounded_half_to_even() {
    let allowed = |minor, points| Tolerance::BasisPoints(points).allowed(minor);
    for (minor, points, expected) in [
        (10_000, 1, 1),
        (5_000, 1, 0),
        (15_000, 1, 2),
        (25_000, 1, 2),
        (5_001, 1, 1),
        (-15_000, 1, 2),
        (0, 100, 0),
        (12_345, 100, 123),
    ] {
        assert_eq!(allowed(minor, points), expected, "{minor} at {points}");
    }
    let rules = "[[leg]]\nname = \"bps\"\nkeys = [\"reference\"]\ntolerance_bps = 100\n";
    check(rules, &["a R deposit 101.00"], &["b R deposit 100.00"], 1, &[]);
    let lone: &[(&str, u64)] = &[("missing_in_ledger", 1), ("missing_in_psp", 1)];
    check(rules, &["a R deposit 101.01"], &["b R deposit 100.00"], 0, lone);
}

#[test]
fn two_equal_candidates_are_ambiguous_and_never_picked() {
    let ambiguous: &[(&str, u64)] = &[("ambiguous_match", 1)];
    check(
        BY_REFERENCE,
        &["a R deposit 10.00"],
        &["b R deposit 10.00", "c R deposit 10.00"],
        0,
        ambiguous,
    );
    check(
        BY_REFERENCE,
        &["a R deposit 10.00", "d R deposit 10.00"],
        &["b R deposit 10.00"],
        0,
        ambiguous,
    );
    check(
        BY_REFERENCE,
        &["a R deposit 10.00"],
        &["b R deposit 10.01", "c R deposit 9.99"],
        0,
        ambiguous,
    );
    // An equal amount is nearer than one within the tolerance.
    let rest: &[(&str, u64)] = &[("missing_in_psp", 1)];
    check(
        BY_REFERENCE,
        &["a R deposit 10.00"],
        &["b R deposit 10.01", "c R deposit 10.00"],
        1,
        rest,
    );
    check(
        BY_REFERENCE,
        &["a R deposit 10.00", "d S deposit 10.00"],
        &["b R deposit 10.00", "c S deposit 10.00"],
        2,
        &[],
    );
}

#[test]
fn rows_of_a_payout_are_summed_with_their_sign_and_compared_with_one_row() {
    let parts = [
        "a x deposit 100.00 po=P",
        "b x refund 30.00 po=P",
        "c x chargeback 20.00 po=P",
        "d x fee 1.00 po=P",
        "e x deposit 0 po=P",
    ];
    let sums = |amount: &str, matched, findings| {
        check(
            BY_PAYOUT,
            &parts,
            &[&format!("z P deposit {amount}")],
            matched,
            findings,
        );
    };
    sums("49.00", 1, &[]);
    sums("49.05", 1, &[]);
    sums("48.95", 1, &[]);
    sums("49.06", 0, &[("amount_mismatch", 1)]);
    check(
        BY_PAYOUT,
        &[
            "a x deposit 1.00 po=P",
            "b x deposit 2.00 po=P",
            "c x deposit 3.00 po=P",
            "d x deposit 9.00 po=Q",
        ],
        &["y P deposit 6.00", "z Q deposit 9.00"],
        2,
        &[],
    );
    let two: &[(&str, u64)] = &[("ambiguous_match", 1)];
    check(
        BY_PAYOUT,
        &["a x deposit 6.00 po=P"],
        &["y P deposit 6.00", "z P deposit 6.00"],
        0,
        two,
    );
    let other: &[(&str, u64)] = &[("missing_in_psp", 1)];
    check(
        BY_PAYOUT,
        &["a x deposit 6.00 po=P"],
        &["y P deposit 6.00", "z P deposit 7.00"],
        1,
        other,
    );
}

#[test]
fn one_statement_row_is_split_over_several_ledger_rows_and_fees_are_taken_off_where_said() {
    let split = "[[leg]]\nname = \"split\"\nrows = \"one_to_many\"\nkeys = [\"reference\"]\n";
    let ours = ["x R deposit 3.33", "y R deposit 3.33", "z R deposit 3.34"];
    check(split, &["a R deposit 10.00"], &ours, 1, &[]);
    check(split, &["a R deposit 10.01"], &ours, 0, &[("amount_mismatch", 1)]);
    let net = BY_PAYOUT.to_owned() + "sum = \"net\"\n";
    let rows = [
        "a x deposit 10.00 po=P fee=0.29",
        "b x deposit 10.00 po=P fee=0.29",
    ];
    check(&net, &rows, &["z P deposit 19.42"], 1, &[]);
}

#[test]
fn legs_take_their_turns_and_a_row_is_used_once() {
    let both = format!("{BY_REFERENCE}{BY_PAYOUT}");
    let (summary, stats) = run(
        &both,
        &["a R deposit 5.00 po=P", "b x deposit 6.00 po=P"],
        &["y R deposit 5.00", "z P deposit 6.00"],
    );
    assert_eq!((summary.matched, summary.findings()), (2, 0));
    let rows: Vec<_> = stats
        .iter()
        .map(|it| (it.statement_rows, it.ledger_rows))
        .collect();
    assert_eq!(
        rows,
        [(1, 1), (1, 1)],
        "the first leg took the row that the second would have summed"
    );
}

#[test]
fn many_rows_that_are_all_alike_end_as_one_ambiguous_finding() {
    let rules = "[[leg]]\nname = \"amount\"\nkeys = []\n";
    let make = |side: &str| {
        (0..1_200)
            .map(|i| format!("{side}{i:05} {side}{i} deposit 1.00"))
            .collect::<Vec<_>>()
    };
    let (theirs, ours) = (make("t"), make("o"));
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    check(rules, &theirs, &ours, 0, &[("ambiguous_match", 1)]);
}

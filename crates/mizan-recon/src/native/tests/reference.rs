//! Rows without an event id: matched by reference and kind, never by a guess.

use super::{check, rows, run};
use crate::engine::match_lines;
use crate::native::NativeEngine;
use crate::rules::Rules;

#[test]
fn a_row_without_an_event_id_is_matched_by_reference_and_kind() {
    let rules = Rules::default();
    let bare = "- r1 deposit 10.00 TRY";
    check(&rules, &[bare], &["e1 r1 deposit 10.00 TRY"], 1, &[]);
    check(
        &rules,
        &["e1 r1 deposit 10.50 TRY"],
        &[bare],
        0,
        &["amount_mismatch e1 +50"],
    );
    check(
        &rules,
        &[bare],
        &["- r1 refund 10.00 TRY"],
        0,
        &["missing_in_ledger row +1000", "missing_in_psp row +1000"],
    );
    // Partial refunds of one payment: each finds the one that agrees with it, and the last pair what is left.
    let refunds = [
        "- r1 refund 1.00 TRY",
        "- r1 refund 2.00 TRY",
        "- r1 refund 3.00 TRY",
    ];
    check(
        &rules,
        &refunds,
        &[
            "- r1 refund 3.00 TRY",
            "- r1 refund 2.00 TRY",
            "- r1 refund 1.00 TRY",
        ],
        3,
        &[],
    );
    check(
        &rules,
        &refunds,
        &[
            "- r1 refund 3.00 TRY",
            "- r1 refund 2.00 TRY",
            "- r1 refund 1.50 TRY",
        ],
        2,
        &["amount_mismatch row +50"],
    );
    // No key at all: nothing to match by, and nothing is guessed.
    check(
        &rules,
        &["- - deposit 1.00 TRY"],
        &["- - deposit 1.00 TRY"],
        0,
        &["missing_in_ledger row +100", "missing_in_psp row -100"],
    );
}

#[test]
fn equal_candidates_are_ambiguous_and_never_picked() {
    let rules = Rules::default();
    let two = ["e1 r1 refund 10.00 TRY", "e2 r1 refund 10.00 TRY"];
    check(
        &rules,
        &["- r1 refund 10.00 TRY"],
        &two,
        0,
        &["ambiguous_match row"],
    );
    check(
        &rules,
        &two,
        &["- r1 refund 10.00 TRY"],
        0,
        &["ambiguous_match e1"],
    );
    check(
        &rules,
        &["- r1 refund 5.00 TRY"],
        &["- r1 refund 6.00 TRY", "- r1 refund 7.00 TRY"],
        0,
        &["ambiguous_match row"],
    );
    let report = run(&["- r1 refund 10.00 TRY"], &two, &rules);
    assert_eq!(
        (
            &report.findings[0].why.statement_rows[..],
            &report.findings[0].why.ledger_rows[..]
        ),
        (&[1][..], &[1, 2][..])
    );
    // One of the two is taken by its event id; then nothing is ambiguous any more.
    check(&rules, &["- r1 refund 10.00 TRY", two[0]], &two, 2, &[]);
}

#[test]
fn a_row_without_an_id_gets_a_stable_one_of_its_own_file() {
    let id = |file: &str, texts: &[&str]| {
        let report = match_lines(file, rows(texts), [], &Rules::default(), &NativeEngine::default()).unwrap();
        report
            .findings
            .iter()
            .map(|it| it.event_id.clone())
            .collect::<Vec<_>>()
    };
    let (one, other) = ("- r1 refund 1.00 TRY", "- r1 refund 2.00 TRY");
    assert_eq!(
        id("may.csv", &[one, other]),
        id("may.csv", &[other, one]),
        "the order of rows changes no id"
    );
    assert_eq!(id("may.csv", &[one, other]).len(), 2);
    assert_ne!(
        id("may.csv", &[one]),
        id("june.csv", &[one]),
        "files are independent"
    );
    assert_ne!(id("may.csv", &[one]), id("may.csv", &[other]));
}

//! Many rows of which it is known how they differ: complete at any size, whatever the engine and its setting.

use chrono::{DateTime, TimeDelta};
use mizan_core::Currency;
use mizan_recon::{FindingType, Line, LineFields, LineKind, LineStatus, Rules, match_lines};

use super::engines;

/// Shares no factor with the sizes below, so it visits every row once in another order.
const STEP: u64 = 7_368_787;

fn row(number: u64, row_no: u64, amount_minor: i64) -> Line {
    let (id, reference) = (format!("evt_{number}"), format!("pay_{number}"));
    // Some rows have only a reference on one side: row_no is even for the ledger.
    let nameless = number % 100 == 50 && row_no.is_multiple_of(2);
    Line::new(LineFields {
        row_no,
        event_id: (!nameless).then_some(&id),
        reference: Some(&reference),
        kind: LineKind::Deposit,
        amount_minor,
        fee_minor: None,
        currency: Currency::TRY,
        status: LineStatus::Settled,
        occurred_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(number % 86_400).unwrap()),
        payout_id: None,
        transaction_id: None,
    })
}

fn check(size: u64) {
    let amount = |number: u64| i64::try_from(100 + number % 10_007).unwrap();
    let statement = (0..size).filter(|it| it % 1_000 != 1).flat_map(|number| {
        let twice = if number % 1_000 == 5 { 2 } else { 1 };
        (0..twice).map(move |_| row(number, number * 2 + 1, amount(number)))
    });
    let ledger = (0..size)
        .map(|it| it.wrapping_mul(STEP) % size)
        .filter(|it| it % 1_000 != 2);
    let ledger = ledger.map(|number| {
        row(
            number,
            number * 2 + 2,
            amount(number) + i64::from(number % 1_000 == 3),
        )
    });
    let of = |rest: u64| (size - 1 - rest) / 1_000 + 1;
    let expected = [
        (FindingType::MissingInLedger, of(2)),
        (FindingType::MissingInPsp, of(1)),
        (FindingType::AmountMismatch, of(3)),
        (FindingType::DuplicateInPsp, of(5)),
    ];
    let mut digests = Vec::new();
    for (name, engine) in engines() {
        let report = match_lines(
            "a",
            statement.clone(),
            ledger.clone(),
            &Rules::default(),
            &*engine,
        )
        .unwrap();
        let summary = report.summary;
        assert_eq!(summary.findings_by_type, expected.into_iter().collect(), "{name}");
        assert_eq!(summary.matched, size - of(1) - of(2) - of(3), "{name}");
        assert_eq!(summary.statement_rows, size - of(1) + of(5), "{name}");
        digests.push(summary.digest);
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "one digest, whatever the engine");
}

#[test]
fn five_thousand_and_one_rows_are_complete() {
    check(5_001);
}

#[test]
fn a_hundred_thousand_and_one_rows_are_complete() {
    check(100_001);
}

#[test]
#[ignore = "slow without optimisation: cargo test --release -p mizan-recon -- --ignored"]
fn a_million_and_one_rows_are_complete() {
    check(1_000_001);
}

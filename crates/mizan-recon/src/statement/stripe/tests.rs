//! Rows of Stripe's report, with the directions that its categories have.

use super::*;
use crate::statement::StatementRead;

const HEADER: &str = "automatic_payout_id,balance_transaction_id,created_utc,created,currency,gross,fee,net,reporting_category,source_id,payment_intent_id";

fn read(rows: &[&str], map: &str) -> StatementRead {
    let file = format!("{HEADER}\n{}\n", rows.join("\n"));
    let map = FileMap::parse(map).unwrap();
    let mut reader = StripeReader::open("s", file.as_bytes(), map).unwrap();
    StatementRead::all(&mut reader).unwrap()
}

/// Kind, status, amount in the direction of the kind, effect on the balance.
fn check(category: &str, gross: &str, expected: (LineKind, LineStatus, i64, i128)) {
    let row = format!(
        "po_1,txn_1,2026-11-01 09:00:00,2026-11-01 12:00:00,try,{gross},0.00,{gross},{category},ch_1,pi_1"
    );
    let read = read(&[&row], "");
    let line = read
        .lines
        .first()
        .unwrap_or_else(|| panic!("{category}: {:?}", read.quarantined));
    let seen = (line.kind, line.status, line.amount_minor, line.effect_minor());
    assert_eq!(seen, expected, "{category} {gross}");
}

#[test]
fn categories_have_their_kind_direction_and_state() {
    use LineKind::{Adjustment, Chargeback, Deposit, Fee, Other, Refund, Withdraw};
    use LineStatus::{Failed, Settled};
    check("charge", "10.00", (Deposit, Settled, 1000, 1000));
    check("refund", "-10.00", (Refund, Settled, 1000, -1000));
    check("dispute", "-10.00", (Chargeback, Settled, 1000, -1000));
    check("dispute_reversal", "10.00", (Chargeback, Settled, -1000, 1000));
    check("payout", "-10.00", (Withdraw, Settled, 1000, -1000));
    check("fee", "-1.00", (Fee, Settled, 100, -100));
    check("other_adjustment", "-1.00", (Adjustment, Settled, -100, -100));
    check("climate_order_purchase", "-1.00", (Other, Settled, -100, -100));
    check("charge_failure", "10.00", (Deposit, Failed, 1000, 1000));
    check("charge_failure", "-10.00", (Deposit, Settled, -1000, -1000));
    check("refund_failure", "10.00", (Refund, Settled, -1000, 1000));
    check("charge", "0.00", (Deposit, Settled, 0, 0));
}

#[test]
fn a_row_is_read_whole_and_its_sum_is_checked() {
    let good = "po_1,txn_1,2026-11-01 09:00:00,2026-11-01 12:00:00,try,100.00,3.20,96.80,charge,ch_1,pi_1";
    let read_as = |map: &str| read(&[good], map).lines[0].clone();
    let line = read_as("");
    assert_eq!((line.event_id(), line.reference()), (Some("txn_1"), Some("ch_1")));
    assert_eq!((line.payout_id(), line.fee_minor), (Some("po_1"), Some(320)));
    assert_eq!(line.occurred_at.to_rfc3339(), "2026-11-01T09:00:00+00:00");
    let mapped = read_as("[columns]\nreference = \"payment_intent_id\"\n");
    assert_eq!(mapped.reference(), Some("pi_1"));
    for (row, column) in [
        (good.replace("96.80", "96.81"), "net"),
        (good.replace("try", "xxx"), "currency"),
        (good.replace("try", "jpy"), "gross"),
        (good.replace("100.00", "1e2"), "gross"),
        (good.replace("charge", ""), "reporting_category"),
        (good.replace("2026-11-01 09:00:00", "yesterday"), "created_utc"),
    ] {
        let read = read(&[good, &row, good], "");
        assert_eq!((read.lines.len(), read.quarantined.len()), (2, 1), "{row}");
        assert_eq!(read.quarantined[0].column.as_deref(), Some(column), "{row}");
        assert_eq!(read.quarantined[0].line_no, 3);
    }
}

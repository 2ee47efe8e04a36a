//! Rows of Adyen's report: debit and credit, fees, zones, and the payout of a batch.

use super::*;
use crate::statement::StatementRead;

const HEADER: &str = "Company Account,Merchant Account,Psp Reference,Merchant Reference,Creation Date,TimeZone,Type,\
                      Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Net Currency,\
                      Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Batch Number";
const SETTLED: &str = "C,M,P1,R1,2026-11-01 12:00:00,TRT,Settled,,TRY,,100.00,TRY,,96.80,3.00,0.20,7";

fn read(rows: &[&str], amounts: Amounts, map: &str) -> (StatementRead, Vec<Check>) {
    let file = format!("{HEADER}\n{}\n", rows.join("\n"));
    let map = FileMap::parse(map).unwrap();
    let mut reader = AdyenReader::open("a", file.as_bytes(), map, amounts).unwrap();
    let read = StatementRead::all(&mut reader).unwrap();
    let checks = reader.checks();
    (read, checks)
}

#[test]
fn a_row_is_read_with_its_direction_fees_and_zone() {
    let refund = "C,M,P1,R1,2026-11-01 12:00:00,Europe/Berlin,Refunded,P9,TRY,40.00,,TRY,40.10,,0.10,,7";
    let (read, _) = read(&[SETTLED, refund], Amounts::Gross, "");
    assert_eq!(read.quarantined, []);
    let [settled, refund] = read.lines.as_slice() else {
        panic!("{read:?}");
    };
    assert_eq!(
        (settled.event_id(), settled.reference()),
        (Some("P1"), Some("R1"))
    );
    assert_eq!((settled.amount_minor, settled.fee_minor), (10_000, Some(320)));
    assert_eq!(settled.payout_id(), Some("M/7"));
    assert_eq!(settled.occurred_at.to_rfc3339(), "2026-11-01T09:00:00+00:00");
    assert_eq!((refund.kind, refund.event_id()), (LineKind::Refund, Some("P9")));
    assert_eq!((refund.amount_minor, refund.effect_minor()), (4000, -4000));
    assert_eq!(refund.occurred_at.to_rfc3339(), "2026-11-01T11:00:00+00:00");
}

#[test]
fn what_does_not_add_up_or_means_several_is_quarantined() {
    let bad = [
        (SETTLED.replace("96.80", "96.81"), "Net Credit (NC)"),
        (SETTLED.replace("TRT", "IST"), "TimeZone"),
        (SETTLED.replace("TRT", "Nowhere/Land"), "TimeZone"),
        (SETTLED.replace("12:00:00", "noon"), "Creation Date"),
        (SETTLED.replace("100.00", "1e2"), "Gross Credit (GC)"),
        (SETTLED.replace("Settled", ""), "Type"),
        (
            SETTLED.replace("100.00", "").replace("96.80", ""),
            "Gross Currency",
        ),
    ];
    for (row, column) in bad {
        let (read, _) = read(&[SETTLED, &row], Amounts::Gross, "");
        assert_eq!((read.lines.len(), read.quarantined.len()), (1, 1), "{row}");
        assert_eq!(read.quarantined[0].column.as_deref(), Some(column), "{row}");
    }
    let declared = "[zones]\nIST = \"Asia/Kolkata\"\n";
    let (read, _) = read(&[&SETTLED.replace("TRT", "IST")], Amounts::Gross, declared);
    assert_eq!(
        read.lines[0].occurred_at.to_rfc3339(),
        "2026-11-01T06:30:00+00:00"
    );
}

#[test]
fn the_payout_of_a_batch_is_the_sum_of_its_rows() {
    let fee = "C,M,,F1,2026-11-02 00:00:00,UTC,Fee,,,,,TRY,1.80,,,,7";
    let payout = |amount: &str| format!("C,M,,,2026-11-02 00:00:00,UTC,MerchantPayout,,,,,TRY,{amount},,,,7");
    for (paid, holds) in [("95.00", true), ("95.01", false)] {
        let (read, checks) = read(&[SETTLED, fee, &payout(paid)], Amounts::Gross, "");
        assert_eq!(
            (read.lines.len(), read.quarantined.len()),
            (2, 0),
            "the payout itself is no row of the ledger"
        );
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].held, holds, "{}", checks[0].detail);
    }
}

#[test]
fn a_payment_in_another_currency_counts_in_the_currency_of_its_payout() {
    let row = "C,M,P1,R1,2026-11-01 12:00:00,UTC,Settled,,EUR,,10.00,TRY,,500.00,3.00,,7";
    let (gross, _) = read(&[row], Amounts::Gross, "");
    assert_eq!(
        (gross.lines[0].currency, gross.lines[0].amount_minor),
        (Currency::EUR, 1000)
    );
    assert_eq!(gross.lines[0].fee_minor, None, "the fee is in another currency");
    let (settled, _) = read(&[row], Amounts::Settled, "");
    let line = &settled.lines[0];
    assert_eq!(
        (line.currency, line.amount_minor, line.fee_minor),
        (Currency::TRY, 50_300, Some(300))
    );
}

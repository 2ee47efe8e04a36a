//! Whatever is done to a sealed row, the chain names it.

use chrono::DateTime;

use super::*;

fn row(seq: i64) -> JournalRow {
    JournalRow {
        seq,
        tenant: TenantId(1),
        transaction: TransactionId(uuid::Uuid::from_u128(seq.unsigned_abs().into())),
        leg: 0,
        kind: "transfer".into(),
        debit: AccountId(1),
        credit: AccountId(2),
        amount: 100 + seq,
        currency: "TRY".into(),
        debit_after: None,
        credit_after: Some(seq),
        reverses: None,
        reference: None,
        metadata: None,
        fingerprint: vec![1; 16],
        posted_at: DateTime::from_timestamp_micros(1_700_000_000_000_000 + seq).unwrap(),
    }
}

fn breaks_after(change: impl FnOnce(&mut Vec<JournalRow>)) -> Vec<Break> {
    let mut rows: Vec<_> = [1, 2, 4, 5, 9].map(row).to_vec();
    let block = seal(&Head::EMPTY, &rows).unwrap();
    change(&mut rows);
    let mut breaks = Vec::new();
    verify(&Head::EMPTY, &block, &rows, &mut breaks);
    breaks
}

#[test]
fn an_untouched_journal_verifies() {
    assert_eq!(breaks_after(|_| {}), []);
}

#[test]
fn every_column_of_a_changed_row_is_noticed() {
    let changes: [fn(&mut JournalRow); 13] = [
        |it| it.tenant = TenantId(2),
        |it| it.transaction = TransactionId::new(),
        |it| it.leg = 1,
        |it| it.kind = "other".into(),
        |it| it.debit = AccountId(3),
        |it| it.credit = AccountId(3),
        |it| it.amount += 1,
        |it| it.currency = "EUR".into(),
        |it| it.debit_after = Some(0),
        |it| it.credit_after = None,
        |it| it.reference = Some("x".into()),
        |it| it.metadata = Some("{}".into()),
        |it| it.posted_at += chrono::TimeDelta::microseconds(1),
    ];
    for change in changes {
        assert_eq!(
            breaks_after(|rows| change(&mut rows[2])),
            [Break::RowChanged { block: 1, seq: 4 }]
        );
    }
}

#[test]
fn a_row_taken_out_put_in_or_moved_is_named() {
    assert_eq!(
        breaks_after(|rows| drop(rows.remove(1))),
        [Break::RowMissing { block: 1, seq: 2 }]
    );
    assert_eq!(
        breaks_after(|rows| drop(rows.pop())),
        [Break::RowMissing { block: 1, seq: 9 }]
    );
    assert_eq!(
        breaks_after(|rows| rows.insert(2, row(3))),
        [Break::RowInserted { block: 1, seq: 3 }]
    );
    let moved = breaks_after(|rows| {
        let (one, two) = (rows[0].seq, rows[1].seq);
        (rows[0].seq, rows[1].seq) = (two, one);
        rows.swap(0, 1);
    });
    assert_eq!(
        moved,
        [
            Break::RowChanged { block: 1, seq: 1 },
            Break::RowChanged { block: 1, seq: 2 }
        ]
    );
}

#[test]
fn a_resealed_block_breaks_the_next_one_and_a_cut_tail_the_anchor() {
    let (first, second) = ([1, 2].map(row), [3, 4].map(row));
    let one = seal(&Head::EMPTY, &first).unwrap();
    let head = Head {
        block: 1,
        seq: 2,
        hash: one.hash,
    };
    let two = seal(&head, &second).unwrap();
    let anchor = Head {
        block: 2,
        seq: 4,
        hash: two.hash,
    };

    let mut forged = first.clone();
    forged[0].amount = 1;
    let resealed = seal(&Head::EMPTY, &forged).unwrap();
    let mut breaks = Vec::new();
    let after = verify(&Head::EMPTY, &resealed, &forged, &mut breaks);
    assert_eq!(breaks, []);
    verify(&after, &two, &second, &mut breaks);
    assert_eq!(breaks, [Break::BlockOrder { block: 2 }]);

    breaks.clear();
    verify_anchor(&anchor, &head, None, &mut breaks);
    assert_eq!(breaks, [Break::TailCut { anchor: 2, head: 1 }]);
    breaks.clear();
    verify_anchor(
        &anchor,
        &Head {
            hash: [9; 32],
            ..anchor
        },
        Some([9; 32]),
        &mut breaks,
    );
    assert_eq!(breaks, [Break::AnchorMismatch { block: 2 }]);
}

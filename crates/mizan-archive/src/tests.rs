//! What is written is read back, and what is not whole is refused.

use std::fs::{File, OpenOptions};

use chrono::DateTime;
use mizan_core::{AccountId, TenantId, TransactionId};
use mizan_ledger::chain::JournalRow;

use super::{Error, Reader, Writer};

fn row(seq: i64, full: bool) -> JournalRow {
    JournalRow {
        seq,
        tenant: TenantId(3),
        transaction: TransactionId::new(),
        leg: 7,
        kind: "transfer".into(),
        debit: AccountId(-1),
        credit: AccountId(i64::MAX),
        amount: seq * 10,
        currency: "TRY".into(),
        debit_after: full.then_some(i64::MIN),
        credit_after: (!full).then_some(0),
        reverses: full.then(TransactionId::new),
        reference: full.then(|| "für Ayşe".into()),
        metadata: (!full).then(|| "{}".into()),
        fingerprint: vec![0, 255, 1],
        posted_at: DateTime::from_timestamp_micros(1_777_000_000_123_456 + seq).expect("in range"),
    }
}

fn read_all(file: File) -> Result<Vec<JournalRow>, Error> {
    let mut reader = Reader::new(file)?;
    let mut rows = Vec::new();
    while let Some(some) = reader.next_rows()? {
        rows.extend(some);
    }
    Ok(rows)
}

#[test]
fn every_column_of_every_group_comes_back_as_it_was() -> Result<(), Box<dyn std::error::Error>> {
    let rows: Vec<_> = (1..=2_500).map(|seq| row(seq, seq % 3 == 0)).collect();
    let file = tempfile::NamedTempFile::new()?;
    let mut writer = Writer::new(file.reopen()?)?;
    for group in rows.chunks(1_000) {
        writer.append(group)?;
    }
    writer.finish()?.sync_all()?;
    assert_eq!(read_all(file.reopen()?)?, rows);
    Ok(())
}

#[test]
fn a_file_without_rows_is_whole_and_one_without_an_end_is_not() -> Result<(), Box<dyn std::error::Error>> {
    let file = tempfile::NamedTempFile::new()?;
    Writer::new(file.reopen()?)?.finish()?;
    assert_eq!(read_all(file.reopen()?)?, []);

    let mut writer = Writer::new(OpenOptions::new().write(true).truncate(true).open(file.path())?)?;
    writer.append(&[row(1, true)])?;
    drop(writer);
    assert!(read_all(file.reopen()?).is_err());
    Ok(())
}

//! Parquet files as banks and warehouses write them, and those that are damaged.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::statement::{Format, Opened, Opening, StatementRead};

const SCHEMA: &str = "message rows {
    required binary id (UTF8);
    required binary ref (UTF8);
    required int64 amount (DECIMAL(18, 3));
    required int64 at (TIMESTAMP(MICROS, true));
    optional binary note (UTF8);
    optional double weight;
}";
const MAP: &str = "[columns]\nevent_id = \"id\"\nreference = \"ref\"\namount = \"amount\"\noccurred_at = \"at\"\n\
                   [constant]\nkind = \"deposit\"\ncurrency = \"TRY\"\nstatus = \"settled\"\n";

/// A file of some row groups; a row is its unscaled amount.
fn written(groups: &[&[i64]]) -> File {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let file = tempfile::tempfile().unwrap();
    let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, Arc::default()).unwrap();
    let mut row = 0;
    for amounts in groups {
        let texts = |prefix: &str| -> Vec<ByteArray> {
            let numbers = row..row + amounts.len();
            numbers
                .map(|it| format!("{prefix}{it}").as_str().into())
                .collect()
        };
        let mut group = writer.next_row_group().unwrap();
        for column in 0.. {
            let Some(mut out) = group.next_column().unwrap() else {
                break;
            };
            match (column, out.untyped()) {
                (0, ColumnWriter::ByteArrayColumnWriter(it)) => it.write_batch(&texts("e"), None, None),
                (1, ColumnWriter::ByteArrayColumnWriter(it)) => it.write_batch(&texts("r"), None, None),
                (2, ColumnWriter::Int64ColumnWriter(it)) => it.write_batch(amounts, None, None),
                (3, ColumnWriter::Int64ColumnWriter(it)) => {
                    it.write_batch(&vec![1_767_225_600_000_000; amounts.len()], None, None)
                }
                (_, ColumnWriter::ByteArrayColumnWriter(it)) => {
                    it.write_batch(&[], Some(&vec![0; amounts.len()]), None)
                }
                (_, ColumnWriter::DoubleColumnWriter(it)) => {
                    it.write_batch(&[], Some(&vec![0; amounts.len()]), None)
                }
                _ => unreachable!("another column"),
            }
            .unwrap();
            out.close().unwrap();
        }
        group.close().unwrap();
        row += amounts.len();
    }
    writer.close().unwrap();
    file
}

fn start(mut file: File, format: Option<Format>, map: &str) -> Result<Box<dyn LineSource>, StatementError> {
    file.seek(SeekFrom::Start(0)).unwrap();
    let opening = Opening {
        format,
        map: Some(FileMap::parse(map).unwrap()),
        ..Opening::default()
    };
    match crate::statement::open::open_file("f", file, &opening)? {
        Opened::Lines(Format::Parquet, source) => Ok(source),
        other => panic!("{other:?}"),
    }
}

fn read(file: File, map: &str) -> StatementRead {
    StatementRead::all(&mut *start(file, None, map).unwrap()).unwrap()
}

#[test]
fn rows_of_all_row_groups_are_read_exactly_and_in_order() {
    let read = read(written(&[&[1_000, 9_007_199_254_740_993_000], &[50, -10]]), MAP);
    let amounts: Vec<_> = read.lines.iter().map(|it| (it.row_no, it.amount_minor)).collect();
    assert_eq!(amounts, [(1, 100), (2, 900_719_925_474_099_300), (3, 5), (4, -1)]);
    assert_eq!(read.quarantined, []);
    assert_eq!(
        read.lines[0].occurred_at.to_rfc3339(),
        "2026-01-01T00:00:00+00:00"
    );
    assert_eq!(
        (read.lines[2].event_id(), read.lines[2].reference()),
        (Some("e2"), Some("r2"))
    );
    assert_eq!(read.ignored_columns, ["note", "weight"]);
    let shares = StatementRead::by_shares(
        &mut *start(written(&[&[1_000], &[50]]), Some(Format::Parquet), MAP).unwrap(),
    );
    assert_eq!(shares.unwrap().lines.len(), 2);
}

#[test]
fn what_is_no_amount_is_quarantined_and_never_rounded() {
    let tenth_of_a_kurus = read(written(&[&[1_001]]), MAP);
    assert_eq!(tenth_of_a_kurus.quarantined[0].column.as_deref(), Some("amount"));
    let weight = read(
        written(&[&[1_000]]),
        &MAP.replace("amount = \"amount\"", "amount = \"weight\""),
    );
    assert_eq!(
        (weight.lines.len(), weight.quarantined.len()),
        (0, 1),
        "no value is not zero"
    );
    let minor = MAP
        .replace("amount = \"amount\"", "amount = \"at\"")
        .replace("[columns]", "[file]\nminor_units = true\n[columns]");
    assert!(
        read(written(&[&[1_000]]), &minor).quarantined[0]
            .reason
            .contains("whole number")
    );
}

#[test]
fn a_float_is_no_amount() {
    for field in [Field::Double(1.0), Field::Float(1.0), Field::Bool(true)] {
        assert!(text(&field).unwrap().is_err(), "{field}");
    }
}

#[test]
fn decimals_become_their_digits() {
    let check = |unscaled: i64, scale: i32, expected: &str| {
        assert_eq!(
            decimal(&Decimal::from_i64(unscaled, 18, scale)).unwrap(),
            expected
        );
    };
    check(0, 2, "0");
    check(-5, 2, "-0.05");
    check(123_456, 3, "123.456");
    check(1_200, 2, "12");
    check(i64::MIN, 0, "-9223372036854775808");
    let wide = Decimal::from_bytes(vec![0xff; 17].into(), 40, 2);
    assert!(decimal(&wide).is_err());
}

#[test]
fn a_file_without_the_columns_is_refused_by_their_names() {
    let error = start(written(&[&[1]]), None, &MAP.replace("\"amount\"", "\"Betrag\""))
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(text.contains("Betrag") && text.contains("weight"), "{text}");
}

#[test]
fn a_file_that_breaks_off_or_is_damaged_is_refused_and_nothing_panics() {
    let mut whole = Vec::new();
    let mut file = written(&[&[1_000; 50]]);
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut whole).unwrap();
    let with = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let source = start(file, Some(Format::Parquet), MAP);
        source.and_then(|mut it| StatementRead::all(&mut *it))
    };
    for cut in 4..whole.len() {
        assert!(with(&whole[..cut]).is_err(), "cut at {cut}");
    }
    let expected = with(&whole).unwrap();
    for place in (4..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        if let Ok(read) = with(&bytes) {
            assert!(
                read.lines.len() + read.quarantined.len() <= expected.lines.len(),
                "{place}"
            );
        }
    }
}

#[test]
fn a_parquet_file_is_not_read_as_another_format_nor_another_as_parquet() {
    let error = start(written(&[&[1]]), Some(Format::Generic), MAP)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("--format parquet"), "{error}");
    let mut csv = tempfile::tempfile().unwrap();
    csv.write_all(b"id,amount\n1,2\n").unwrap();
    let error = start(csv, Some(Format::Parquet), MAP).err().unwrap().to_string();
    assert!(error.contains("--format generic"), "{error}");
}

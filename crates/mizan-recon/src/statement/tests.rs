//! Files as they come: well formed, odd, broken, and not of the format at all.

use std::io::{BufReader, Read};

use chrono_tz::Europe::Istanbul;
use mizan_core::Currency;
use proptest::prelude::*;

use super::{ColumnMap, GenericReader, SignConvention, StatementError, StatementRead};
use crate::line::{Line, LineKind, LineStatus};

const HEADER: &str = "provider_event_id,provider_ref,type,amount,fee,currency,status,occurred_at,payout_id";
const GOOD: &str = "evt_1,pi_1,deposit,10.50,0.30,TRY,settled,2026-11-01T09:00:00+00:00,po_1";

fn open(file: &[u8], map: ColumnMap) -> Result<StatementRead, StatementError> {
    // A buffer smaller than a line: nothing may depend on where a block ends.
    let mut reader = GenericReader::open("psp.csv", BufReader::with_capacity(7, file), map)?;
    StatementRead::all(&mut reader)
}

fn read(file: &str) -> StatementRead {
    open(file.as_bytes(), ColumnMap::default()).unwrap()
}

fn ids(read: &StatementRead) -> Vec<&str> {
    read.lines.iter().filter_map(Line::event_id).collect()
}

#[test]
fn a_row_is_read_whole() {
    let read = read(&format!("{HEADER}\n{GOOD}\n"));
    let line = &read.lines[0];
    assert_eq!(
        (line.event_id(), line.reference(), line.payout_id()),
        (Some("evt_1"), Some("pi_1"), Some("po_1"))
    );
    assert_eq!(
        (line.row_no, line.amount_minor, line.fee_minor),
        (2, 1050, Some(30))
    );
    assert_eq!(
        (line.kind, line.status, line.currency),
        (LineKind::Deposit, LineStatus::Settled, Currency::TRY)
    );
    assert_eq!(line.occurred_at.to_rfc3339(), "2026-11-01T09:00:00+00:00");
    assert_eq!((read.quarantined.len(), read.ignored_columns.len()), (0, 0));
}

#[test]
fn the_ledgers_extract_is_read_with_the_same_map_and_names_what_it_ignores() {
    let read = read(
        "provider_event_id,provider_ref,transaction_id,tenant_id,player_id,type,amount,currency,status,occurred_at\n\
         evt_1,pi_1,tx_1,default,p1,withdraw,500,JPY,settled,2026-11-01T09:00:00Z\n",
    );
    assert_eq!(
        (read.lines[0].transaction_id(), read.lines[0].fee_minor),
        (Some("tx_1"), None)
    );
    assert_eq!(read.ignored_columns, ["tenant_id", "player_id"]);
}

/// One bad row between two good ones: it is quarantined with its line and column, and harms neither.
fn check_bad(row: &str, column: Option<&str>, reason: &str) {
    let read = read(&format!(
        "{HEADER}\n{GOOD}\n{row}\n{}\n",
        GOOD.replace("evt_1", "evt_9")
    ));
    assert_eq!(ids(&read), ["evt_1", "evt_9"], "{row}");
    let [bad] = read.quarantined.as_slice() else {
        panic!("{row}: {:?}", read.quarantined);
    };
    assert_eq!(
        (bad.line_no, bad.column.as_deref()),
        (3, column),
        "{row}: {}",
        bad.reason
    );
    assert!(bad.reason.contains(reason), "{row}: {}", bad.reason);
    assert!(row.starts_with(&bad.raw_excerpt), "{row}: {}", bad.raw_excerpt);
}

#[test]
fn a_bad_amount_is_quarantined_and_never_zero() {
    for amount in [
        "1e3", " 10", "10 ", "NaN", "", "true", "null", "1.234.56", "+1", "-", "0x10", "١",
    ] {
        check_bad(
            &GOOD.replace("10.50", amount),
            Some("amount"),
            "plain decimal number",
        );
    }
    check_bad(
        &GOOD.replace("10.50", "\"1,234.56\""),
        Some("amount"),
        "plain decimal number",
    );
    check_bad(
        &GOOD.replace("10.50", "1.005"),
        Some("amount"),
        "TRY has 2 decimals",
    );
    check_bad(&GOOD.replace("TRY", "JPY"), Some("amount"), "JPY has 0 decimals");
    check_bad(
        &GOOD.replace("TRY", "KWD").replace("10.50", "1.2345"),
        Some("amount"),
        "KWD has 3 decimals",
    );
    check_bad(
        &GOOD.replace("10.50", "99999999999999999999"),
        Some("amount"),
        "larger than can be kept",
    );
    check_bad(&GOOD.replace("0.30", "null"), Some("fee"), "plain decimal number");
}

#[test]
fn a_bad_row_is_quarantined_with_its_line_column_and_reason() {
    check_bad(
        &GOOD.replace("TRY", "XXX"),
        Some("currency"),
        "'XXX' is not an ISO 4217",
    );
    check_bad(&GOOD.replace("TRY", "try"), Some("currency"), "'try'");
    check_bad(
        &GOOD.replace("settled", "done"),
        Some("status"),
        "known: settled, pending, failed",
    );
    check_bad(&GOOD.replace("deposit", "gift"), Some("type"), "'gift'");
    check_bad(
        &GOOD.replace("2026-11-01T09:00:00+00:00", "01.11.2026"),
        Some("occurred_at"),
        "a time is written like",
    );
    check_bad(
        &GOOD.replace("evt_1", "").replace("pi_1", ""),
        None,
        "nothing to match the row by",
    );
    check_bad(
        &GOOD.replace("pi_1", " pi_1"),
        Some("provider_ref"),
        "white space",
    );
    check_bad(
        &GOOD.replace("pi_1", &"x".repeat(256)),
        Some("provider_ref"),
        "longer than 255 bytes",
    );
    check_bad(&GOOD.replace("pi_1", "pi\0"), Some("provider_ref"), "NUL");
    check_bad(&GOOD.replace(",po_1", ""), None, "8 fields, the header has 9");
    check_bad(&format!("{GOOD},more"), None, "10 fields, the header has 9");
    check_bad(
        &GOOD.replace("pi_1", "\"pi_1"),
        None,
        "a quote is opened and not closed",
    );
    check_bad(&"x".repeat(70_000), None, "longer than 65536 bytes");
}

#[test]
fn a_row_that_is_not_utf_8_is_quarantined_alone() {
    let file = format!("{HEADER}\n{GOOD}\nXX{GOOD}\n{GOOD}\n").into_bytes();
    let at = file.windows(2).position(|it| it == b"XX").unwrap();
    let mut file = file;
    file[at] = 0xff;
    let read = open(&file, ColumnMap::default()).unwrap();
    assert_eq!((read.lines.len(), read.quarantined.len()), (2, 1));
    assert_eq!(read.quarantined[0].reason, "not UTF-8");
}

#[test]
fn bom_crlf_empty_lines_and_quoted_line_breaks_are_read() {
    let row = |id: &str, note: &str| GOOD.replace("evt_1", id) + "," + note;
    let file = format!(
        "\u{feff}{HEADER},note\r\n{}\r\n\r\n{}\r\n{}\n{}",
        row("evt_1", "\"two\r\nlines, \"\"quoted\"\"\""),
        row("evt_2", "\"a, b\""),
        row("evt_3", "5\" pipe"),
        row("evt_4", "no line end"),
    );
    let read = read(&file);
    assert_eq!(read.quarantined, []);
    assert_eq!(ids(&read), ["evt_1", "evt_2", "evt_3", "evt_4"]);
    assert_eq!(
        read.lines.iter().map(|it| it.row_no).collect::<Vec<_>>(),
        [2, 5, 6, 7]
    );
    assert_eq!(read.ignored_columns, ["note"]);
}

#[test]
fn a_quote_that_is_never_closed_costs_one_row_and_not_the_rest_of_the_file() {
    let rows: String = (2..200)
        .map(|i| GOOD.replace("evt_1", &format!("evt_{i}")) + "\n")
        .collect();
    let read = read(&format!("{HEADER}\n{}\n{rows}", GOOD.replace("pi_1", "\"pi_1")));
    assert_eq!((read.lines.len(), read.quarantined.len()), (198, 1));
    assert_eq!(read.lines[0].row_no, 3);
}

#[test]
fn separators_are_found_and_the_declared_map_is_obeyed() {
    for separator in [';', '\t', '|'] {
        let file = format!("{HEADER}\n{GOOD}\n").replace(',', &separator.to_string());
        assert_eq!(ids(&read(&file)), ["evt_1"], "{separator:?}");
    }
    let map = ColumnMap {
        decimal_comma: true,
        time_zone: Istanbul,
        signs: SignConvention::Signed,
        kind_words: vec![("İade".to_owned(), LineKind::Refund)],
        reference: "İşlem No".to_owned(),
        amount: "Tutar".to_owned(),
        ..ColumnMap::default()
    };
    let file = "İşlem No;TYPE;Tutar;currency;status;occurred_at\n\
                A1;İade;-1234,50;TRY;settled;2026-11-01 23:59:59\n";
    let read = open(file.as_bytes(), map).unwrap();
    assert_eq!(read.quarantined, []);
    let line = &read.lines[0];
    assert_eq!(
        (line.reference(), line.kind, line.amount_minor),
        (Some("A1"), LineKind::Refund, 123_450)
    );
    assert_eq!(line.effect_minor(), -123_450);
    assert_eq!(line.occurred_at.to_rfc3339(), "2026-11-01T20:59:59+00:00");
}

#[test]
fn a_file_of_another_format_is_refused_with_what_was_expected_and_seen() {
    let check = |file: &[u8], parts: &[&str]| {
        let error = open(file, ColumnMap::default()).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{error}: no {part}");
        }
    };
    check(b"", &["the file is empty", "provider_event_id or provider_ref"]);
    check(b"\xef\xbb\xbf", &["the file is empty"]);
    check(b"\n\n", &["the file is empty"]);
    check(
        b"a;b;c\n1;2;3\n",
        &[
            "no column type",
            "expected provider_event_id or provider_ref, type, amount",
            "seen a",
        ],
    );
    check(
        HEADER.replace("provider_event_id,provider_ref,", "").as_bytes(),
        &["no column provider_event_id or provider_ref"],
    );
    check(
        HEADER.replace("amount", "sum").as_bytes(),
        &["no column amount", "sum, fee"],
    );
    check(HEADER.replace("fee", "amount").as_bytes(), &["'amount' twice"]);
    check(b"PK\x03\x04....", &["spreadsheet"]);
    check(b"\x1f\x8b\x08", &["gzip"]);
    check(b"\xff\xfep\0r\0", &["UTF-16"]);
    check(b"abc\0def", &["NUL"]);
    check(b"\x89PNG\r\n", &["not UTF-8"]);
    check("x".repeat(70_000).as_bytes(), &["longer than 65536 bytes"]);
    assert_eq!(
        read(&format!("{HEADER}\n")),
        StatementRead::default(),
        "a header alone is a file of no rows"
    );
}

#[test]
fn a_file_that_breaks_off_says_where() {
    struct Broken<'a>(&'a [u8]);
    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk went away")),
                read => Ok(read),
            }
        }
    }
    let file = format!("{HEADER}\n{GOOD}\n{GOOD}\n");
    let mut reader =
        GenericReader::open("a", BufReader::new(Broken(file.as_bytes())), ColumnMap::default()).unwrap();
    let error = StatementRead::all(&mut reader).unwrap_err().to_string();
    assert!(error.contains("line 4"), "{error}");
}

/// Parts of a file that fit together in many ways: rows, broken rows, quotes, line ends, and lines far too long.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = |it: &str| Just(it.as_bytes().to_vec());
    prop_oneof![
        6 => text(&format!("{GOOD},\n")),
        3 => text(&format!("{GOOD},\"two\r\nlines, \"\"quoted\"\"\"\r\n")),
        2 => text(&format!("{GOOD},\"opened\n")),
        1 => text(&format!("{GOOD},5\" pipe\n")),
        1 => (0..45_usize).prop_map(|lines| format!("{GOOD},\"{}\"\n", "a\n".repeat(lines)).into_bytes()),
        1 => text(&GOOD.replace("10.50", "1e3")),
        2 => text("\n"),
        1 => text("\""),
        1 => text("\r\n\r"),
        1 => prop::collection::vec(any::<u8>(), 0..9),
        1 => (0..4_usize).prop_map(|over| vec![b'x'; 65_534 + over]),
        1 => Just(vec![b'"'; 65_537]),
    ]
}

proptest! {
    #[test]
    fn every_row_that_was_written_is_read_or_quarantined(cells in prop::collection::vec("[ -~]{0,12}", 0..40)) {
        let mut file = csv::Writer::from_writer(Vec::new());
        file.write_record(HEADER.split(',')).unwrap();
        for cell in &cells {
            file.write_record(GOOD.split(',').map(|it| if it == "pi_1" { cell.as_str() } else { it })).unwrap();
        }
        let read = open(&file.into_inner().unwrap(), ColumnMap::default()).unwrap();
        prop_assert_eq!(read.lines.len() + read.quarantined.len(), cells.len());
        let good = |it: &&String| it.trim() == it.as_str();
        let seen = read.lines.iter().map(|it| it.reference().unwrap_or_default().to_owned());
        prop_assert_eq!(seen.collect::<Vec<_>>(), cells.iter().filter(good).cloned().collect::<Vec<_>>());
    }

    #[test]
    fn shares_of_any_size_read_what_the_rows_one_by_one_are(
        pieces in prop::collection::vec(piece(), 0..60), block in 1..300_usize, small: bool,
    ) {
        let file = [HEADER.as_bytes(), b",note\n", &pieces.concat()].concat();
        let reader = || GenericReader::open("psp.csv", BufReader::new(&file[..]), ColumnMap::default()).unwrap();
        let one_by_one = StatementRead::all(&mut reader()).unwrap();
        let block = if small { block } else { block * 700 };
        let shares = StatementRead::by_shares(&mut reader().with_block(block)).unwrap();
        prop_assert_eq!(shares.lines.len(), one_by_one.lines.len());
        prop_assert_eq!(shares, one_by_one);
    }

    #[test]
    fn any_bytes_after_a_header_are_read_or_quarantined_without_a_panic(bytes: Vec<u8>) {
        let file = [HEADER.as_bytes(), b"\n", &bytes].concat();
        let read = open(&file, ColumnMap::default()).unwrap();
        prop_assert!(read.lines.len() + read.quarantined.len() <= bytes.len());
    }
}

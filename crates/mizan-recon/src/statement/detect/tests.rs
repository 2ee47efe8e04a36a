//! Formats are told by the beginning of a file, and what is of another one is refused in words.

use std::io::{self, BufReader, Read};

use super::super::open::{Opened, Opening, open};
use super::super::{Row, StatementRead};
use super::*;

#[test]
fn a_format_is_found_by_the_beginning_of_the_file() {
    let check = |head: &[u8], expected: Result<Format, &str>| match (Format::detect(head), expected) {
        (Ok(seen), Ok(expected)) => assert_eq!(seen, expected),
        (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}: no {part}"),
        (seen, expected) => panic!(
            "{}: {seen:?}, expected {expected:?}",
            String::from_utf8_lossy(head)
        ),
    };
    check(
        b"<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.04\">",
        Ok(Format::Camt053),
    );
    check(
        b"\xef\xbb\xbf<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'>",
        Ok(Format::Camt053),
    );
    check(
        b"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.02\">",
        Err("camt.054 notification"),
    );
    check(b"<html><body>Sign in</body></html>", Err("a web page"));
    check(b"<rows/>", Err("it is XML, but no camt.053"));
    check(
        b"{1:F01BANKTRISAXXX0000000000}{2:O940}{4:\n:20:X\n",
        Ok(Format::Mt940),
    );
    check(b"\r\n:20:STARTUMSE\r\n:25:1\r\n", Ok(Format::Mt940));
    check(b"ABNANL2A\n940\nABNANL2A\n:20:X\n", Ok(Format::Mt940));
    check(b"{\"provider_event_id\":\"e1\"}\n", Ok(Format::Ndjson));
    check(b"[{\"a\":1}]", Err("JSON array"));
    check(
        b"automatic_payout_id,balance_transaction_id,currency,reporting_category\n",
        Ok(Format::Stripe),
    );
    check(
        b"Company Account,Psp Reference,Gross Credit (GC)\n",
        Ok(Format::Adyen),
    );
    check(b"provider_event_id,amount\n", Ok(Format::Generic));
    check(b"", Err("empty"));
    check(b"\xef\xbb\xbf \r\n", Err("empty"));
    check(b"PK\x03\x04", Err("spreadsheet"));
    check(b"\x1f\x8b", Err("gzip"));
    check(b"%PDF-1.7", Err("PDF"));
    check(b"\xff\xfea\0", Err("UTF-16"));
}

#[test]
fn a_file_of_another_format_is_named_with_the_option_that_reads_it() {
    let check = |declared: Format, head: &[u8], expected: &str| {
        let opening = Opening {
            format: Some(declared),
            ..Opening::default()
        };
        let error = open("f", BufReader::new(head), &opening).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}: no {expected}");
    };
    let camt = b"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>";
    check(
        Format::Mt940,
        camt,
        "this is a camt.053 file, not mt940: say --format camt053",
    );
    check(Format::Generic, camt, "say --format camt053");
    check(
        Format::Camt053,
        b":20:X\n:25:Y\n",
        "this is a MT940 file, not camt053: say --format mt940",
    );
    check(Format::Stripe, b"{\"a\":1}\n", "say --format ndjson");
    check(
        Format::Adyen,
        b"a,b\n1,2\n",
        "not of the adyen format: no column Psp Reference",
    );
    check(Format::Camt053, b"a,b\n1,2\n", "this is a CSV file, not camt053");
    check(
        Format::Stripe,
        b"balance_transaction_id,gross\n",
        "no column currency",
    );
}

/// Bytes without end, made as they are read: a reader that keeps them all would not come back.
struct Endless<'a> {
    head: &'a [u8],
    left: u64,
    fill: u8,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.head.is_empty() {
            return self.head.read(buffer);
        }
        let amount = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..amount].fill(self.fill);
        self.left -= amount as u64;
        Ok(amount)
    }
}

#[test]
fn a_line_that_does_not_end_is_quarantined_or_refused_in_bounded_memory() {
    const BYTES: u64 = 1 << 27;
    let check = |head: &str, expected: &str| {
        let endless = Endless {
            head: head.as_bytes(),
            left: BYTES,
            fill: b'x',
        };
        let reason = match open(
            "f",
            BufReader::with_capacity(1 << 20, endless),
            &Opening::default(),
        ) {
            Err(error) => error.to_string(),
            Ok(Opened::Lines(_, mut source)) => match source.next_row() {
                Err(error) => error.to_string(),
                Ok(Some(Row::Quarantined(row))) => row.reason,
                Ok(other) => panic!("{head}: {other:?}"),
            },
            Ok(Opened::Bank(_, mut source)) => match source.next_row() {
                Err(error) => error.to_string(),
                Ok(Some(crate::bank::BankRow::Quarantined(row))) => row.reason,
                Ok(other) => panic!("{head}: {other:?}"),
            },
        };
        assert!(reason.contains(expected), "{head}: {reason}");
    };
    check("{\"provider_event_id\":\"", "longer than 65536 bytes");
    check(
        ":20:X\n:60F:C260101EUR1,\n:61:260102C1,NTRF",
        "longer than 65536 bytes",
    );
    check(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><Stmt><Id>",
        "a tag or text is longer than 65536 bytes",
    );
    check(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\" a=\"",
        "longer than 65536 bytes",
    );
    check(
        "balance_transaction_id,reporting_category,",
        "longer than 65536 bytes",
    );
}

#[test]
fn a_map_that_declares_its_encoding_opens_a_file_of_any_format() {
    let map = "[file]\nencoding = \"utf-16le\"\n";
    let opening = Opening {
        map: Some(super::super::FileMap::parse(map).unwrap()),
        ..Opening::default()
    };
    let text = "{\"provider_ref\":\"İ1\",\"type\":\"deposit\",\"amount\":\"1\",\"currency\":\"TRY\",\
                \"status\":\"settled\",\"occurred_at\":\"2026-11-01\"}\n";
    let bytes: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let opened = open("f", BufReader::new(bytes.as_slice()), &opening).unwrap();
    let Opened::Lines(Format::Ndjson, mut source) = opened else {
        panic!("{opened:?}");
    };
    let read = StatementRead::all(&mut *source).unwrap();
    assert_eq!(read.lines[0].reference(), Some("İ1"));
}

/// The other half is in the tests of the reader, which are there only with the feature.
#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_file_is_refused_with_the_feature_that_reads_it() {
    use std::io::{Seek, Write};

    use crate::statement::open::open_file;

    for declared in [None, Some(Format::Parquet)] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"PAR1 and more").unwrap();
        file.rewind().unwrap();
        let opening = Opening {
            format: declared,
            ..Opening::default()
        };
        let error = open_file("f", file, &opening).unwrap_err().to_string();
        assert!(error.contains("--features mizan/parquet"), "{error}");
    }
}

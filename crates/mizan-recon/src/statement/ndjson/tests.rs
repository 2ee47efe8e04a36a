//! One object a line: amounts are exact, and a bad line harms no other.

use super::*;
use crate::statement::StatementRead;

const GOOD: &str = r#"{"provider_event_id":"e1","provider_ref":"r1","type":"deposit","amount":"10.50","fee":0.30,"currency":"TRY","status":"settled","occurred_at":"2026-11-01T09:00:00Z","payout_id":"po_1"}"#;

fn read(file: &str) -> StatementRead {
    let mut reader = NdjsonReader::open("a", io_of(file), FileMap::default());
    StatementRead::all(&mut reader).unwrap()
}

fn io_of(file: &str) -> impl BufRead {
    std::io::BufReader::with_capacity(7, file.as_bytes())
}

#[test]
fn an_object_is_read_whole_and_what_nothing_reads_is_named() {
    let extra = GOOD.replace('}', r#","note":{"deep":[1,2]},"name":"\u0130"}"#);
    let read = read(&format!("\u{feff}{GOOD}\r\n\n{extra}"));
    assert_eq!(read.quarantined, []);
    assert_eq!(read.lines[0].amount_minor, 1050);
    assert_eq!(
        (read.lines[0].fee_minor, read.lines[0].payout_id()),
        (Some(30), Some("po_1"))
    );
    assert_eq!(read.lines[1].row_no, 3);
    assert_eq!(read.ignored_columns, ["note", "name"]);
}

#[test]
fn a_number_is_read_by_its_decimal_text_and_nothing_is_zero_by_mistake() {
    let amount = |written: &str| {
        let read = read(&GOOD.replace("\"10.50\"", written));
        match read.lines.first() {
            Some(line) => Ok(line.amount_minor),
            None => Err(read.quarantined[0].clone()),
        }
    };
    assert_eq!(
        amount("90071992547409.93"),
        Ok(9_007_199_254_740_993),
        "2^53 and more"
    );
    assert_eq!(amount("0"), Ok(0));
    for (written, reason) in [
        ("1e3", "plain decimal"),
        ("1.005", "TRY has 2 decimals"),
        ("null", "missing"),
        ("true", "a text or a number"),
        ("[1]", "a text or a number"),
        ("\"\"", "plain decimal"),
        ("\" 10\"", "plain decimal"),
        ("\"1,234.56\"", "plain decimal"),
    ] {
        let bad = amount(written).unwrap_err();
        assert!(bad.reason.contains(reason), "{written}: {bad:?}");
        assert_eq!(bad.column.as_deref(), Some("amount"), "{written}");
    }
}

#[test]
fn a_bad_line_is_quarantined_alone() {
    for (bad, reason) in [
        ("{", "not one JSON object"),
        ("[1]", "not one JSON object"),
        ("{} {}", "not one JSON object"),
        (r#"{"type":"deposit","type":"refund"}"#, "stands there twice"),
        ("{}", "missing"),
        ("\"text\"", "not one JSON object"),
        (&format!("{{\"a\":{}", "[".repeat(30_000)), "not one JSON object"),
        (&"x".repeat(70_000), "longer than 65536 bytes"),
    ] {
        let read = read(&format!("{GOOD}\n{bad}\n{GOOD}\n"));
        assert_eq!((read.lines.len(), read.quarantined.len()), (2, 1), "{bad:.40}");
        let row = &read.quarantined[0];
        assert_eq!(row.line_no, 2);
        assert!(row.reason.contains(reason), "{bad:.40}: {}", row.reason);
    }
}

//! MT940 as it comes: optional parts, dialects, several messages, and what is wrong with it.

use super::*;
use crate::bank::BankRead;

fn read(file: &str) -> BankRead {
    let input = std::io::BufReader::with_capacity(7, file.as_bytes());
    BankRead::all(&mut Mt940Reader::open("bank", input)).unwrap()
}

/// One entry between balances that fit it.
fn entry(field: &str) -> BankRead {
    read(&format!(
        ":20:X\n:25:TR01\n:28C:1/1\n:60F:C260101TRY0,\n:61:{field}\n:62F:C260131TRY0,\n-\n"
    ))
}

#[test]
fn an_entry_is_read_with_every_optional_part() {
    let check = |field: &str, amount: i64, booked: &str, references: &[&str]| {
        let read = entry(field);
        let line = read
            .lines
            .first()
            .unwrap_or_else(|| panic!("{field}: {:?}", read.quarantined));
        assert_eq!(line.amount_minor, amount, "{field}");
        assert_eq!(line.booked_on.to_string(), booked, "{field}");
        assert_eq!(line.references, references, "{field}");
    };
    check("2601020103C10,50NTRFNONREF", 1050, "2026-01-03", &[]);
    check(
        "260102D10,NTRFREF1//BANK1\nmore words",
        -1000,
        "2026-01-02",
        &["REF1", "BANK1"],
    );
    check("260102CY10,5S051", 1050, "2026-01-02", &[]);
    check("260102RC10,00NMSCX", -1000, "2026-01-02", &["X"]);
    check("260102RD10,00NMSCX", 1000, "2026-01-02", &["X"]);
    check("260102RDR10,00NMSCX", 1000, "2026-01-02", &["X"]);
    check("2601021231C1,NTRFX", 100, "2025-12-31", &["X"]);
    check("2512310101C1,NTRFX", 100, "2026-01-01", &["X"]);
    check("260102C0,NTRFX", 0, "2026-01-02", &["X"]);
    assert!(entry("260102RC1,NTRFX").lines[0].reversal);
    assert!(
        !entry("260102EC1,NTRFX").lines[0].booked,
        "an expected credit is not booked"
    );
}

#[test]
fn a_bad_entry_is_quarantined_alone_with_the_part_at_fault() {
    for (field, part) in [
        ("260230C1,NTRFX", "61 value date"),
        ("2601029999C1,NTRFX", "61 entry date"),
        ("260102X1,NTRFX", "61 mark"),
        ("260102C1NTRFX", "61 amount"),
        ("260102C1.50NTRFX", "61 amount"),
        ("260102C1,005NTRFX", "61 amount"),
        ("260102C99999999999999999999,NTRFX", "61 amount"),
        ("260102C1,", "61 type"),
        ("260102C1,ntrfX", "61 type"),
        ("", "61 value date"),
        ("İİİİİİİİ", "61 value date"),
    ] {
        let read = read(&format!(
            ":20:X\n:60F:C260101TRY0,\n:61:260102C1,NTRFA\n:61:{field}\n:61:260102C1,NTRFB\n:62F:C260131TRY2,\n-\n"
        ));
        assert_eq!((read.lines.len(), read.quarantined.len()), (2, 1), "{field}");
        let row = &read.quarantined[0];
        assert_eq!(
            (row.line_no, row.column.as_deref()),
            (4, Some(part)),
            "{field}: {}",
            row.reason
        );
        assert!(
            read.checks[0].detail.contains("1 quarantined"),
            "{:?}",
            read.checks
        );
    }
}

#[test]
fn details_run_over_lines_and_their_references_are_found() {
    let structured = entry(
        "260102C1,NTRFNONREF\n:86:166?00GUTSCHRIFT?20EREF+po_2026110\n1_TRY?21SVWZ+Payout Nov?22ember?30BIC?60KREF+K1",
    );
    assert_eq!(structured.lines[0].references, ["po_20261101_TRY", "K1"]);
    assert!(
        structured.lines[0].text.contains("SVWZ+Payout November"),
        "{}",
        structured.lines[0].text
    );
    let free = entry("260102C1,NTRFNONREF\n:86:STRIPE PAYOUT\npo_9 EREF+NOTPROVIDED");
    assert_eq!(free.lines[0].text, "STRIPE PAYOUT po_9 EREF+NOTPROVIDED");
    assert_eq!(free.lines[0].references, [""; 0]);
}

#[test]
fn balances_are_checked_and_a_cut_off_file_is_told() {
    let message = |opening: &str, closing: &str| {
        format!(":20:X\n:25:TR01\n:60F:{opening}\n:61:260102D10,NTRFX\n:61:260102C3,NTRFY\n{closing}-\n")
    };
    let check = |opening: &str, closing: &str, held: bool, part: &str| {
        let read = read(&message(opening, closing));
        assert_eq!(read.checks.len(), 1, "{:?}", read.checks);
        assert_eq!(read.checks[0].held, held, "{:?}", read.checks);
        assert!(read.checks[0].detail.contains(part), "{:?}", read.checks);
    };
    check(
        "C260101TRY5,00",
        ":62F:D260102TRY2,00\n",
        true,
        "opening 5.00 + 2 rows -7.00 = -2.00, closing -2.00",
    );
    check("C260101TRY5,00", ":62F:D260102TRY2,01\n", false, "closing -2.01");
    check("C260101TRY5,00", ":62M:D2601022,00\n", true, "closing -2.00");
    check("C260101TRY5,00", ":62F:D260102EUR2,00\n", false, "closing in EUR");
    check("C260101TRY5,00", "", false, "may be cut off");
    check(
        "C260101XXX5,00",
        ":62F:D260102TRY2,00\n",
        false,
        "the opening balance cannot be read",
    );
    check(
        "C260101TRY5,00",
        ":62F:D2601\n",
        false,
        "the closing balance of line",
    );
}

#[test]
fn several_messages_in_the_envelope_of_swift_are_read_apart() {
    let one = |account: &str, day: u8| {
        format!(
            "{{1:F01BANKTRISAXXX0000000000}}{{2:O9401200260102BANKTRISAXXX}}{{4:\r\n:20:X\r\n:25:{account}\r\n\
             :28C:1/1\r\n:60F:C260101TRY0,\r\n:61:26010{day}C1,NTRF{account}\r\n:86:words\r\n:62F:C26010{day}TRY1,\r\n-}}{{5:}}\r\n"
        )
    };
    let read = read(&format!("{}{}", one("A", 2), one("B", 4)));
    let accounts: Vec<_> = read.lines.iter().map(|it| it.account.as_deref()).collect();
    assert_eq!(accounts, [Some("A"), Some("B")]);
    assert!(
        read.checks.iter().all(|it| it.held) && read.checks.len() == 2,
        "{:?}",
        read.checks
    );
    assert_eq!(
        read.covers_until.map(|it| it.to_string()).as_deref(),
        Some("2026-01-04")
    );
}

#[test]
fn a_file_without_fields_is_refused_and_one_without_entries_has_no_rows() {
    let refused = |file: &str| {
        BankRead::all(&mut Mt940Reader::open("b", file.as_bytes()))
            .unwrap_err()
            .to_string()
    };
    assert!(refused("").contains("empty"));
    assert!(refused("hello\nworld\n").contains("no MT940 fields"));
    let read = read(":20:X\n:25:TR01\n:60F:C260101TRY5,\n:62F:C260131TRY5,\n-\n");
    assert_eq!((read.lines.len(), read.checks[0].held), (0, true));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_quarantined_or_refused_without_a_panic(bytes: Vec<u8>, text in "[:0-9A-Z{}\\-/?,+\\n ]{0,200}") {
        for tail in [&bytes[..], text.as_bytes()] {
            let file = [b":20:X\n:60F:C260101TRY0,\n:61:", tail].concat();
            let _ = BankRead::all(&mut Mt940Reader::open("b", file.as_slice()));
        }
    }
}

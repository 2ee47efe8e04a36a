//! A file in the words of a map: as Turkish banks and processors write them.

use super::*;
use crate::statement::StatementRead;

const MAP: &str = r#"
[file]
decimal_comma = true
time_zone = "Europe/Istanbul"
time_format = "%d.%m.%Y %H:%M:%S"
[columns]
event_id = "İşlem No"
reference = "Referans"
kind = "Tür"
debit = "Borç"
credit = "Alacak"
fee = "Komisyon"
occurred_at = "Tarih"
[constant]
currency = "TRY"
status = "settled"
[kinds]
"Satış" = "deposit"
"İade" = "refund"
"#;

fn read(map: &str, file: &str) -> StatementRead {
    let map = FileMap::parse(map).unwrap();
    let mut reader =
        DeclaredReader::open("a", std::io::BufReader::with_capacity(5, file.as_bytes()), map).unwrap();
    StatementRead::all(&mut reader).unwrap()
}

#[test]
fn a_file_is_read_in_its_own_words() {
    let file = "\u{feff}İşlem No;Referans;Tür;Borç;Alacak;Komisyon;Tarih;Not\r\n\
                1;A1;Satış;;1234,50;3,10;01.11.2026 23:59:59;\"iki\r\nsatır\"\r\n\
                2;A2;İade;10,00;0;;02.11.2026 00:00:00;\r\n\
                3;A3;Satış;1,00;2,00;;02.11.2026 00:00:00;\r\n\
                4;A4;Satış;;;;02.11.2026 00:00:00;\r\n\
                5;A5;Satış;;1.234,50;;02.11.2026 00:00:00;\r\n\
                6;A6;Hediye;;1,00;;02.11.2026 00:00:00;\r\n\
                7;A7;Satış;;1,00;;2026-11-02;\r\n";
    let read = read(MAP, file);
    let line = &read.lines[0];
    assert_eq!(
        (line.amount_minor, line.fee_minor, line.row_no),
        (123_450, Some(310), 2)
    );
    assert_eq!(line.occurred_at.to_rfc3339(), "2026-11-01T20:59:59+00:00");
    let refund = &read.lines[1];
    assert_eq!(
        (refund.amount_minor, refund.effect_minor()),
        (1_000, -1_000),
        "a debit"
    );
    assert_eq!(read.ignored_columns, ["Not"]);
    let bad: Vec<_> = read
        .quarantined
        .iter()
        .map(|it| (it.line_no, it.column.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(
        bad,
        [(5, "Borç"), (6, "Borç"), (7, "Alacak"), (8, "Tür"), (9, "Tarih")]
    );
}

fn check_time(style: &str, text: &str, expected: Result<&str, &str>) {
    let map = FileMap::parse(&format!("[file]\n{style}")).unwrap();
    match (time(&map.file, text), expected) {
        (Ok(at), Ok(expected)) => assert_eq!(at, expected.parse::<Timestamp>().unwrap(), "{style} {text}"),
        (Err(reason), Err(part)) => assert!(reason.contains(part), "{style} {text}: {reason}"),
        (seen, expected) => panic!("{style} {text}: {seen:?}, expected {expected:?}"),
    }
}

#[test]
fn a_day_with_a_cut_off_begins_the_day_before_and_clock_changes_are_kept_in_mind() {
    let berlin = "time_zone = \"Europe/Berlin\"\n";
    check_time(berlin, "2026-11-01", Ok("2026-10-31T23:00:00Z"));
    let cut = format!("{berlin}cut_off = \"18:00\"\n");
    check_time(&cut, "2026-11-01", Ok("2026-10-31T17:00:00Z"));
    check_time(&cut, "2026-10-25", Ok("2026-10-24T16:00:00Z"));
    check_time(&cut, "2026-11-01 12:00:00", Ok("2026-11-01T11:00:00Z"));
    check_time(&cut, "2026-10-31T17:59:59Z", Ok("2026-10-31T17:59:59Z"));
    // The hour that occurs twice, and the one that never does.
    check_time(berlin, "2026-10-25 02:30:00", Ok("2026-10-25T00:30:00Z"));
    check_time(berlin, "2026-03-29 02:30:00", Err("does not exist"));
    let day = format!("{berlin}time_format = \"%d.%m.%Y\"\n");
    check_time(&day, "01.11.2026", Ok("2026-10-31T23:00:00Z"));
    check_time(&day, "2026-11-01", Err("written like %d.%m.%Y"));
    check_time("", "01.11.2026", Err("a time is written like"));
    check_time("", "2026-11-01Z", Err("a time is written like"));
}

#[test]
fn a_signed_amount_is_in_the_direction_of_its_kind() {
    let file = "provider_ref,type,amount,currency,status,occurred_at\n\
                a,refund,-10.00,TRY,settled,2026-11-01\n\
                b,deposit,-10.00,TRY,settled,2026-11-01\n";
    let signed = read("[file]\nsigns = \"signed\"\n", file);
    let amounts: Vec<_> = signed
        .lines
        .iter()
        .map(|it| (it.amount_minor, it.effect_minor()))
        .collect();
    assert_eq!(amounts, [(1000, -1000), (-1000, -1000)]);
    let by_kind = read("", file);
    let effects: Vec<_> = by_kind.lines.iter().map(Line::effect_minor).collect();
    assert_eq!(effects, [1000, -1000], "a refund of -10 is one taken back");
}

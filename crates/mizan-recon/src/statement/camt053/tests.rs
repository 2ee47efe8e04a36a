//! camt.053 as banks write it, and as nobody should.

use super::*;
use crate::bank::{BankLine, BankRead};

const TX: &str = "<NtryDtls><TxDtls><Refs><EndToEndId>po_1</EndToEndId></Refs><RmtInf><Ustrd>a &amp; b</Ustrd></RmtInf></TxDtls></NtryDtls>";

fn entry(amount: &str, direction: &str, more: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts>BOOK</Sts>\
         <BookgDt><Dt>2026-11-03</Dt></BookgDt>{more}</Ntry>"
    )
}

fn balance(code: &str, amount: &str) -> String {
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}</Amt>\
         <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-04</Dt></Dt></Bal>"
    )
}

fn statement(inner: &str) -> String {
    format!("<Stmt><Id>S1</Id><Acct><Id><IBAN>NL26VAYB8060476890</IBAN></Id></Acct>{inner}</Stmt>")
}

fn document(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\">\
         <BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>\n{inner}</BkToCstmrStmt></Document>\n"
    )
}

fn open(file: &[u8]) -> Result<BankRead, StatementError> {
    let input = std::io::BufReader::with_capacity(13, file);
    BankRead::all(&mut Camt053Reader::open("bank", input))
}

fn read(inner: &str) -> BankRead {
    open(document(&statement(inner)).as_bytes()).unwrap()
}

#[test]
fn an_entry_is_read_with_its_direction_references_and_words() {
    let more = format!("<ValDt><Dt>2026-11-04</Dt></ValDt><AcctSvcrRef>BANK9</AcctSvcrRef>{TX}");
    let read = read(&entry("8.85", "CRDT", &more));
    assert_eq!(read.quarantined, []);
    let line = &read.lines[0];
    assert_eq!(
        (line.amount_minor, line.booked, line.reversal),
        (885, true, false)
    );
    assert_eq!(line.account.as_deref(), Some("NL26VAYB8060476890"));
    assert_eq!(line.references, ["BANK9", "po_1"]);
    assert_eq!(line.text, "a & b");
    assert_eq!(line.booked_on.to_string(), "2026-11-03");
    assert_eq!(
        line.value_on.map(|it| it.to_string()).as_deref(),
        Some("2026-11-04")
    );
    assert_eq!(line.line_no, 3);
}

#[test]
fn a_reversal_has_the_direction_that_is_written() {
    let signed = |direction: &str, flag: &str| {
        let read = read(&entry("1.00", direction, &format!("<RvslInd>{flag}</RvslInd>")));
        let line: &BankLine = &read.lines[0];
        (line.amount_minor, line.reversal)
    };
    assert_eq!(signed("CRDT", "true"), (100, true), "the original was a debit");
    assert_eq!(signed("DBIT", "1"), (-100, true));
    assert_eq!(signed("DBIT", "false"), (-100, false));
}

#[test]
fn versions_prefixes_encodings_and_several_statements_are_read() {
    for version in 2..=8 {
        let status = if version < 4 {
            "<Sts>BOOK</Sts>"
        } else {
            "<Sts><Cd>BOOK</Cd></Sts>"
        };
        let file = document(&statement(&entry("1.00", "DBIT", "")))
            .replace("001.02", &format!("001.{version:02}"))
            .replace("<Sts>BOOK</Sts>", status);
        assert_eq!(
            open(file.as_bytes()).unwrap().lines[0].amount_minor,
            -100,
            "version {version}"
        );
    }
    let prefixed = document(&statement(&entry("1.00", "CRDT", "")))
        .replace("</", "</c:")
        .replace('<', "<c:")
        .replace("<c:/c:", "</c:")
        .replace("<c:?", "<?")
        .replace("xmlns=", "xmlns:c=");
    assert_eq!(open(prefixed.as_bytes()).unwrap().lines.len(), 1, "{prefixed}");
    let foreign = read(&entry(
        "1.00",
        "CRDT",
        "<x:Amt xmlns:x=\"urn:other\" Ccy=\"EUR\">9.00</x:Amt>",
    ));
    assert_eq!(
        foreign.lines[0].amount_minor, 100,
        "an element of another namespace is not looked at"
    );
    let latin = document(&statement(&entry(
        "1.00",
        "CRDT",
        "<AddtlNtryInf>XX</AddtlNtryInf>",
    )))
    .replace("version=\"1.0\"", "version=\"1.0\" encoding=\"ISO-8859-9\"");
    let mut latin = latin.into_bytes();
    let at = latin.windows(2).position(|it| it == b"XX").unwrap();
    latin[at..at + 2].copy_from_slice(b"\xdd\xfe");
    assert_eq!(open(&latin).unwrap().lines[0].text, "İş");
    let two = [entry("1.00", "CRDT", ""), entry("2.00", "CRDT", "")]
        .map(|it| statement(&it))
        .concat();
    let read = open(document(&two).as_bytes()).unwrap();
    assert_eq!((read.lines.len(), read.checks.len()), (2, 2));
}

fn tx(id: &str, amount: &str) -> String {
    format!(
        "<TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy=\"EUR\">{amount}</Amt></TxAmt></AmtDtls></TxDtls>"
    )
}

#[test]
fn a_batch_booking_is_taken_apart_only_where_its_parts_sum_to_it() {
    let batch = |total: &str, parts: &[(&str, &str)]| {
        let parts: String = parts.iter().map(|it| tx(it.0, it.1)).collect();
        let head = format!("<Btch><NbOfTxs>2</NbOfTxs><TtlAmt Ccy=\"EUR\">{total}</TtlAmt></Btch>");
        let read = read(&entry(
            "3.00",
            "CRDT",
            &format!("<NtryDtls>{head}{parts}</NtryDtls>"),
        ));
        let held = read
            .checks
            .iter()
            .find(|it| it.what.starts_with("batch"))
            .map(|it| it.held);
        let lines = read.lines.into_iter().map(|it| (it.amount_minor, it.references));
        (lines.collect::<Vec<_>>(), held)
    };
    let id = |it: &str| it.to_owned();
    let apart = batch("3.00", &[("a", "1.00"), ("b", "2.00")]);
    assert_eq!(
        apart,
        (vec![(100, vec![id("a")]), (200, vec![id("b")])], Some(true))
    );
    let short = batch("3.00", &[("a", "1.00"), ("b", "1.00")]);
    assert_eq!(short, (vec![(300, vec![id("a"), id("b")])], Some(false)));
    let lost = batch("3.00", &[("a", "3.00")]);
    assert_eq!(
        lost,
        (vec![(300, vec![id("a")])], Some(false)),
        "one of two transactions is not there"
    );
}

#[test]
fn a_bad_entry_is_quarantined_alone_with_the_element_at_fault() {
    let good = entry("1.00", "CRDT", "");
    for (bad, column) in [
        (entry("1.005", "CRDT", ""), "Ntry/Amt"),
        (entry("1,00", "CRDT", ""), "Ntry/Amt"),
        (entry("-1.00", "CRDT", ""), "Ntry/Amt"),
        (entry("", "CRDT", ""), "Ntry/Amt"),
        (good.replace("EUR", "XXX"), "Ntry/Amt"),
        (good.replace(" Ccy=\"EUR\"", ""), "Ntry/Amt"),
        (entry("1.00", "CREDIT", ""), "Ntry/CdtDbtInd"),
        (good.replace("BOOK", "DONE"), "Ntry/Sts"),
        (good.replace("2026-11-03", "2026-02-30"), "Ntry/BookgDt"),
        (entry("1.00", "CRDT", "<RvslInd>maybe</RvslInd>"), "Ntry/RvslInd"),
        (
            entry(
                "1.00",
                "CRDT",
                &format!("<NtryRef>{}</NtryRef>", "x".repeat(9_000)),
            ),
            "NtryRef",
        ),
    ] {
        let read = read(&format!("{good}{bad}{good}"));
        assert_eq!((read.lines.len(), read.quarantined.len()), (2, 1), "{bad:.200}");
        assert_eq!(
            read.quarantined[0].column.as_deref(),
            Some(column),
            "{}",
            read.quarantined[0].reason
        );
    }
}

#[test]
fn balances_sums_and_counts_are_checked() {
    let summary = |count: u8, sum: &str| {
        format!(
            "<TxsSummry><TtlNtries><NbOfNtries>{count}</NbOfNtries></TtlNtries>\
             <TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>{sum}</Sum></TtlCdtNtries></TxsSummry>"
        )
    };
    let check = |closing: &str, summary: &str, expected: &[bool]| {
        let rows = entry("8.85", "CRDT", "") + &entry("1.00", "DBIT", "");
        let head = balance("OPBD", "18.15") + &balance("CLBD", closing);
        let read = read(&format!("{head}{summary}{rows}"));
        let held: Vec<_> = read.checks.iter().map(|it| it.held).collect();
        assert_eq!(held, expected, "{:?}", read.checks);
    };
    check("26.00", "", &[true]);
    check("26.01", "", &[false]);
    check("26.00", &summary(2, "8.85"), &[true, true, true, true]);
    check("26.00", &summary(3, "8.84"), &[true, false, true, false]);
    let none = read(&entry("1.00", "CRDT", ""));
    assert!(none.checks[0].detail.contains("no opening"), "{:?}", none.checks);
}

#[test]
fn what_is_cut_off_malformed_or_a_bomb_is_refused_with_its_line() {
    let whole = document(&statement(&entry("1.00", "CRDT", TX)));
    let refused = |file: &str, parts: &[&str]| {
        let error = open(file.as_bytes()).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{file:.300}: {error}: no {part}");
        }
    };
    for cut in ["<CdtDbtInd>", "<EndToEnd", "</BkToCstmrStmt>", "&am"] {
        let at = whole.find(cut).unwrap() + cut.len();
        refused(&whole[..at], &["the file breaks off at line"]);
    }
    refused("", &["empty"]);
    refused(
        &whole.replace("</Ntry>", "</Entry>"),
        &["line 3", "not well-formed"],
    );
    refused(&whole.replace("001.02", "001.12"), &["version 12", "2 to 8"]);
    refused(
        &whole.replace("camt.053.001.02", "camt.054.001.02"),
        &["not Document of camt.053"],
    );
    refused(&document(""), &["no statement"]);
    refused(&format!("{whole}{whole}"), &["camt053"]);
    refused(&whole.replace("a &amp; b", "a &lol; b"), &["line 3", "entity"]);
    let bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]>";
    refused(
        &whole.replacen("<Document", &format!("{bomb}<Document"), 1),
        &["line 2", "DTD"],
    );
    refused(
        &whole.replace("a &amp; b", &"<a>".repeat(100_000)),
        &["nested deeper"],
    );
    refused(
        &whole.replace("a &amp; b", &"x".repeat(70_000)),
        &["longer than 65536 bytes"],
    );
    refused(
        &whole.replace(
            "<EndToEndId>",
            &format!("<EndToEndId {}>", "a='1' ".repeat(20_000)),
        ),
        &["longer than"],
    );
    assert_eq!(
        open(document(&statement("")).as_bytes()).unwrap().lines,
        [],
        "a statement of no entries"
    );
}

proptest::proptest! {
    #[test]
    fn a_document_that_is_cut_or_changed_anywhere_is_read_or_refused_without_a_panic(at: usize, byte: u8) {
        let whole = document(&statement(&entry("1.00", "CRDT", TX))).into_bytes();
        let at = at % whole.len();
        let _ = open(&whole[..at]);
        let mut changed = whole;
        changed[at] = byte;
        let _ = open(&changed);
    }
}

//! The last look: nothing that must not leave is in a pack, in whatever encoding; and if it is, there is no pack.

use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use mizan_gate::evidence::PackError;
use mizan_gate::leak;
use mizan_mask::{MaskStream, Masker};

use crate::packs::{Place, names};
use crate::records;

const SECRET: &str = "Tr0ub4dor&3-çilek/+=x";

fn masker() -> Masker {
    Masker::builder().known(SECRET, "DB_PASSWORD").build()
}

fn percent(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|it| format!("%{it:02x}").into_bytes())
        .collect()
}

/// As programs write it: what needs no escape stays.
fn canonical_percent(text: &str, digits: fn(u8) -> String) -> String {
    let letter = |it: u8| match it {
        b'-' | b'.' | b'_' | b'~' => char::from(it).to_string(),
        _ if it.is_ascii_alphanumeric() => char::from(it).to_string(),
        _ => digits(it),
    };
    text.bytes().map(letter).collect()
}

fn escapes(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|it| format!("\\x{it:02x}").into_bytes())
        .collect()
}

fn entities(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    text.chars()
        .flat_map(|it| format!("&#{};", it as u32).into_bytes())
        .collect()
}

fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let letter = |(index, it): (usize, &u8)| {
        let soft = if index % 20 == 19 { "=\n" } else { "" };
        format!("={it:02X}{soft}").into_bytes()
    };
    text.iter().enumerate().flat_map(letter).collect()
}

fn utf16(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text)
        .replace('ç', "c")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(text).expect("memory");
    out.finish().expect("memory")
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::default());
    out.write_all(text).expect("memory");
    out.finish().expect("memory")
}

type Encoding = (&'static str, fn(&[u8]) -> Vec<u8>);

const ENCODINGS: [Encoding; 11] = [
    ("base64", |it| STANDARD.encode(it).into_bytes()),
    ("base64url", |it| URL_SAFE_NO_PAD.encode(it).into_bytes()),
    ("wrapped base64", |it| {
        let text = STANDARD.encode(it).into_bytes();
        text.chunks(12).collect::<Vec<_>>().join(&b'\n')
    }),
    ("hex", |it| hex::encode(it).into_bytes()),
    ("upper hex", |it| hex::encode_upper(it).into_bytes()),
    ("percent", percent),
    ("escapes", escapes),
    ("entities", entities),
    ("quoted-printable", quoted_printable),
    ("gzip", gzip),
    ("zlib", zlib),
];

/// An ASCII secret, so that every encoding can carry it.
const PLAIN: &str = "correct-horse-battery-9";

#[test]
fn a_known_value_is_found_under_any_three_encodings() {
    let masker = Masker::builder().known(PLAIN, "API_TOKEN").build();
    for (outer, one) in ENCODINGS {
        for (middle, two) in ENCODINGS {
            for (inner, three) in ENCODINGS {
                // Entities carry text only.
                let bytes = |it: &str| it.ends_with("zip") || it == "zlib";
                if [outer, middle].contains(&"entities") && (bytes(middle) || bytes(inner)) {
                    continue;
                }
                let hidden = one(&two(&three(format!("x {PLAIN} y").as_bytes())));
                let hits = leak::scan_text(&hidden, "a", &masker);
                assert!(!hits.is_empty(), "not found: {outer}({middle}({inner}))");
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_credential_is_found_too_and_plain_evidence_is_not() {
    let check = |text: &[u8], found: bool| {
        let hits = leak::scan_text(text, "a", &Masker::default());
        assert_eq!(
            !hits.is_empty(),
            found,
            "{:?}: {hits:?}",
            String::from_utf8_lossy(text)
        );
    };
    check(b"postgresql://app:hunter2hunter2@db:5432/x", true);
    check(
        STANDARD
            .encode("postgresql://app:hunter2hunter2@db:5432/x")
            .as_bytes(),
        true,
    );
    check(
        &gzip(b"Authorization: Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
        true,
    );
    check(hex::encode(utf16(b"password=hunter2hunter2")).as_bytes(), true);
    check(b"postgresql://app:***@db:5432/x", false);
    check(
        STANDARD.encode("postgresql://app:***@db:5432/x").as_bytes(),
        false,
    );
    check(b"run 019ab0f4-7c00-7000-8000-000000000001 at 2026-11-23T10:15:00Z of 0e356b6a1b2c3d4e5f60718293a4b5c6d7e8f901", false);
    check(
        b"upgrade 0001_initial -> 0002_withdrawals, port 5432, reconciliation_findings",
        false,
    );
}

#[test]
fn a_hit_deletes_the_pack_and_names_the_place_but_not_the_value() {
    for hidden in [
        STANDARD.encode(gzip(SECRET.as_bytes())),
        hex::encode(STANDARD.encode(SECRET)),
    ] {
        let place = Place::signed().masking(masker());
        let record = records::go();
        records::write_outputs(&record, &place.workdir(), Some(&hidden)).expect("outputs");
        let error = place.pack(&record).expect_err("the guard stops it");
        assert!(
            matches!(&error, PackError::Leak(hits) if !hits.is_empty()),
            "{error}"
        );
        let says = error.to_string();
        assert!(
            says.contains("packets/1/upgrade.stdout") && says.contains("base64"),
            "{says}"
        );
        assert!(!says.contains(SECRET) && !says.contains(&hidden), "{says}");
        assert_eq!(
            fs::read_dir(place.root()).expect("a directory").count(),
            0,
            "something is left"
        );
    }
}

#[test]
fn a_secret_in_the_name_of_a_file_is_found() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::write(folder.path().join(format!("{PLAIN}.stdout")), "x").expect("a file");
    let masker = Masker::builder().known(PLAIN, "API_TOKEN").build();
    let hits = leak::scan(folder.path(), &masker).expect("a scan");
    assert_eq!(hits[0].file, "the name of a file");
}

/// The run printed its secret in ten encodings, and every output passed the masker, as running a gate does it.
#[test]
fn no_file_of_a_pack_holds_a_secret_in_ten_encodings() {
    let base64 = STANDARD.encode(SECRET);
    let shapes: [(&str, String); 10] = [
        ("raw", SECRET.to_owned()),
        (
            "percent upper",
            canonical_percent(SECRET, |it| format!("%{it:02X}")),
        ),
        (
            "percent lower",
            canonical_percent(SECRET, |it| format!("%{it:02x}")),
        ),
        ("base64", base64.clone()),
        ("base64url", URL_SAFE_NO_PAD.encode(SECRET)),
        ("base64 of base64", STANDARD.encode(&base64)),
        ("hex", hex::encode(SECRET)),
        ("upper hex", hex::encode_upper(SECRET)),
        (
            "JSON",
            serde_json::to_string(SECRET)
                .expect("JSON")
                .trim_matches('"')
                .to_owned(),
        ),
        ("HTML", SECRET.replace('&', "&amp;")),
    ];
    let place = Place::signed().masking(masker());
    let mut record = records::no_go();
    let mask = |text: &str| place.masker.mask(text).into_string();
    let all = shapes
        .each_ref()
        .map(|(name, text)| format!("{name}: {text}"))
        .join(
            "
",
        )
        + "
";
    let step = &mut record.packets[3].steps[0];
    step.command = mask(&format!("curl -u app:{SECRET} http://localhost/"));
    step.error = Some(mask(&all));
    step.criteria[0].seen = mask(&all);
    record.packets[3].note = mask(&format!("refused {SECRET}"));
    records::write_outputs(&record, &place.workdir(), None).expect("outputs");
    let mut stream = MaskStream::new(place.masker.clone(), Vec::new());
    stream.write_all(all.as_bytes()).expect("memory");
    let output = stream.finish().expect("memory");
    fs::write(place.workdir().join("packets/3/create.http"), output).expect("an output");
    let pack = place.pack(&record).expect("a pack");
    for file in names(&pack) {
        let text = fs::read(pack.join(&file)).expect("a file");
        for (name, shape) in &shapes {
            assert!(!contains(&text, shape), "{file} holds the secret as {name}");
        }
    }
    assert!(contains(
        &fs::read(pack.join("closure.html")).expect("a file"),
        "***"
    ));
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|it| it == part.as_bytes())
}

/// A quotation that a program began and never ended: masked as a line of JSON it would end the text of the whole record.
#[test]
fn a_line_that_cannot_be_masked_as_json_costs_its_place_and_not_the_pack() {
    let place = Place::signed().masking(masker());
    let mut record = records::go();
    let step = &mut record.packets[0].steps[0];
    step.command = "curl --token='".to_owned();
    step.outputs[0].head = vec!["API_KEY=".into(), "token='***".into(), "the end".into()];
    let pack = place.write(&record).expect("a pack");
    let packet = read_json(&pack.join(format!("packets/{}/packet.json", record.packets[0].id)));
    let head = &packet["steps"][0]["outputs"][0]["head"];
    assert_eq!(
        head,
        &serde_json::json!(["API_KEY=", "[left out: it cannot be masked as JSON]", "the end"])
    );
}

#[test]
fn masking_a_pack_again_changes_no_file_of_it() {
    let place = Place::signed().masking(masker());
    let pack = place.write(&records::no_go()).expect("a pack");
    for file in names(&pack) {
        let text = fs::read(pack.join(&file)).expect("a file");
        assert_eq!(place.masker.mask_bytes(&text), text, "{file}");
    }
}

#[test]
fn the_pack_says_how_it_was_masked_and_what_was_too_weak_for_it() {
    let masker = Masker::builder()
        .known(PLAIN, "API_TOKEN")
        .known("staging", "APP_SECRET")
        .build();
    let place = Place::new().masking(masker);
    let pack = place.write(&records::go()).expect("a pack");
    let masking = read_json(&pack.join("masking.json"));
    assert_eq!(masking["known_values"], 1);
    assert_eq!(masking["refused"][0]["name"], "APP_SECRET");
    assert_eq!(masking["leak_scan"]["layers"], 3);
    assert!(
        masking["masked"]["packets/1/packet.json"]
            .as_u64()
            .is_some_and(|it| it > 0),
        "{masking}"
    );
}

fn read_json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

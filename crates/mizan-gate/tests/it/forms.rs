//! The forms that others read: the JSON Schema, JUnit, key files and the manifest.

use std::fs;
use std::path::Path;

use mizan_gate::key::{self, KeyError};
use mizan_gate::summary;
use mizan_mask::Secret;
use quick_junit::{Report, TestCaseStatus};

use crate::packs::Place;
use crate::records;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/evidence.schema.json");

fn schema_text() -> String {
    format!(
        "{}\n",
        serde_json::to_string_pretty(&summary::schema()).expect("JSON")
    )
}

/// `MIZAN_BLESS=1 cargo test -p mizan-gate schema` writes the file.
#[test]
fn the_checked_in_schema_is_the_one_that_the_types_make() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of this test, not a setting of Mizan"
    )]
    if std::env::var_os("MIZAN_BLESS").is_some() {
        fs::write(SCHEMA, schema_text()).expect("the schema");
    }
    let there = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert_eq!(
        there,
        schema_text(),
        "run `MIZAN_BLESS=1 cargo test -p mizan-gate schema`"
    );
}

#[test]
fn every_summary_is_of_the_checked_in_schema_and_a_broken_one_is_not() {
    let schema = serde_json::from_str(&fs::read_to_string(SCHEMA).expect("the schema")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for record in [
        records::go(),
        records::no_go(),
        records::waived(),
        records::empty(),
    ] {
        for place in [Place::new(), Place::signed()] {
            let pack = place.write(&record).expect("a pack");
            let text = fs::read_to_string(pack.join("summary.json")).expect("a summary");
            let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let errors: Vec<_> = schema.iter_errors(&summary).map(|it| it.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
            for (field, value) in [("verdict", "MAYBE"), ("form", "other/1"), ("extra", "x")] {
                let mut broken = summary.clone();
                broken[field] = value.into();
                assert!(!schema.is_valid(&broken), "{field} = {value}");
            }
        }
    }
}

fn junit(pack: &Path) -> Report {
    let text = fs::read_to_string(pack.join("junit.xml")).expect("a report");
    Report::deserialize_from_str(&text).expect("JUnit")
}

#[test]
fn junit_counts_what_failed_and_what_is_missing_as_not_green() {
    let check = |record, tests, failures, errors| {
        let report = junit(&Place::new().write(&record).expect("a pack"));
        assert_eq!(
            (report.tests, report.failures, report.errors),
            (tests, failures, errors),
            "{}",
            record.run_id
        );
    };
    check(records::go(), 7, 0, 0);
    check(records::no_go(), 7, 1, 0);
    // Four required packets, none of which ran.
    check(records::empty(), 4, 0, 4);
    let mut unexplained = records::go();
    unexplained.packets[0].steps.clear();
    unexplained.packets[0].status = mizan_gate::record::Status::Error;
    check(unexplained, 7, 0, 1);
}

#[test]
fn junit_says_why_a_step_failed() {
    let report = junit(&Place::new().write(&records::no_go()).expect("a pack"));
    let case = &report.test_suites[3].test_cases[0];
    let TestCaseStatus::NonSuccess { message, .. } = &case.status else {
        panic!("{case:?}")
    };
    assert_eq!(
        message.as_ref().map(quick_junit::XmlString::as_str),
        Some("the status is 503, expected 200")
    );
}

#[test]
fn a_key_is_written_once_for_its_owner_only_and_read_back() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("gate.key");
    let made = key::generate(&Secret::from(vec![7; 32])).expect("a key");
    let public = key::write(&made, &path).expect("two files");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(key::from_file(&path).expect("a key"), made);
    assert_eq!(
        key::public_from_file(&public).expect("a key"),
        made.verifying_key()
    );
    assert!(matches!(key::write(&made, &path), Err(KeyError::Exists(_))));
    let pem = fs::read_to_string(&path).expect("PEM");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    for text in [pem.clone(), pem.replace('\n', "\\n"), format!("  {pem}\n\n")] {
        assert_eq!(
            key::from_pem(&Secret::from(text), "a variable").expect("a key"),
            made
        );
    }
    let load = |file: Option<&Path>, variable: &str| key::load(file, Some(&Secret::from(variable)));
    assert_eq!(load(None, &pem).expect("a key"), Some(made.clone()));
    assert_eq!(load(None, " \n").expect("no key"), None);
    assert_eq!(load(Some(&path), "not a key").expect("a key"), Some(made.clone()));
    let error = key::from_pem(&Secret::from("not a key"), "MIZAN_GATE_KEY").expect_err("no key");
    assert!(
        error
            .to_string()
            .starts_with("MIZAN_GATE_KEY holds no ed25519 private key"),
        "{error}"
    );
    let error = key::public_from_file(&path).expect_err("a private key is no public one");
    assert!(error.to_string().contains("BEGIN PUBLIC KEY"), "{error}");
}

#[test]
#[cfg(unix)]
fn a_private_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("gate.key");
    key::write(&crate::packs::key(3), &path).expect("two files");
    for mode in [0o640, 0o604, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        assert!(
            matches!(key::from_file(&path), Err(KeyError::Open(_))),
            "{mode:o}"
        );
    }
}

/// Computed with securesystemslib 1.6.
#[test]
fn the_key_id_is_that_of_securesystemslib() {
    assert_eq!(
        key::id(&crate::packs::key(1).verifying_key()),
        "7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12"
    );
}

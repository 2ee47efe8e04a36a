//! `docs/configuration.md` and `schemas/config.json` say what the code does.
//!
//! `MIZAN_BLESS=1 cargo test -p mizan-config generated` writes them anew.

use std::path::Path;

use mizan_config::{reference, settings_reference};

#[track_caller]
fn check_file(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of this test, not a setting of Mizan"
    )]
    if std::env::var_os("MIZAN_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("the path has a directory"))
            .expect("can make the directory");
        std::fs::write(&path, expected).expect("can write the file");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is stale: run MIZAN_BLESS=1 cargo test -p mizan-config generated",
        path.display()
    );
}

#[test]
fn the_manual_is_up_to_date() {
    check_file("docs/configuration.md", &reference::manual());
}

#[test]
fn the_schema_is_up_to_date() {
    check_file("schemas/config.json", &reference::schema());
}

#[test]
fn every_setting_is_described_once_and_fits_a_table() {
    let mut names: Vec<_> = settings_reference().iter().map(|it| it.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for it in settings_reference() {
        for text in [it.meaning, it.default, it.strict] {
            assert!(!text.is_empty() && !text.contains(['|', '\n']), "{}", it.name);
        }
    }
}

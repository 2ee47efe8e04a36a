//! Rule files: what they say is what counts, and a mistake is named where it stands.

use std::path::Path;

use super::*;

const EXAMPLE: &str = include_str!("../../../../../examples/rules.stripe.toml");

#[test]
fn the_example_is_read() {
    let set = RuleFile::parse(EXAMPLE).unwrap();
    assert!(!set.legs.is_empty());
    assert_eq!(set.rules.tolerance(Currency::TRY), 1);
    assert_eq!(set.rules.severity(FindingType::FeeMismatch), Severity::Error);
    assert_eq!(set.bank.settlement_lag_days, 4);
    assert!(RuleFile::parse("").unwrap().legs.is_empty());
}

#[test]
fn a_mistake_in_a_rule_file_is_named_where_it_stands() {
    let check = |text: &str, parts: &[&str]| {
        let error = RuleFile::parse(text).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{text}: {error}: no {part}");
        }
    };
    let leg = |more: &str| format!("[[leg]]\nname = \"a\"\nkeys = [\"reference\"]\n{more}\n");
    check("tolerence = 1\n", &["line 1, column 1", "tolerence"]);
    check("[tolerance]\nTRY = -1\n", &["line 2, column 7"]);
    check("[tolerance]\nTRY = 0.5\n", &["line 2"]);
    check("[tolerance]\ntry = 1\n", &["line 2", "ISO 4217"]);
    check(
        "[severity]\nfee_mismatch = \"HIGH\"\n",
        &["line 2, column 16", "'HIGH'"],
    );
    check("[severity]\nfees = \"WARN\"\n", &["line 2", "'fees'"]);
    check(
        "[[leg]]\nname = \"a\"\nkeys = [\"amount\"]\n",
        &["line 3", "'amount' is no field"],
    );
    check(&leg("rows = \"some\""), &["line 4", "some"]);
    check(
        &leg("tolerance_minor = 1\ntolerance_bps = 1"),
        &["leg 'a'", "one of the two"],
    );
    check(&leg("tolerance_bps = 5001"), &["at most 5000"]);
    check(&leg("window_days = 367"), &["leg 'a'", "at most 366"]);
    check("settlement_lag_hours = 721\n", &["at most 720"]);
    check("settlement_lag_hours = -1\n", &["line 1"]);
    check(&(leg("") + &leg("")), &["two legs are named 'a'"]);
    check(
        "[[leg]]\nname = \"a\"\nkeys = []\nrows = \"many_to_one\"\n",
        &["need a key"],
    );
    check("[bank]\nonly_lines_with = [\" \"]\n", &["only_lines_with"]);
}

/// `MIZAN_BLESS=1 cargo test -p mizan-recon schemas` writes the schemas anew.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the wish to write them anew comes from outside"
)]
fn the_schemas_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (name, schema) in [
        ("recon-rules", schemars::schema_for!(RuleFile)),
        ("recon-map", schemars::schema_for!(crate::statement::FileMap)),
    ] {
        let path = root.join(format!("schemas/{name}.schema.json"));
        let fresh = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("MIZAN_BLESS").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == fresh,
            "{} is stale: run MIZAN_BLESS=1 cargo test -p mizan-recon schemas",
            path.display()
        );
    }
}

#[test]
fn the_example_of_a_map_is_read() {
    let map = include_str!("../../../../../examples/map.turkish-bank.toml");
    crate::statement::FileMap::parse(map).unwrap();
}

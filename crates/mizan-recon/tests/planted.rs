//! Two files with known differences, made by `tools/make_statements.py`: what was planted is found, and
//! nothing else. Says so and passes where there is no python3.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use mizan_recon::statement::open::{Opened, Opening, open};
use mizan_recon::{ColumnMap, GenericReader, NativeEngine, Report, Rules, match_files};
use serde_json::Value;

fn make(rows: u32, seed: u32, format: &str, out: &Path) -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/make_statements.py");
    let made = Command::new("python3")
        .arg(script)
        .args([
            "--rows",
            &rows.to_string(),
            "--seed",
            &seed.to_string(),
            "--format",
            format,
            "--out",
        ])
        .arg(out)
        .output();
    match made {
        Err(error) => {
            eprintln!("not checked: no python3 here ({error})");
            false
        }
        Ok(made) => {
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            true
        }
    }
}

fn run(dir: &Path, engine: NativeEngine) -> Report {
    let open = |name: &str| {
        let file = BufReader::new(File::open(dir.join(name)).unwrap());
        GenericReader::open(name, file, ColumnMap::default()).unwrap()
    };
    match_files(
        &mut open("statement.csv"),
        &mut open("ledger.csv"),
        &Rules::default(),
        &engine,
    )
    .unwrap()
}

#[test]
fn the_planted_differences_are_found_and_nothing_else() {
    for seed in [7, 11] {
        let dir = tempfile::tempdir().unwrap();
        if !make(5000, seed, "generic", dir.path()) {
            return;
        }
        let report = run(dir.path(), NativeEngine::default());
        let expected: Value =
            serde_json::from_reader(File::open(dir.path().join("expected.json")).unwrap()).unwrap();
        let planted: BTreeMap<String, u64> = serde_json::from_value(expected["findings"].clone()).unwrap();
        let found = report
            .summary
            .findings_by_type
            .iter()
            .map(|(it, n)| (it.to_string(), *n));
        let planted: BTreeMap<String, u64> = planted.into_iter().filter(|it| it.1 > 0).collect();
        assert_eq!(found.collect::<BTreeMap<_, _>>(), planted, "seed {seed}");
        assert_eq!(
            report.summary.statement_rows,
            expected["statement_rows"].as_u64().unwrap()
        );
        assert_eq!(
            report.summary.ledger_rows,
            expected["ledger_rows"].as_u64().unwrap()
        );
        assert_eq!(
            (
                report.summary.statement_quarantined,
                report.summary.ledger_quarantined
            ),
            (0, 0)
        );
        for (finding_type, ids) in expected["samples"].as_object().unwrap() {
            for id in ids.as_array().unwrap() {
                let found = |it: &&mizan_recon::Finding| {
                    it.finding_type.as_str() == finding_type && Some(it.event_id.as_str()) == id.as_str()
                };
                assert_eq!(
                    report.findings.iter().filter(found).count(),
                    1,
                    "{finding_type} {id}"
                );
            }
        }
        let again = run(dir.path(), NativeEngine::default().with_partitions(17));
        assert_eq!(again, report, "the number of partitions changes nothing");
    }
}

fn run_detected(dir: &Path, format: &str) -> Report {
    let open = |name: &str| {
        let file = BufReader::new(File::open(dir.join(name)).unwrap());
        match open(name, file, &Opening::default()).unwrap() {
            Opened::Lines(format, source) => (format, source),
            Opened::Bank(format, _) => panic!("{name} was taken for {format}"),
        }
    };
    let (seen, mut statement) = open("statement.csv");
    assert_eq!(seen.as_str(), format);
    let (_, mut ledger) = open("ledger.csv");
    match_files(
        &mut *statement,
        &mut *ledger,
        &Rules::default(),
        &NativeEngine::default(),
    )
    .unwrap()
}

#[test]
fn in_the_columns_of_stripe_and_adyen_the_same_differences_are_found() {
    for (format, seed) in ["stripe", "adyen"]
        .into_iter()
        .flat_map(|it| [(it, 7), (it, 11), (it, 2026)])
    {
        let dir = tempfile::tempdir().unwrap();
        if !make(5000, seed, format, dir.path()) {
            return;
        }
        let report = run_detected(dir.path(), format);
        let expected: Value =
            serde_json::from_reader(File::open(dir.path().join("expected.json")).unwrap()).unwrap();
        let planted: BTreeMap<String, u64> = serde_json::from_value(expected["findings"].clone()).unwrap();
        let found = report.summary.findings_by_type.iter();
        let planted: BTreeMap<String, u64> = planted.into_iter().filter(|it| it.1 > 0).collect();
        let found: BTreeMap<_, _> = found.map(|(it, n)| (it.to_string(), *n)).collect();
        assert_eq!(found, planted, "{format}, seed {seed}");
        let read = report.summary.statement_rows;
        assert_eq!(
            Some(read),
            expected["statement_rows"].as_u64(),
            "{format}, seed {seed}"
        );
        assert_eq!(report.statement_quarantine, []);
    }
}

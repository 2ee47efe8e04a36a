//! `mizan recon match`: two files, no server.

use std::path::Path;

use mizan_testkit::Finished;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::mizan;

const STATEMENT: &str = "provider_event_id,provider_ref,type,amount,currency,status,occurred_at\n\
                         e1,r1,deposit,10.00,TRY,settled,2026-11-02T00:00:00Z\n";

/// Two files that differ where the script planted it, and what it planted.
async fn planted(rows: u32, seed: u32, format: &str) -> (TempDir, Value) {
    let dir = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/make_statements.py");
    let mut command = Command::new("python3");
    command
        .arg(script)
        .args([
            "--seed",
            &seed.to_string(),
            "--rows",
            &rows.to_string(),
            "--format",
            format,
            "--out",
        ])
        .arg(dir.path());
    let made = command.output().await.expect("python3 runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let expected = std::fs::read(dir.path().join("expected.json")).expect("expected.json");
    (dir, serde_json::from_slice(&expected).expect("JSON"))
}

async fn compare(dir: &Path, more: &[&str]) -> Finished {
    compare_as("generic", dir, more).await
}

async fn compare_as(format: &str, dir: &Path, more: &[&str]) -> Finished {
    let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    let (statement, ledger) = (path("statement.csv"), path("ledger.csv"));
    let files = ["--statement", &statement, "--ledger", &ledger];
    let args = [&["recon", "match", "--format", format][..], &files, more].concat();
    mizan(&args, &[]).await
}

#[tokio::test]
async fn what_was_planted_is_found_in_every_format_with_every_seed() {
    for format in ["generic", "stripe", "adyen"] {
        for seed in [1, 2, 3] {
            let (dir, expected) = planted(5_000, seed, format).await;
            let ended = compare_as(format, dir.path(), &["--json"]).await;
            assert_eq!(ended.code, 0, "{format} {seed}: {}", ended.stderr);
            let mut summary: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
            let mut wanted = expected["findings"].clone();
            wanted
                .as_object_mut()
                .expect("counts")
                .retain(|_, count| *count != 0);
            assert_eq!(summary["findings"].take(), wanted, "{format} {seed}");
            for rows in ["statement_rows", "ledger_rows"] {
                assert_eq!(summary[rows], expected[rows], "{format} {seed} {rows}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_planted_is_what_is_found() {
    let (dir, expected) = planted(10_000, 11, "generic").await;
    let out = dir.path().join("findings.ndjson");
    let ended = compare(dir.path(), &["--json", "--out", out.to_str().expect("UTF-8")]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(summary["findings"], expected["findings"]);
    assert_eq!(summary["statement_rows"], expected["statement_rows"]);
    assert_eq!(summary["ledger_rows"], expected["ledger_rows"]);
    let written = std::fs::read_to_string(&out)
        .expect("findings are written")
        .lines()
        .count() as u64;
    assert_eq!(Some(written), expected["findings_total"].as_u64());
    assert_eq!(compare(dir.path(), &["--fail-on-findings"]).await.code, 1);
}

fn files(statement: &str, ledger: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("statement.csv"), statement).expect("written");
    std::fs::write(dir.path().join("ledger.csv"), ledger).expect("written");
    dir
}

#[tokio::test]
async fn equal_files_have_no_findings_and_exit_0() {
    let dir = files(STATEMENT, STATEMENT);
    let ended = compare(dir.path(), &["--json", "--fail-on-findings"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let summary: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(
        (&summary["matched"], &summary["findings_total"]),
        (&1.into(), &0.into()),
        "{summary}"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_quarantined_and_never_zero() {
    let amounts = [
        "1e3",
        "\"1,234.56\"",
        " 10",
        "NaN",
        "",
        "true",
        "null",
        "1.005",
        "10.00",
    ];
    let rows: Vec<_> = (1..)
        .zip(amounts)
        .map(|(no, amount)| format!("e{no},r{no},deposit,{amount},TRY,settled,2026-11-02T00:00:00Z\n"))
        .collect();
    let rows = rows.concat();
    let more = "x1,x1,deposit,10.5,JPY,settled,2026-11-02T00:00:00Z\nx2,x2,deposit,1.2345,KWD,settled,2026-11-02T00:00:00Z\n\
                x3,x3,deposit,1.00,ZZZ,settled,2026-11-02T00:00:00Z\n";
    let header = STATEMENT.lines().next().expect("a header");
    let dir = files(&format!("{header}\n{rows}{more}"), STATEMENT);
    let quarantine = dir.path().join("quarantine.ndjson");
    let args = ["--json", "--quarantine", quarantine.to_str().expect("UTF-8")];
    let ended = compare(dir.path(), &args).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(summary["statement_quarantined"], 11, "{summary}");
    let lines = std::fs::read_to_string(&quarantine).expect("written");
    let numbers: Vec<_> = lines
        .lines()
        .map(|it| {
            serde_json::from_str::<Value>(it).expect("JSON")["line_no"]
                .as_u64()
                .expect("a number")
        })
        .collect();
    assert_eq!(numbers, [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]);
    assert_eq!(compare(dir.path(), &["--fail-on-findings"]).await.code, 1);
}

#[tokio::test]
async fn files_that_cannot_be_compared_are_exit_3() {
    for (statement, why) in [
        ("", "an empty file"),
        ("a,b\n1,2\n", "unknown columns"),
        ("\u{0}\u{1}\u{2}", "no text"),
    ] {
        let ended = compare(files(statement, STATEMENT).path(), &["--json"]).await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (3, ""),
            "{why}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains("statement.csv"), "{why}: {}", ended.stderr);
    }
    let dir = files(STATEMENT, STATEMENT);
    std::fs::remove_file(dir.path().join("ledger.csv")).expect("removed");
    let ended = compare(dir.path(), &[]).await;
    assert_eq!(ended.code, 3, "{}", ended.stderr);
}

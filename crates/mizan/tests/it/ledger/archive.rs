//! Old partitions go to files: a verification still covers them, and nothing is lost or doubled on the way.

use std::path::Path;

use serde_json::Value;

use super::transfer;
use crate::harness::{Home, Mizan, PATIENCE};

/// Small partitions in place of those that the migrations made.
const SMALL: &str = "DROP TABLE journal_000000000001, journal_000005000001;
                     SELECT journal_make_partitions(1000, 4)";

/// 2 500 sealed transfers in partitions of 1 000, under a running service.
async fn sealed() -> Mizan {
    let app = Mizan::start(
        Home::postgres().await,
        &[("MIZAN_JOURNAL_PARTITION_ROWS", "1000")],
    )
    .await;
    app.home.sql(SMALL).await.expect("small partitions");
    app.open_source("bank").await;
    app.open("till").await;
    let many: Vec<_> = (0..2_500).map(|_| transfer("bank", "till", "0.01")).collect();
    app.bulk(&many, true).await.expect(200);
    let (code, said) = ledger(&app, &["verify", "--seal"]).await;
    assert_eq!(code, 0, "{said}");
    app
}

async fn ledger(app: &Mizan, args: &[&str]) -> (i32, String) {
    let command = app.command().env("MIZAN_JOURNAL_PARTITION_ROWS", "1000");
    let done = command.args(["ledger"]).args(args).run(PATIENCE).await;
    let done = done.expect("the command ends");
    (done.code, done.stdout + &done.stderr)
}

async fn archive(app: &Mizan, directory: &Path, more: &[&str]) -> Vec<Value> {
    let to = directory.to_str().expect("UTF-8");
    let mut args = vec!["archive", "--before", "9999", "--to", to, "--json"];
    args.extend(more);
    let (code, said) = ledger(app, &args).await;
    assert_eq!(code, 0, "{said}");
    let moved: Value = serde_json::from_str(&said).expect("JSON");
    moved.as_array().expect("a list").clone()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory");
    let mut names: Vec<_> = entries
        .map(|it| it.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

const FILES: [&str; 3] = [
    "journal-000000000001-000000001000.parquet",
    "journal-000000001001-000000002000.parquet",
    "manifest.ndjson",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealed_partitions_go_once_and_are_still_verified() {
    let app = sealed().await;
    let place = tempfile::tempdir().expect("a directory");
    assert_eq!(archive(&app, place.path(), &["--dry-run"]).await.len(), 2);
    assert_eq!(names(place.path()).len(), 0, "a dry run writes nothing");

    // What tries that died in the middle have left: half a file, a whole one with its line in the manifest.
    std::fs::write(
        place
            .path()
            .join("journal-000000000001-000000001000.parquet.part"),
        "half",
    )
    .expect("a file");
    std::fs::write(place.path().join(FILES[1]), "stale").expect("a file");
    let moved = archive(&app, place.path(), &[]).await;
    assert_eq!(moved.len(), 2);
    assert_eq!(names(place.path()), FILES);
    assert_eq!(
        archive(&app, place.path(), &[]).await.len(),
        0,
        "nothing goes twice"
    );
    let manifest = std::fs::read_to_string(place.path().join(FILES[2])).expect("the manifest");
    let lines: Vec<Value> = manifest
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["rows"], &lines[0]["sums"]["TRY"]),
        (&1_000.into(), &"1000".into())
    );
    assert_eq!(lines[1]["sha256"], moved[1]["sha256"]);
    assert_eq!(app.journal_rows().await, 500);

    let (code, said) = ledger(&app, &["verify"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("2500 journal rows, 2000 of them read from an archive"),
        "{said}"
    );
    let (_, said) = ledger(&app, &["partitions", "--json"]).await;
    let states: Value = serde_json::from_str(&said).expect("JSON");
    let states: Vec<_> = states
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["state"])
        .collect();
    assert_eq!(&states[..3], ["archived", "archived", "open"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_of_the_archive_cannot_be_trusted_is_named_and_is_no_pass() {
    let app = sealed().await;
    let place = tempfile::tempdir().expect("a directory");
    let (before, after) = (place.path().join("before"), place.path().join("after"));
    archive(&app, &before, &[]).await;
    std::fs::rename(&before, &after).expect("moved away");
    let (code, said) = ledger(&app, &["verify"]).await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("NOT VERIFIED rows 1 to 1000: ") && said.contains("NOT VERIFIED rows 1001 to 2000: "),
        "{said}"
    );
    assert!(
        !said.contains("BROKEN"),
        "what is not there is not called broken: {said}"
    );

    let there = after.to_str().expect("UTF-8");
    let (code, said) = ledger(&app, &["verify", "--archive", there]).await;
    assert_eq!(code, 0, "{said}");

    let till = "(SELECT id FROM accounts WHERE code = 'till')";
    let change =
        |by: &str| format!("UPDATE archived_balances SET posted = posted {by} WHERE account_id = {till}");
    app.home.sql(&change("- 1")).await.expect("it is the owner");
    let (code, said) = ledger(&app, &["verify", "--archive", there]).await;
    assert!(code == 1 && said.contains("carried balance of account"), "{said}");
    app.home.sql(&change("+ 1")).await.expect("it is the owner");

    let file = after.join(FILES[0]);
    let mut bytes = std::fs::read(&file).expect("the file");
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).expect("the file");
    let (code, said) = ledger(&app, &["verify", "--archive", there]).await;
    assert!(
        code == 1 && said.contains("is not the file that was archived"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_not_what_was_sealed_is_not_archived() {
    let app = sealed().await;
    let place = tempfile::tempdir().expect("a directory");
    app.home
        .sql("UPDATE journal SET reference = 'x' WHERE seq = 1500")
        .await
        .expect("it is the owner");
    let to = place.path().to_str().expect("UTF-8");
    let (code, said) = ledger(&app, &["archive", "--before", "9999", "--to", to]).await;
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("journal row 1500 is not what was sealed"), "{said}");
    assert_eq!(
        app.journal_rows().await,
        1_500,
        "the one before it went, this one stayed"
    );
}

//! `mizan demo --once`: what was planted is what was found, with nothing installed.

use serde_json::Value;

use super::mizan;

#[tokio::test]
async fn the_demo_finds_what_it_planted_and_the_ledger_holds() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().to_str().expect("UTF-8");
    let small = ["--players", "6", "--deposits", "80", "--withdrawals", "12"];
    let args = [&["demo", "--once", "--json", "--dir", folder][..], &small].concat();
    let ended = mizan(&args, &[]).await;
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let last = ended.stdout.lines().last().expect("a last line");
    let story: Value = serde_json::from_str(last).expect("the last line is one JSON object");
    assert_eq!(story["planted"], story["found"], "{story}");
    assert!(
        story["found"].as_object().is_some_and(|it| it.len() >= 5),
        "{story}"
    );
    assert_eq!(story["ledger_holds"], true, "{story}");

    let url = format!("sqlite://{folder}/mizan.db");
    let verified = mizan(&["ledger", "verify", "--json"], &[("DATABASE_URL", &url)]).await;
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let verified: Value = serde_json::from_str(&verified.stdout).expect("one JSON object");
    assert_eq!(verified["journal_rows"], story["journal_rows"]);
    assert_eq!(
        verified["sealed_rows"], story["journal_rows"],
        "the demo seals all of it"
    );
}

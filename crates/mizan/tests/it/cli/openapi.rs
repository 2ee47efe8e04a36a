//! `mizan openapi`: the document that is checked in is the one that the handlers make.

use std::path::Path;

use serde_json::Value;

use super::mizan;

#[tokio::test]
async fn the_document_is_openapi_3_1_and_the_one_that_is_checked_in() {
    let ended = mizan(&["openapi"], &[]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|it| it.starts_with("3.1")),
        "{}",
        document["openapi"]
    );
    let paths = document["paths"].as_object().expect("paths");
    for path in [
        "/api/ready",
        "/api/v1/ledger/transactions",
        "/api/v1/reconciliation/runs",
    ] {
        assert!(paths.contains_key(path), "{path} is missing");
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi.json");
    let kept = std::fs::read_to_string(kept).expect("schemas/openapi.json is checked in");
    assert!(
        kept == ended.stdout,
        "stale: mizan openapi > schemas/openapi.json"
    );
}

#[tokio::test]
async fn the_list_of_error_codes_is_the_one_that_is_checked_in() {
    let ended = mizan(&["openapi", "--error-codes"], &[]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("| `INSUFFICIENT_FUNDS` | 400 |"));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/error-codes.md");
    let kept = std::fs::read_to_string(kept).expect("docs/error-codes.md is checked in");
    assert!(
        kept == ended.stdout,
        "stale: mizan openapi --error-codes > docs/error-codes.md"
    );
}

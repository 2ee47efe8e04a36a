//! SQL in filters, cursors, paths and metadata is data. An unknown filter is a 400.

use mizan_core::TransactionId;
use mizan_testkit::on_every_store;
use reqwest::Url;
use serde_json::{Value, json};

use crate::harness::Mizan;
use crate::ledger::{TRANSACTIONS, leg, post, transfer};

const HOSTILE: [&str; 6] = [
    "' OR '1'='1",
    "'; DROP TABLE journal; --",
    "1) UNION SELECT id, password_hash FROM staff --",
    "\\'; SELECT pg_sleep(5); --",
    "%",
    "$1",
];

/// Every list with its filters.
const LISTS: [(&str, &[&str]); 11] = [
    ("/api/v1/players", &["email", "kyc_status"]),
    (
        "/api/v1/finance/withdrawals",
        &["state", "provider", "player_id", "from", "to"],
    ),
    (
        "/api/v1/ledger/accounts",
        &["kind", "currency", "player_id", "code_prefix"],
    ),
    ("/api/v1/payments/webhooks", &["provider", "signature", "state"]),
    ("/api/v1/reconciliation/runs", &["provider", "status"]),
    (
        "/api/v1/reconciliation/findings",
        &["provider", "finding_type", "severity", "status", "run_id"],
    ),
    (
        "/api/v1/payments/reconciliation/findings",
        &["provider", "status"],
    ),
    (
        "/api/v1/reconciliation/findings.csv",
        &["provider", "finding_type", "severity", "status", "run_id"],
    ),
    (
        "/api/v1/audit",
        &["subject_type", "subject_id", "actor", "action"],
    ),
    ("/api/v1/admin/staff", &[]),
    ("/api/v1/admin/api-keys", &[]),
];

fn query(path: &str, name: &str, value: &str) -> String {
    let url = Url::parse_with_params(&format!("http://x{path}"), [(name, value)]).expect("a URL");
    format!("{path}?{}", url.query().unwrap_or_default())
}

on_every_store! {
    async fn sql_in_filters_cursors_and_paths_finds_nothing_and_breaks_nothing(app: Mizan) {
        app.open_source("bank").await;
        app.open("till").await;
        app.fund("bank", "till", "1.00").await;
        app.player_with("1.00").await;
        let rows = app.journal_rows().await;
        for (path, filters) in LISTS {
            for filter in filters.iter().chain(&["cursor", "limit", "offset"]) {
                for hostile in HOSTILE {
                    let reply = app.get(&query(path, filter, hostile)).await;
                    let empty = reply.body["items"] == json!([]) || reply.text.lines().count() == 1;
                    let fine = matches!(reply.status, 400 | 422) || (reply.status == 200 && empty);
                    assert!(fine, "{path} {filter}={hostile}: {} {}", reply.status, reply.text);
                }
            }
            let unknown = app.get(&query(path, "sort", "id; DROP TABLE journal")).await;
            unknown.expect_error(400, "UNKNOWN_PARAMETER");
            let twice = format!("{path}?limit=1&limit=2");
            let twice = app.get(&twice).await.status;
            assert!(matches!(twice, 400 | 422), "{path}: {twice}");
        }
        for hostile in HOSTILE {
            let path = Url::parse("http://x/api/v1/players/").expect("a URL").join(&hostile.replace(['/', '?'], "")).expect("a path");
            let status = app.get(path.path()).await.status;
            assert_eq!(status, 404, "{}", path.path());
        }
        assert_eq!(app.journal_rows().await, rows);
        app.verify_holds().await;
    }

    async fn a_prefix_is_taken_as_it_is_written(app: Mizan) {
        for code in ["a_b", "axb", "A_B", "a_bc"] {
            app.open(code).await;
        }
        let found = app.get("/api/v1/ledger/accounts?code_prefix=a_b").await.expect(200);
        let mut codes: Vec<_> = found.body["items"].as_array().expect("items").iter().map(|it| it["code"].clone()).collect();
        codes.sort_by_key(ToString::to_string);
        assert_eq!(codes, ["a_b", "a_bc"], "no wildcard, and the case counts");
    }

    async fn sql_in_metadata_and_references_is_kept_as_it_came(app: Mizan) {
        app.open_source("bank").await;
        app.open("till").await;
        for hostile in HOSTILE {
            let mut body = transfer("bank", "till", "1.00");
            body["metadata"] = json!({ hostile: hostile, "nested": { hostile: [hostile, 7, Value::Null] } });
            body["reference"] = hostile.into();
            post(&app, &body).await.expect(201);
            let shown = app.get(&format!("{TRANSACTIONS}/{}", body["id"].as_str().expect("an id"))).await.expect(200);
            assert_eq!((&shown.body["metadata"], &shown.body["reference"]), (&body["metadata"], &body["reference"]));
            let code = json!({ "id": TransactionId::new(), "transfers": [leg(hostile, "till", "1.00")] });
            post(&app, &code).await.expect_error(422, "VALIDATION_FAILED");
        }
        app.verify_holds().await;
    }
}

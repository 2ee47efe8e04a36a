//! Pages of lists: every row once, within the limits.

use std::collections::BTreeSet;

use mizan_testkit::on_every_store;
use serde_json::json;

use crate::harness::Mizan;

const ACCOUNTS: &str = "/api/v1/ledger/accounts";

on_every_store! {
    async fn cursors_and_offsets_show_every_row_once(app: Mizan) {
        for number in 0..23 {
            app.open(&format!("till-{number}")).await;
        }
        let codes = |body: &serde_json::Value| -> Vec<String> {
            let items = body["items"].as_array().expect("items").iter();
            items.map(|it| it["code"].as_str().expect("a code").to_owned()).collect()
        };
        let (mut by_cursor, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("{ACCOUNTS}?limit=5{cursor}")).await.expect(200).body;
            assert_eq!(page["meta"]["limit"], 5);
            by_cursor.extend(codes(&page));
            match page["meta"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut by_offset = Vec::new();
        for offset in [0, 10, 20, 30] {
            let page = app.get(&format!("{ACCOUNTS}?limit=10&offset={offset}")).await.expect(200).body;
            assert_eq!((&page["meta"]["total"], &page["meta"]["offset"]), (&json!(23), &json!(offset)));
            by_offset.extend(codes(&page));
        }
        assert_eq!(by_cursor, by_offset);
        assert_eq!(by_cursor.iter().collect::<BTreeSet<_>>().len(), 23);
        let whole = app.get(ACCOUNTS).await.expect(200).body;
        assert_eq!((codes(&whole).len(), &whole["meta"]["limit"]), (23, &json!(50)));
        assert!(whole["meta"].get("next_cursor").is_none() && whole["meta"].get("total").is_none(), "{}", whole["meta"]);
    }

    async fn what_is_no_page_is_refused(app: Mizan) {
        app.open("till").await;
        app.open("bank").await;
        let cursor = app.get(&format!("{ACCOUNTS}?limit=1")).await.expect(200).body["meta"]["next_cursor"].clone();
        let cursor = cursor.as_str().expect("a cursor");
        for (query, status, code) in [
            ("limit=0", 422, "VALIDATION_FAILED"),
            ("limit=201", 422, "VALIDATION_FAILED"),
            ("limit=ten", 422, "VALIDATION_FAILED"),
            ("limit=", 422, "VALIDATION_FAILED"),
            ("offset=-1", 422, "VALIDATION_FAILED"),
            ("offset=100001", 422, "VALIDATION_FAILED"),
            ("cursor=nonsense", 400, "INVALID_CURSOR"),
            ("cursor=", 400, "INVALID_CURSOR"),
            ("page=2", 400, "UNKNOWN_PARAMETER"),
            (&format!("offset=1&cursor={cursor}"), 422, "VALIDATION_FAILED"),
        ] {
            let reply = app.get(&format!("{ACCOUNTS}?{query}")).await;
            assert_eq!((reply.status, reply.error_code()), (status, code), "{query}: {}", reply.text);
        }
        for list in ["/api/v1/players", "/api/v1/reconciliation/runs", "/api/v1/finance/withdrawals"] {
            app.get(&format!("{list}?cursor={cursor}")).await.expect_error(400, "INVALID_CURSOR");
        }
        app.get(&format!("{ACCOUNTS}?limit=200")).await.expect(200);
    }
}

//! Amounts are exact, or they are refused. They are never zero by accident.

use mizan_core::TransactionId;
use mizan_testkit::{Reply, on_every_store};
use serde_json::json;

use super::{TRANSACTIONS, post, transaction};
use crate::harness::Mizan;
use crate::verbs::new_key;

/// Posts with an amount exactly as it is written here.
async fn post_raw(app: &Mizan, amount: &str, currency: &str) -> Reply {
    let body = format!(
        r#"{{"id":"{}","transfers":[{{"debit":"bank","credit":"till","amount":{amount},"currency":"{currency}"}}]}}"#,
        TransactionId::new()
    );
    let [key] = new_key();
    let headers = [key, ("Content-Type".to_owned(), "application/json".to_owned())];
    app.post_bytes(TRANSACTIONS, body.into_bytes(), &headers).await
}

async fn open(app: &Mizan, currency: &str) -> i64 {
    app.open_form(json!({ "code": "bank", "currency": currency, "may_go_negative": true }))
        .await;
    app.open_form(json!({ "code": "till", "currency": currency }))
        .await
}

on_every_store! {
    /// 2^53 + 1 is where a double stops telling neighbours apart.
    async fn one_minor_unit_above_2_to_the_53_is_not_lost(app: Mizan) {
        let till = open(&app, "JPY").await;
        post_raw(&app, "\"9007199254740992\"", "JPY").await.expect(201);
        let back = |amount: &str| {
            transaction(&[json!({ "debit": "till", "credit": "bank", "amount": amount, "currency": "JPY" })])
        };
        let short = post(&app, &back("9007199254740993")).await.expect_error(400, "INSUFFICIENT_FUNDS");
        assert_eq!(short.body["short_minor_units"], 1);
        assert_eq!(app.holds(till).await, "9007199254740992");
        post(&app, &back("9007199254740992")).await.expect(201);
        assert_eq!(app.holds(till).await, "0");
        post_raw(&app, "9007199254740993", "JPY").await.expect(201);
        assert_eq!(app.holds(till).await, "9007199254740993", "a JSON number is read by its digits");
        app.verify_holds().await;
    }

    async fn what_is_no_amount_is_422_and_never_zero(app: Mizan) {
        open(&app, "TRY").await;
        for amount in [
            "1e3", "1E2", "\"1e3\"", "\"1,234.56\"", "\"1.234,56\"", "\" 10\"", "\"10 \"", "\"NaN\"", "\"Infinity\"",
            "\"\"", "true", "null", "[]", "{}", "\"+1\"", "\".5\"", "\"1.\"", "\"0x10\"", "\"\u{661}\"", "1.005",
            "\"10.500\"", "-1e-2",
        ] {
            let reply = post_raw(&app, amount, "TRY").await;
            assert_eq!((reply.status, reply.error_code()), (422, "VALIDATION_FAILED"), "{amount}: {}", reply.text);
            assert_eq!(reply.body["field"], "transfers[0].amount", "{amount}");
        }
        post_raw(&app, "NaN", "TRY").await.expect_error(400, "MALFORMED_JSON");
        post_raw(&app, "", "TRY").await.expect_error(400, "MALFORMED_JSON");
        assert_eq!(app.journal_rows().await, 0);
    }

    async fn currencies_and_their_decimals_are_those_of_iso_4217(app: Mizan) {
        for currency in ["TRY", "JPY", "KWD"] {
            open(&app, currency).await;
        }
        for (amount, currency) in [
            ("10.5", "JPY"), ("1.2345", "KWD"), ("1.005", "TRY"), ("1.00", "ZZZ"), ("1.00", "try"), ("1.00", ""),
            ("1.00", "XAU"), ("1.00", "TRYX"),
        ] {
            let reply = post_raw(&app, &format!("\"{amount}\""), currency).await;
            assert_eq!((reply.status, reply.error_code()), (422, "VALIDATION_FAILED"), "{amount} {currency}");
        }
        for (amount, currency) in [("10", "JPY"), ("1.234", "KWD"), ("1.05", "TRY")] {
            let reply = post_raw(&app, &format!("\"{amount}\""), currency).await.expect(201);
            assert_eq!(reply.body["transfers"][0]["amount"], amount);
        }
        app.post("/api/v1/ledger/accounts", json!({ "code": "x", "currency": "ZZZ" }))
            .await
            .expect_error(422, "VALIDATION_FAILED");
        app.verify_holds().await;
    }
}

//! The database refuses what the API refuses, and a stored value that cannot be read is an error with a name.

use mizan_testkit::on_every_store;

use super::TRANSACTIONS;
use crate::harness::{Mizan, PATIENCE};
use crate::verbs::new_key;

/// A journal row like the first one, with some columns of its own.
fn insert(amount: &str, credit: &str, leg: &str) -> String {
    format!(
        "INSERT INTO journal (tenant_id, transaction_id, leg, kind, debit_account_id, credit_account_id, amount,
                              currency, fingerprint, posted_at)
         SELECT tenant_id, '01930000-0000-7000-8000-000000000001', {leg}, kind, debit_account_id, {credit}, {amount},
                currency, fingerprint, posted_at
         FROM journal LIMIT 1"
    )
}

on_every_store! {
    async fn the_database_refuses_what_the_api_refuses(app: Mizan) {
        app.open_source("bank").await;
        let till = app.open("till").await;
        app.fund("bank", "till", "1.00").await;
        let balance = |to: &str| format!("UPDATE balances SET posted = {to} WHERE account_id = {till}");
        for (sql, constraint) in [
            (insert("0", "credit_account_id", "0"), "ck_journal_amount"),
            (insert("-1", "credit_account_id", "0"), "ck_journal_amount"),
            (insert("1", "debit_account_id", "0"), "ck_journal_accounts"),
            (insert("1", "credit_account_id", "-1"), "ck_journal_leg"),
            (balance("-1"), "ck_balances_not_negative"),
        ] {
            let refused = app.home.sql(&sql).await.expect_err(&sql).to_string();
            assert!(refused.contains(constraint), "{constraint}: {refused}");
        }
        for too_large in [insert("9223372036854775807 + 1", "credit_account_id", "0"), balance("9223372036854775807 + 1")] {
            app.home.sql(&too_large).await.expect_err("more than 64 bits");
        }
        assert_eq!(app.journal_rows().await, 1);
        app.home.sql(&insert("1", "credit_account_id", "0")).await.expect("a good row is taken by the same statement");
        assert_eq!(app.journal_rows().await, 2);
    }

    async fn a_stored_value_that_cannot_be_read_is_named_and_nothing_panics(app: Mizan) {
        app.open_source("bank").await;
        let till = app.open("till").await;
        app.fund("bank", "till", "1.00").await;
        app.home.sql(&format!("UPDATE accounts SET currency = 'ZZZ' WHERE id = {till}")).await.expect("spoilt");
        let path = format!("/api/v1/ledger/accounts/{till}");
        let reply = app.get(&path).await.expect_error(500, "INTERNAL");
        assert!(!reply.text.contains("ZZZ") && !reply.text.contains("accounts"), "{}", reply.text);
        let line = app.process.wait_for_line("the store failed", PATIENCE).await.expect("it is logged");
        for part in ["accounts", "currency", &till.to_string()] {
            assert!(line.contains(part), "{part} is not named: {line}");
        }
        app.get("/api/v1/ledger/accounts").await.expect_error(500, "INTERNAL");
        app.get("/api/health").await.expect(200);
        let metrics = app.get("/metrics").await.expect(200).text;
        let panics = metrics.lines().find(|it| it.starts_with("mizan_http_panics_total"));
        assert!(panics.is_none_or(|it| it.ends_with(" 0")), "{panics:?}");
        assert!(!app.process.transcript().contains("panicked"), "{}", app.process.transcript());
    }

    async fn bytes_that_are_no_text_are_refused(app: Mizan) {
        let [key] = new_key();
        let headers = [key, ("Content-Type".to_owned(), "application/json".to_owned())];
        for body in [&b"\xff\xfe"[..], b"{\"id\":\"\xff\"}", b"{\"id\":", b""] {
            app.post_bytes(TRANSACTIONS, body, &headers).await.expect_error(400, "MALFORMED_JSON");
        }
        let [key] = new_key();
        app.post_bytes(TRANSACTIONS, &b"{}"[..], &[key]).await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

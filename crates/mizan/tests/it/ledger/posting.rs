//! One transaction: posted once, read back, refused by name.

use mizan_core::TransactionId;
use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::{TRANSACTIONS, leg, post, transaction, transfer};
use crate::harness::Mizan;
use crate::verbs::{key, new_key};

on_every_store! {
    async fn a_transaction_posts_once_whatever_key_it_comes_with(app: Mizan) {
        let (source, till) = (app.open_source("bank").await, app.open("till").await);
        let mut body = transfer("bank", "till", "10.50");
        body["reference"] = "invoice 7".into();
        body["metadata"] = json!({ "order": 7, "'; DROP TABLE journal; --": "x" });
        let once = key("one");
        let first = app.post_with(TRANSACTIONS, body.clone(), &once).await.expect(201);
        assert_eq!(first.header("Idempotency-Replayed"), "");
        let again = app.post_with(TRANSACTIONS, body.clone(), &once).await.expect(201);
        assert_eq!((again.text, again.headers["Idempotency-Replayed"].to_str().ok()), (first.text, Some("true")));
        let other_key = post(&app, &body).await.expect(200);
        assert_eq!(other_key.header("Idempotency-Replayed"), "true");

        let id = body["id"].as_str().expect("an id");
        let shown = app.get(&format!("{TRANSACTIONS}/{id}")).await.expect(200).body;
        assert_eq!(shown["metadata"], body["metadata"]);
        assert_eq!((&shown["reference"], &shown["transfers"][0]["amount"]), (&"invoice 7".into(), &"10.50".into()));
        assert_eq!(app.journal_rows().await, 1);
        assert_eq!((app.holds(source).await, app.holds(till).await), ("-10.50".into(), "10.50".into()));

        body["transfers"][0]["amount"] = "10.51".into();
        post(&app, &body).await.expect_error(409, "TRANSACTION_ID_CONFLICT");
        app.post_with(TRANSACTIONS, body, &once).await.expect_error(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT");
        assert_eq!(app.journal_rows().await, 1);
        app.verify_holds().await;
    }

    async fn two_equal_bodies_with_ids_of_their_own_are_two_transactions(app: Mizan) {
        app.open_source("bank").await;
        let till = app.open("till").await;
        app.fund("bank", "till", "5.00").await;
        app.fund("bank", "till", "5.00").await;
        assert_eq!(app.holds(till).await, "10.00");
    }

    async fn several_transfers_post_together_or_not_at_all(app: Mizan) {
        app.open_source("bank").await;
        let (a, b) = (app.open("a").await, app.open("b").await);
        let legs = |last: &str| transaction(&[leg("bank", "a", "10.00"), leg("a", "b", "4.00"), leg("b", "bank", last)]);
        let short = post(&app, &legs("4.01")).await.expect_error(400, "INSUFFICIENT_FUNDS");
        assert_eq!(short.body["short_minor_units"], 1);
        assert_eq!((app.holds(a).await, app.holds(b).await, app.journal_rows().await), ("0.00".into(), "0.00".into(), 0));
        post(&app, &legs("4.00")).await.expect(201);
        assert_eq!((app.holds(a).await, app.holds(b).await, app.journal_rows().await), ("6.00".into(), "0.00".into(), 3));
        app.verify_holds().await;
    }

    async fn every_refusal_has_a_name_and_changes_nothing(app: Mizan) {
        app.open_source("bank").await;
        app.open("till").await;
        app.open_form(json!({ "code": "till", "currency": "EUR" })).await;
        let player = app.player_with("5.00").await;
        let held = format!("wallet:{}:held", player.id);
        player.withdraw("1.00").await.expect(200);
        let before = app.journal_rows().await;
        let eur = |debit: &str| json!({ "debit": debit, "credit": "till", "amount": "1.00", "currency": "EUR" });
        let many: Vec<_> = (0..1_001).map(|_| leg("bank", "till", "0.01")).collect();
        for (legs, status, code) in [
            (vec![], 422, "TRANSFERS_MISSING"),
            (many, 422, "TOO_MANY_TRANSFERS"),
            (vec![leg("bank", "till", "0.00")], 422, "AMOUNT_NOT_POSITIVE"),
            (vec![leg("bank", "till", "-1.00")], 422, "AMOUNT_NOT_POSITIVE"),
            (vec![leg("till", "till", "1.00")], 422, "SAME_ACCOUNT"),
            (vec![leg("bank", "nobody", "1.00")], 404, "ACCOUNT_NOT_FOUND"),
            (vec![eur("bank")], 404, "ACCOUNT_NOT_FOUND"),
            (vec![leg("till", "bank", "0.01")], 400, "INSUFFICIENT_FUNDS"),
            (vec![leg("bank", "till", "92233720368547758.07"), leg("bank", "till", "0.01")], 422, "AMOUNT_OVERFLOW"),
            (vec![leg("bank", "till", "92233720368547758.08")], 422, "VALIDATION_FAILED"),
            (vec![leg(&held, "till", "1.00")], 422, "VALIDATION_FAILED"),
            (vec![leg("bank", "ti ll", "1.00")], 422, "VALIDATION_FAILED"),
        ] {
            let shown = legs.first().cloned().unwrap_or_default();
            let reply = post(&app, &transaction(&legs)).await;
            assert_eq!((reply.status, reply.error_code()), (status, code), "{shown}: {}", reply.text);
        }
        assert_eq!(app.journal_rows().await, before);
        app.verify_holds().await;
    }

    async fn a_request_that_was_refused_does_not_burn_its_key(app: Mizan) {
        app.open_source("bank").await;
        app.open("till").await;
        let mut body = transfer("till", "bank", "1.00");
        let once = key("once");
        app.post_with(TRANSACTIONS, body.clone(), &once).await.expect_error(400, "INSUFFICIENT_FUNDS");
        body["transfers"][0]["amount"] = "1.005".into();
        app.post_with(TRANSACTIONS, body, &once).await.expect_error(422, "VALIDATION_FAILED");
        app.post_with(TRANSACTIONS, transfer("bank", "till", "1.00"), &once).await.expect(201);
    }

    async fn a_body_of_another_shape_names_its_field(app: Mizan) {
        let good = transfer("bank", "till", "1.00");
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        for (body, field) in [
            (with("id", "not an id".into()), "id"),
            (with("id", Value::Null), "id"),
            (with("kind", "UPPER CASE".into()), "kind"),
            (with("surprise", 1.into()), "surprise"),
            (with("metadata", "text".into()), "metadata"),
            (with("metadata", json!({ "long": "x".repeat(4_100) })), "metadata"),
            (with("reference", "x".repeat(129).into()), "reference"),
            (with("transfers", json!({})), "transfers"),
        ] {
            let reply = app.post_with(TRANSACTIONS, body, &new_key()).await.expect_error(422, "VALIDATION_FAILED");
            assert_eq!(reply.body["field"], field, "{}", reply.text);
        }
        app.post(TRANSACTIONS, good.clone()).await.expect_error(400, "IDEMPOTENCY_KEY_REQUIRED");
        let unknown = format!("{TRANSACTIONS}/{}", TransactionId::new());
        app.get(&unknown).await.expect_error(404, "TRANSACTION_NOT_FOUND");
        assert_eq!(app.journal_rows().await, 0);
    }
}

//! Many transactions in one request: a verdict for each.

use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::{TRANSACTIONS, leg, transaction, transfer};
use crate::harness::Mizan;
use crate::verbs::key;

/// `posted`, `replayed`, or the code of the refusal, in the order of the request.
fn verdicts(body: &Value) -> Vec<&str> {
    let items = body["items"].as_array().expect("items");
    items
        .iter()
        .map(|it| {
            it["error_code"]
                .as_str()
                .or(it["verdict"].as_str())
                .unwrap_or_default()
        })
        .collect()
}

on_every_store! {
    async fn each_transaction_has_its_own_verdict_and_refusals_harm_no_neighbour(app: Mizan) {
        app.open_source("bank").await;
        let (a, b) = (app.open("a").await, app.open("b").await);
        let first = transfer("bank", "a", "10.00");
        let all = [
            first.clone(),
            transfer("a", "b", "10.01"),
            transfer("a", "nobody", "1.00"),
            transfer("a", "a", "1.00"),
            transaction(&[]),
            transaction(&[leg("a", "b", "4.00"), leg("a", "b", "7.00")]),
            transfer("a", "b", "10.00"),
            first,
            transfer("bank", "b", "0.01"),
        ];
        let reply = app.bulk(&all, false).await.expect(200);
        assert_eq!(verdicts(&reply.body), [
            "posted", "INSUFFICIENT_FUNDS", "ACCOUNT_NOT_FOUND", "SAME_ACCOUNT", "TRANSFERS_MISSING",
            "INSUFFICIENT_FUNDS", "posted", "replayed", "posted",
        ]);
        let counts = ["posted", "replayed", "refused"].map(|it| reply.body[it].as_u64());
        assert_eq!(counts, [Some(3), Some(1), Some(5)]);
        assert_eq!((app.holds(a).await, app.holds(b).await), ("0.00".into(), "10.01".into()));
        assert_eq!(app.journal_rows().await, 3);
        app.verify_holds().await;
    }

    async fn one_refusal_refuses_all_of_an_atomic_request(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let all = [transfer("bank", "a", "1.00"), transfer("a", "bank", "1.01"), transfer("bank", "a", "2.00")];
        let reply = app.bulk(&all, true).await.expect(200);
        assert_eq!(verdicts(&reply.body), ["ATOMIC_BATCH_REFUSED", "INSUFFICIENT_FUNDS", "ATOMIC_BATCH_REFUSED"]);
        assert_eq!((app.holds(a).await, app.journal_rows().await), ("0.00".into(), 0));
        let good = [all[0].clone(), all[2].clone()];
        assert_eq!(verdicts(&app.bulk(&good, true).await.expect(200).body), ["posted", "posted"]);
        assert_eq!(app.holds(a).await, "3.00");
    }

    async fn one_id_twice_in_a_request_has_a_verdict_each_time(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let one = transfer("bank", "a", "1.00");
        let mut other = one.clone();
        other["transfers"][0]["amount"] = "2.00".into();
        let reply = app.bulk(&[one.clone(), one.clone(), other.clone()], false).await.expect(200);
        assert_eq!(verdicts(&reply.body), ["posted", "replayed", "TRANSACTION_ID_CONFLICT"]);
        assert_eq!(app.holds(a).await, "1.00");

        // What was refused took no id: the good one after it is posted.
        let mut refused = transfer("a", "bank", "99.00");
        let good = json!({ "id": refused["id"], "transfers": [leg("bank", "a", "5.00")] });
        refused["reference"] = "too much".into();
        let reply = app.bulk(&[refused, good], false).await.expect(200);
        assert_eq!(verdicts(&reply.body), ["INSUFFICIENT_FUNDS", "posted"]);
        assert_eq!((app.holds(a).await, app.journal_rows().await), ("6.00".into(), 2));
    }

    async fn a_bulk_request_is_answered_once_and_then_replayed(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let path = format!("{TRANSACTIONS}/bulk");
        let body = json!({ "transactions": [transfer("bank", "a", "1.00"), transfer("a", "bank", "7.00")] });
        let once = key("bulk");
        let first = app.post_with(&path, body.clone(), &once).await.expect(200);
        let again = app.post_with(&path, body.clone(), &once).await.expect(200);
        assert_eq!((again.text.as_str(), again.header("Idempotency-Replayed")), (first.text.as_str(), "true"));
        let other = json!({ "transactions": [transfer("bank", "a", "1.00")] });
        app.post_with(&path, other, &once).await.expect_error(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT");
        let reply = app.bulk(body["transactions"].as_array().expect("a list"), false).await.expect(200);
        assert_eq!(verdicts(&reply.body), ["replayed", "INSUFFICIENT_FUNDS"]);
        assert_eq!(app.holds(a).await, "1.00");
    }

    async fn a_request_takes_one_to_8192_transactions(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        app.bulk(&[], false).await.expect_error(422, "VALIDATION_FAILED");
        let mut all: Vec<_> = (0..8_193).map(|_| transfer("bank", "a", "0.01")).collect();
        app.bulk(&all, false).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(app.journal_rows().await, 0);
        all.pop();
        let reply = app.bulk(&all, true).await.expect(200);
        assert_eq!(reply.body["posted"], 8_192);
        assert_eq!(app.holds(a).await, "81.92");
        app.verify_holds().await;
    }

    async fn an_item_that_cannot_be_read_is_named_and_nothing_is_posted(app: Mizan) {
        app.open_source("bank").await;
        app.open("a").await;
        let all = [transfer("bank", "a", "1.00"), transfer("bank", "a", "1,00")];
        let reply = app.bulk(&all, false).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(reply.body["field"], "transactions[1].transfers[0].amount");
        assert_eq!(app.journal_rows().await, 0);
    }
}

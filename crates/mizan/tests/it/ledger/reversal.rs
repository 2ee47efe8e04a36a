//! A mistake is undone by a transaction that names it; once.

use futures::future::join_all;
use mizan_core::TransactionId;
use mizan_testkit::{Reply, TestApp, on_every_store};
use serde_json::{Value, json};

use super::{TRANSACTIONS, leg, post, transaction, transfer};
use crate::harness::Mizan;
use crate::verbs::{key, new_key};

async fn reverse(app: &TestApp, original: &Value, key: &[(String, String)]) -> Reply {
    let id = original["id"].as_str().expect("an id");
    app.post_with(
        &format!("{TRANSACTIONS}/{id}/reverse"),
        json!({ "reason": "posted by mistake" }),
        key,
    )
    .await
}

on_every_store! {
    async fn a_reversal_undoes_every_transfer_and_both_name_each_other(app: Mizan) {
        app.open_source("bank").await;
        let (a, b) = (app.open("a").await, app.open("b").await);
        let original = transaction(&[leg("bank", "a", "10.00"), leg("a", "b", "10.00")]);
        post(&app, &original).await.expect(201);
        let once = key("undo");
        let reversal = reverse(&app, &original, &once).await.expect(201);
        assert_eq!(reversal.body["reverses"], original["id"]);
        assert_eq!((app.holds(a).await, app.holds(b).await), ("0.00".into(), "0.00".into()));
        let shown = app.get(&format!("{TRANSACTIONS}/{}", original["id"].as_str().expect("an id"))).await.expect(200);
        assert_eq!(shown.body["reversed_by"], reversal.body["id"]);
        let replayed = reverse(&app, &original, &once).await.expect(201);
        assert_eq!((replayed.text.as_str(), replayed.header("Idempotency-Replayed")), (reversal.text.as_str(), "true"));
        reverse(&app, &original, &new_key()).await.expect_error(409, "ALREADY_REVERSED");
        assert_eq!(app.journal_rows().await, 4);
        app.verify_holds().await;
    }

    async fn of_racing_reversals_one_succeeds(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let original = transfer("bank", "a", "10.00");
        post(&app, &original).await.expect(201);
        app.fund("bank", "a", "90.00").await;
        let replies = join_all((0..12).map(|_| {
            let (app, original, key) = (&app, &original, new_key());
            async move { reverse(app, original, &key).await }
        })).await;
        assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 1);
        for lost in replies.into_iter().filter(|it| it.status != 201) {
            lost.expect_error(409, "ALREADY_REVERSED");
        }
        assert_eq!((app.holds(a).await, app.journal_rows().await), ("90.00".into(), 3));
        app.verify_holds().await;
    }

    async fn a_reversal_that_is_refused_can_be_asked_for_again(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let original = transfer("bank", "a", "10.00");
        post(&app, &original).await.expect(201);
        post(&app, &transfer("a", "bank", "4.00")).await.expect(201);
        let once = key("undo");
        reverse(&app, &original, &once).await.expect_error(400, "INSUFFICIENT_FUNDS");
        assert_eq!(app.holds(a).await, "6.00");
        app.fund("bank", "a", "4.00").await;
        reverse(&app, &original, &once).await.expect(201);
        assert_eq!(app.holds(a).await, "0.00");
        app.verify_holds().await;
    }

    async fn what_cannot_be_reversed_is_said(app: Mizan) {
        let unknown = json!({ "id": TransactionId::new() });
        reverse(&app, &unknown, &new_key()).await.expect_error(404, "TRANSACTION_NOT_FOUND");
        let player = app.player_with("10.00").await;
        player.withdraw("4.00").await.expect(200);
        let sql = "SELECT transaction_id FROM journal WHERE kind = 'withdrawal_hold'";
        let hold = json!({ "id": app.home.sql(sql).await.expect("a hold") });
        reverse(&app, &hold, &new_key()).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
    }
}

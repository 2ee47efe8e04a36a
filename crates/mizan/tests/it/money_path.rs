//! Money comes in, is held, goes out; whatever races, it moves once.

use futures::future::join_all;
use mizan_testkit::on_every_store;
use serde_json::json;

use crate::harness::Mizan;
use crate::verbs::{event, key, new_key};

on_every_store! {
    async fn eight_withdrawals_race_for_one_balance_and_one_wins(app: Mizan) {
        let player = app.player_with("15.00").await;
        let replies = join_all((0..8).map(|_| player.withdraw("10.00"))).await;
        let won: Vec<_> = replies.iter().filter(|it| it.status == 200).collect();
        assert_eq!(won.len(), 1);
        for reply in replies.iter().filter(|it| it.status != 200).cloned() {
            reply.expect_error(400, "INSUFFICIENT_FUNDS");
        }
        assert_eq!(player.balance().await, ("5.00".into(), "10.00".into()));
        assert_eq!(app.ledger_verify().await.0, 0);
    }

    async fn fifty_requests_with_one_key_make_one_entry_and_fifty_equal_replies(app: Mizan) {
        let player = app.player_with("100.00").await;
        let once = key("the-same");
        let replies = join_all((0..50).map(|_| player.withdraw_with("10.00", &once))).await;
        let first = replies[0].text.clone();
        assert!(replies.iter().all(|it| it.status == 200 && it.text == first));
        assert_eq!(player.balance().await, ("90.00".into(), "10.00".into()));
        player.withdraw_with("11.00", &once).await.expect_error(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT");
        assert_eq!(player.balance().await, ("90.00".into(), "10.00".into()));
    }

    async fn fifty_copies_of_one_webhook_have_one_effect(app: Mizan) {
        let player = app.player().await;
        let event = event("deposit_captured", "evt-1", "pay-1", &player.id, "12.34");
        let replies = join_all((0..50).map(|_| app.webhook(&event))).await;
        assert!(replies.iter().all(|it| it.status == 200), "{:?}", replies.iter().map(|it| it.status).collect::<Vec<_>>());
        assert_eq!(app.event_state("evt-1").await, "applied");
        assert_eq!(player.balance().await.0, "12.34");
        assert_eq!(app.ledger_verify().await.0, 0);
    }

    async fn a_deposit_needs_a_key_and_a_good_amount(app: Mizan) {
        let player = app.player().await;
        let path = "/api/v1/player/wallet/deposit";
        let good = json!({ "amount": "10.00", "method": "test" });
        player.app.post(path, good).await.expect_error(400, "IDEMPOTENCY_KEY_REQUIRED");
        for bad in [json!("1,234.56"), json!(" 10"), json!("NaN"), json!(""), json!(true), json!(null), json!("-1"),
            json!("0"), json!("1.005"), json!("99999999999999999999")]
        {
            let body = json!({ "amount": bad, "method": "test" });
            let reply = player.app.post_with(path, body.clone(), &new_key()).await;
            assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        }
        assert_eq!(player.balance().await.0, "0.00");
    }
}

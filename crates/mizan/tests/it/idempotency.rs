//! One key, one effect, one reply: at once, later, elsewhere, and after a mistake.

use futures::future::join_all;
use mizan_testkit::{Reply, TestApp, on_every_store};
use serde_json::{Value, json};

use crate::harness::Mizan;
use crate::verbs::{Player, key, new_key};

const DEPOSIT: &str = "/api/v1/player/wallet/deposit";
const WITHDRAW: &str = "/api/v1/player/wallet/withdraw";

impl Player {
    /// The same player, at another process.
    fn at(&self, other: &TestApp) -> Self {
        let token = self.app.token().expect("a player is signed in");
        Self {
            app: other.with_token(token),
            id: self.id.clone(),
        }
    }

    /// Deposits with a key of one's own.
    pub async fn deposit_with(&self, amount: &str, key: &[(String, String)]) -> Reply {
        self.app
            .post_with(DEPOSIT, json!({ "amount": amount, "method": "test" }), key)
            .await
    }
}

/// How many of these replies were given before.
fn replayed(replies: &[Reply]) -> usize {
    replies
        .iter()
        .filter(|it| it.header("Idempotency-Replayed") == "true")
        .count()
}

on_every_store! {
    async fn fifty_deposits_with_one_key_make_one_entry_and_fifty_equal_replies(app: Mizan) {
        let player = app.player().await;
        let once = new_key();
        let replies = join_all((0..50).map(|_| player.deposit_with("10.00", &once))).await;
        let first = &replies[0].text;
        assert!(replies.iter().all(|it| it.status == 200 && it.text == *first));
        assert_eq!(replayed(&replies), 49);
        assert_eq!(app.journal().await.len(), 1);
        assert_eq!(player.balance().await.0, "10.00");
    }

    async fn a_key_with_another_body_is_refused_and_posts_nothing(app: Mizan) {
        let player = app.player().await;
        let once = new_key();
        let first = player.deposit_with("10.00", &once).await.expect(200);
        let same = |extra: &str, amount: &str| format!("{{\"amount\":\"{amount}\",\"method\":\"test\"{extra}}}");
        for body in [same("", "11.00"), same(",\"currency\":\"EUR\"", "10.00"), same(" ", "10.00")] {
            let body: Vec<u8> = body.into_bytes();
            let headers = [once[0].clone(), ("Content-Type".to_owned(), "application/json".to_owned())];
            let reply = player.app.post_bytes(DEPOSIT, body, &headers).await;
            assert_eq!(replayed(std::slice::from_ref(&reply)), 0);
            reply.expect_error(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT");
        }
        assert_eq!(app.journal().await.len(), 1);
        let again = player.deposit_with("10.00", &once).await.expect(200);
        assert_eq!(again.text, first.text, "the key still has its reply");
    }

    /// A key is never invented from a body.
    async fn equal_bodies_with_different_keys_are_two_entries(app: Mizan) {
        let player = app.player().await;
        let replies = join_all((0..2).map(|_| player.deposit("10.00"))).await;
        assert_eq!(replayed(&replies), 0);
        assert_ne!(replies[0].body["transaction"]["id"], replies[1].body["transaction"]["id"]);
        assert_eq!(app.journal().await.len(), 2);
        assert_eq!(player.balance().await.0, "20.00");
    }

    async fn one_key_in_two_tenants_is_two_requests(app: Mizan) {
        app.tenant("globex").await;
        let (ada, bob) = (app.player().await, app.player_of("globex").await);
        let once = key("order-1");
        for (player, amount) in [(&ada, "10.00"), (&bob, "20.00"), (&ada, "10.00"), (&bob, "20.00")] {
            player.deposit_with(amount, &once).await.expect(200);
        }
        assert_eq!((ada.balance().await.0, bob.balance().await.0), ("10.00".into(), "20.00".into()));
        assert_eq!(app.journal().await.len(), 2);
    }

    /// Two players of one tenant may count their orders alike, and so may two routes.
    async fn one_key_of_two_players_or_routes_is_two_requests(app: Mizan) {
        let (ada, bob) = (app.player().await, app.player().await);
        let once = key("order-1");
        for player in [&ada, &bob] {
            let reply = player.deposit_with("10.00", &once).await.expect(200);
            assert_eq!(replayed(&[reply]), 0);
        }
        ada.withdraw_with("4.00", &once).await.expect(200);
        assert_eq!(ada.balance().await, ("6.00".into(), "4.00".into()));
        assert_eq!(bob.balance().await, ("10.00".into(), "0.00".into()));
    }

    async fn a_key_outlives_a_restart_and_holds_in_every_process(app: Mizan) {
        let mut app = app;
        let player = app.player().await;
        let (deposited, withdrawn) = (new_key(), new_key());
        let first = player.deposit_with("10.00", &deposited).await.expect(200);
        let second = player.withdraw_with("4.00", &withdrawn).await.expect(200);
        app.kill().await;
        app.start_again().await;
        let (other, _process) = app.second().await;
        let elsewhere = player.at(&other);
        for player in [&player, &elsewhere] {
            let deposit = player.deposit_with("10.00", &deposited).await;
            let again = [deposit, player.withdraw_with("4.00", &withdrawn).await];
            assert_eq!([&again[0].text, &again[1].text], [&first.text, &second.text]);
            assert_eq!(replayed(&again), 2);
        }
        assert_eq!(player.balance().await, ("6.00".into(), "4.00".into()));
        assert_eq!(app.journal().await.len(), 2);
    }

    /// Two processes on one database, half of the copies each.
    async fn copies_that_reach_two_processes_at_once_make_one_entry(app: Mizan) {
        let player = app.player().await;
        let (other, _process) = app.second().await;
        let elsewhere = player.at(&other);
        let once = new_key();
        let both = [&player, &elsewhere];
        let replies = join_all((0..20).map(|no| both[no % 2].deposit_with("10.00", &once))).await;
        assert!(replies.iter().all(|it| it.status == 200 && it.text == replies[0].text));
        assert_eq!(replayed(&replies), 19);
        assert_eq!(app.journal().await.len(), 1);
    }

    async fn a_request_that_failed_does_not_burn_its_key(app: Mizan) {
        let player = app.player().await;
        let (deposited, withdrawn) = (new_key(), new_key());
        for (amount, method) in [("1.005", "test"), ("-1", "test"), ("0", "test"), ("10.00", "card")] {
            let body = json!({ "amount": amount, "method": method });
            let reply = player.app.post_with(DEPOSIT, body, &deposited).await;
            assert!((400..500).contains(&reply.status), "{amount} {method}: {}", reply.status);
        }
        player.withdraw_with("10.00", &withdrawn).await.expect_error(400, "INSUFFICIENT_FUNDS");
        let short = json!({ "amount": "10.00", "method": "iban", "address": "TR" });
        player.app.post_with(WITHDRAW, short, &withdrawn).await.expect_error(422, "VALIDATION_FAILED");
        assert!(app.journal().await.is_empty());

        let reply = player.deposit_with("10.00", &deposited).await.expect(200);
        assert_eq!(replayed(&[reply]), 0);
        let reply = player.withdraw_with("10.00", &withdrawn).await.expect(200);
        assert_eq!(replayed(&[reply]), 0);
        assert_eq!(player.balance().await, ("0.00".into(), "10.00".into()));
    }

    async fn a_key_is_one_header_of_visible_characters(app: Mizan) {
        let player = app.player().await;
        for bad in ["a b", "a\tb", &"x".repeat(256)] {
            player.deposit_with("10.00", &key(bad)).await.expect_error(422, "VALIDATION_FAILED");
        }
        player.deposit_with("10.00", &key("")).await.expect_error(400, "IDEMPOTENCY_KEY_REQUIRED");
        let twice = [key("a")[0].clone(), key("b")[0].clone()];
        player.deposit_with("10.00", &twice).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(player.balance().await.0, "0.00");
        player.deposit_with("10.00", &key("x".repeat(255))).await.expect(200);
    }

    /// A step of finance with a key of its own is answered alike although the withdrawal has moved on.
    async fn a_repeated_command_has_its_first_reply(app: Mizan) {
        let id = app.player_with("10.00").await.withdrawal("4.00").await;
        let path = format!("/api/v1/finance/withdrawals/{id}/review");
        let (once, body): (_, Value) = (new_key(), json!({ "action": "approve" }));
        let first = app.post_with(&path, body.clone(), &once).await.expect(200);
        app.tell(&app, &id, "mark-paid").await.expect(200);
        let again = app.post_with(&path, body, &once).await.expect(200);
        assert_eq!((again.text.as_str(), again.header("Idempotency-Replayed")), (first.text.as_str(), "true"));
        app.tell(&app, &id, "approve").await.expect_error(409, "INVALID_STATE_TRANSITION");
        let reject = json!({ "action": "reject", "reason": "another body" });
        app.post_with(&path, reject, &once).await.expect_error(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT");
    }
}

//! The process dies at any moment: what was acknowledged is there once, what is sent again never doubles.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::{Reply, eventually, on_every_store};
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{LEASE_AND_MORE, Mizan, PATIENCE};
use crate::payouts::approved;
use crate::psp::Psp;
use crate::verbs::{Player, event, new_key};

const DEPOSIT: &str = "/api/v1/player/wallet/deposit";

/// A deposit of 1.00 by somebody whose server may be gone.
async fn try_deposit(player: &Player, key: &[(String, String); 1]) -> Option<Reply> {
    let request = player
        .app
        .request(Method::POST, DEPOSIT)
        .header(&key[0].0, &key[0].1);
    player
        .app
        .try_send(request.json(&json!({ "amount": "1.00", "method": "test" })))
        .await
        .ok()
}

on_every_store! {
    /// Each round kills the process after another number of replies, with all the others under way.
    async fn whatever_is_under_way_a_killed_process_loses_and_doubles_nothing(app: Mizan) {
        let mut app = app;
        let player = app.player().await;
        let mut total = 0;
        for replies in [1, 4, 9, 16] {
            let keys: Vec<_> = (0..24).map(|_| new_key()).collect();
            let mut acknowledged = vec![None; keys.len()];
            {
                let player = &player;
                let all = keys.iter().enumerate();
                let mut flying: FuturesUnordered<_> =
                    all.map(|(no, key)| async move { (no, try_deposit(player, key).await) }).collect();
                while let Some((no, reply)) = flying.next().await {
                    acknowledged[no] = reply.filter(|it| it.status == 200);
                    if acknowledged.iter().flatten().count() == replies {
                        app.kill().await;
                    }
                }
            }
            app.start_again().await;
            for (key, before) in keys.iter().zip(&acknowledged) {
                let again = try_deposit(&player, key).await.expect("it serves again").expect(200);
                if let Some(before) = before {
                    assert_eq!((&again.text, again.header("Idempotency-Replayed")), (&before.text, "true"));
                }
            }
            total += keys.len();
            assert_eq!(player.balance().await.0, format!("{total}.00"), "after {replies} replies");
        }
        assert_eq!(app.journal().await.len(), total);
        app.expect_sound_ledger().await;
    }

    /// The reply to a committed deposit is never read; the process dies; the retry is told what happened.
    async fn a_reply_that_nobody_heard_is_given_to_the_retry(app: Mizan) {
        let mut app = app;
        let player = app.player().await;
        let once = new_key();
        let body = json!({ "amount": "1.00", "method": "test" }).to_string();
        let address = app.base_url().strip_prefix("http://").expect("http").to_owned();
        let mut unheard = TcpStream::connect(&address).await.expect("the server listens");
        let head = format!(
            "POST {DEPOSIT} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            player.app.token().expect("signed in"), once[0].1, body.len(),
        );
        unheard.write_all(head.as_bytes()).await.expect("the request is sent");
        let committed = eventually(PATIENCE, || async { player.balance().await.0 == "1.00" });
        committed.await.expect("the deposit is committed");
        app.kill().await;
        drop(unheard);
        app.start_again().await;
        let reply = try_deposit(&player, &once).await.expect("it serves again").expect(200);
        assert_eq!(reply.header("Idempotency-Replayed"), "true");
        assert_eq!(reply.body["balance"]["available"], "1.00");
        assert_eq!(player.balance().await.0, "1.00");
        assert_eq!(app.journal().await.len(), 1);
    }

    /// The process dies with a call to the provider under way, and with events that it has just said yes to.
    async fn what_was_taken_before_a_kill_is_done_once_after_it(app: Mizan) {
        let mut app = app;
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", silent.local_addr().expect("an address"));
        app.kill().await;
        app.start_again_with(&[("MOCKPSP_URL", &url)]).await;
        let (player, id) = approved(&app).await;
        app.tell(&app, &id, "payout").await.expect(200);
        let (_call, _) = silent.accept().await.expect("the provider is called");
        let attempt = app.attempts(&id).await.remove(0);
        assert_eq!(attempt["state"], "open", "what is asked for was stored before the call");

        let events: Vec<_> = (0..12)
            .map(|no| event("deposit_captured", &format!("evt-{no}"), &format!("pay-{no}"), &player.id, "1.00"))
            .collect();
        for it in &events {
            app.webhook(it).await.expect(200);
        }
        app.kill().await;
        let psp = Psp::start(&app, Vec::new()).await;
        psp.once(Fault::WebhookDuplicate);
        app.start_again_with(&[("MOCKPSP_URL", &psp.url())]).await;
        for it in &events {
            app.webhook(it).await.expect(200); // the provider did not hear every yes
        }
        let done = eventually(LEASE_AND_MORE, || async {
            let state = app.shown(&id).await["state"].clone();
            let (available, held) = player.balance().await;
            let done = state == "paid" && available == "18.00" && held == "0.00";
            done.then_some(()).ok_or_else(|| format!("{state} {available} {held}"))
        });
        done.await.expect("everything is done");
        assert_eq!(app.attempts(&id).await[0]["provider_key"], attempt["provider_key"]);
        assert_eq!(psp.paid_out().await, 1);
        assert_eq!(app.kinds(&id).await, ["withdrawal_hold", "withdrawal_paid"]);
        assert_eq!(app.journal().await.len(), 1 + 2 + events.len());
        app.expect_sound_ledger().await;
    }
}

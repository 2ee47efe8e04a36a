//! Large, compressed and slow senders: a 4xx within bounds, nothing kept, and others are served meanwhile.

use std::time::Duration;

use futures::future::join_all;
use mizan_testkit::{on_every_store, sign_mockpsp};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Mizan, PATIENCE, SECRET};
use crate::verbs::{Player, event, unix_now};

const LIMIT: usize = 1 << 20;
const PATH: &str = "/api/v1/payments/webhook/mockpsp";

/// A capture of 1.00 that is this many bytes long.
fn long(event_id: &str, player: &Player, length: usize) -> Vec<u8> {
    let mut body = event("deposit_captured", event_id, event_id, &player.id, "1.00").to_string();
    body.pop();
    body += ",\"padding\":\"";
    let missing = length - body.len() - 2;
    body.extend(std::iter::repeat_n('x', missing));
    (body + "\"}").into_bytes()
}

/// A connection on which a test says byte by byte what is sent.
async fn connected(app: &Mizan) -> TcpStream {
    let address = app.base_url().strip_prefix("http://").expect("http");
    TcpStream::connect(address).await.expect("the server listens")
}

/// The status of the reply on a connection, in bounded time.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut head = [0; 12];
    let read = timeout(PATIENCE, stream.read_exact(&mut head)).await;
    read.expect("an answer in time").expect("an answer");
    let text = String::from_utf8_lossy(&head).into_owned();
    text.split(' ')
        .nth(1)
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("{text}"))
}

on_every_store! {
    async fn a_body_is_at_most_one_mebibyte(app: Mizan) {
        let player = app.player().await;
        for (event_id, length, expected) in [("evt-fits", LIMIT, 200), ("evt-large", LIMIT + 1, 413)] {
            let body = long(event_id, &player, length);
            assert_eq!(body.len(), length);
            let headers = sign_mockpsp(SECRET, unix_now(), &body);
            let reply = app.webhook_raw("mockpsp", &body, &headers).await;
            assert_eq!(reply.status, expected, "{}", reply.text);
            let ends = if expected == 413 { "close" } else { "" };
            assert_eq!(reply.header("Connection"), ends, "the next request goes elsewhere");
        }
        assert_eq!(app.event_state("evt-fits").await, "applied");
        assert_eq!(app.items("/api/v1/payments/webhooks").await.len(), 1);
        assert_eq!(player.balance().await.0, "1.00");
    }

    /// Neither an announced length nor an endless stream of chunks is read to its end.
    async fn what_announces_or_sends_too_much_is_answered_before_it_ends(app: Mizan) {
        let mut announced = connected(&app).await;
        let head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
        announced.write_all(head.as_bytes()).await.expect("the head is sent");
        assert_eq!(status(&mut announced).await, 413);

        let mut endless = connected(&app).await;
        let head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        endless.write_all(head.as_bytes()).await.expect("the head is sent");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let (mut read, mut write) = endless.split();
        let sending = async {
            // The server may close while we still send: its answer is what counts.
            while write.write_all(chunk.as_bytes()).await.is_ok() {}
        };
        let mut head = [0; 12];
        let reading = read.read_exact(&mut head);
        tokio::select! {
            answer = timeout(PATIENCE, reading) => {
                answer.expect("an answer in time").expect("an answer");
            }
            () = async { sending.await; std::future::pending().await } => {}
        }
        assert_eq!(&head[9..12], b"413");
    }

    async fn a_compressed_body_is_refused_unread(app: Mizan) {
        let player = app.player().await;
        let body = event("deposit_captured", "evt-1", "pay-1", &player.id, "1.00").to_string();
        for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"] {
            let mut headers = sign_mockpsp(SECRET, unix_now(), body.as_bytes());
            headers.push(("Content-Encoding".into(), encoding.into()));
            let reply = app.webhook_raw("mockpsp", body.as_bytes(), &headers).await;
            reply.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        assert!(app.items("/api/v1/payments/webhooks").await.is_empty());
    }

    async fn a_slow_sender_is_given_up_while_others_are_served(app: Mizan) {
        let player = app.player().await;
        let mut slow = Vec::new();
        for _ in 0..20 {
            let mut stream = connected(&app).await;
            let head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{");
            stream.write_all(head.as_bytes()).await.expect("the head is sent");
            slow.push(stream);
        }
        let said = event("deposit_captured", "evt-1", "pay-1", &player.id, "1.00");
        timeout(Duration::from_secs(5), app.webhook(&said)).await.expect("others do not wait").expect(200);
        for stream in &mut slow {
            assert_eq!(status(stream).await, 408);
        }
        assert_eq!(app.event_state("evt-1").await, "applied");
        assert_eq!(app.items("/api/v1/payments/webhooks").await.len(), 1);
    }

    /// 600 a minute from one address for one connection, whether they are refused or, with the flag off, kept.
    async fn senders_without_a_signature_are_given_up_and_other_connections_are_served(app: Mizan) {
        let player = app.player().await;
        app.other_connection("default", "hmac").await;
        let flag = json!({ "value": false, "reason": "a migration of secrets" });
        app.put("/api/v1/flags/webhook_signature_enforced", flag).await.expect(200);
        let body = event("deposit_captured", "evt-1", "pay-1", &player.id, "1.00").to_string();
        let unsigned = || app.webhook_raw("other", body.as_bytes(), &[]);
        for _ in 0..12 {
            for reply in join_all((0..50).map(|_| unsigned())).await {
                reply.expect(200);
            }
        }
        let refused = unsigned().await.expect_error(429, "TOO_MANY_REJECTED");
        assert!(!refused.header("Retry-After").is_empty());
        let headers = sign_mockpsp(SECRET, unix_now(), body.as_bytes());
        app.webhook_raw("mockpsp", body.as_bytes(), &headers).await.expect(200);
        player.wait_for_available("1.00").await;
        assert_eq!(app.journal().await.len(), 1);
    }
}

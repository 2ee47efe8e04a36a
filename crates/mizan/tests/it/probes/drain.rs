//! SIGTERM: not ready at once, what is under way is finished, then the end.

use mizan_testkit::{Signal, TestApp, eventually, on_every_store};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Mizan, OWNER, PATIENCE, sign_in};
use crate::ledger::{TRANSACTIONS, transfer};

/// A request whose body is not complete yet.
async fn begin(app: &TestApp, token: &str, body: &str) -> TcpStream {
    let head = format!(
        "POST {TRANSACTIONS} HTTP/1.1\r\nHost: mizan\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nIdempotency-Key: under-way\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut wire = TcpStream::connect(app.base_url().trim_start_matches("http://"))
        .await
        .expect("a connection");
    wire.write_all(head.as_bytes()).await.expect("the head is sent");
    wire.write_all(&body.as_bytes()[..20])
        .await
        .expect("some of the body is sent");
    wire
}

on_every_store! {
    async fn a_stopping_service_is_not_ready_and_finishes_what_it_began(app: Mizan) {
        let mut app = app;
        app.open_source("bank").await;
        app.open("till").await;
        let token = sign_in(&app, OWNER).await;
        let body = transfer("bank", "till", "1.00").to_string();
        let mut wire = begin(&app, &token, &body).await;
        app.get("/api/ready").await.expect(200);

        app.process.signal(Signal::SIGTERM).expect("it is told to stop");
        app.process.wait_for_line("service.draining", PATIENCE).await.expect("it says so");
        let draining = app.get("/api/ready").await.expect(503);
        assert_eq!((draining.body["status"].as_str(), &draining.body["checks"]["db"]["ok"]), (Some("fail"), &true.into()));
        app.get("/api/health").await.expect(200);
        let closed = eventually(PATIENCE, || async {
            app.try_send(app.request(Method::GET, "/api/health")).await.is_err()
        });
        closed.await.expect("the port is closed after a while");

        wire.write_all(&body.as_bytes()[20..]).await.expect("the rest of the body is sent");
        let mut reply = String::new();
        wire.read_to_string(&mut reply).await.expect("a reply");
        assert!(reply.starts_with("HTTP/1.1 201"), "{reply}");
        assert_eq!(app.process.exit_code(PATIENCE).await.expect("it ends"), 0);
        assert_eq!(app.journal_rows().await, 1);
        app.verify_holds().await;
    }
}

//! Clients that hang up in the middle leave no lock and no half of anything.

use mizan_testkit::{eventually, on_every_store};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{TRANSACTIONS, post, transfer};
use crate::harness::{Mizan, OWNER, PATIENCE, sign_in};
use crate::verbs::key;

/// Sends a request, or the beginning of one, and hangs up without reading.
async fn hang_up_after(app: &Mizan, token: &str, path: &str, body: &Value, key: &str, share: usize) {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: mizan\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let address = app.base_url().trim_start_matches("http://");
    let mut wire = TcpStream::connect(address).await.expect("a connection");
    wire.write_all(head.as_bytes()).await.expect("the head is sent");
    wire.write_all(&body.as_bytes()[..body.len() * share / 100])
        .await
        .expect("the body is sent");
    wire.flush().await.expect("sent");
    wire.set_zero_linger().expect("a reset instead of an orderly end");
}

on_every_store! {
    async fn a_client_that_hangs_up_leaves_no_lock_and_no_half_entry(app: Mizan) {
        app.open_source("bank").await;
        let till = app.open("till").await;
        let token = sign_in(&app, OWNER).await;
        let bodies: Vec<_> = (0..40).map(|_| transfer("bank", "till", "1.00")).collect();
        for (number, body) in bodies.iter().enumerate() {
            let share = if number % 4 == 0 { 50 } else { 100 };
            hang_up_after(&app, &token, TRANSACTIONS, body, &format!("hung-up-{number}"), share).await;
        }
        let bulk = json!({ "transactions": (0..200).map(|_| transfer("bank", "till", "0.01")).collect::<Vec<_>>() });
        hang_up_after(&app, &token, &format!("{TRANSACTIONS}/bulk"), &bulk, "hung-up-bulk", 100).await;

        let next = tokio::time::timeout(PATIENCE, post(&app, &transfer("till", "bank", "0.00"))).await;
        next.expect("the accounts are not locked").expect_error(422, "AMOUNT_NOT_POSITIVE");
        for (number, body) in bodies.iter().enumerate() {
            let reply = app.post_with(TRANSACTIONS, body.clone(), &key(format!("hung-up-{number}"))).await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let path = format!("{TRANSACTIONS}/bulk");
        app.post_with(&path, bulk, &key("hung-up-bulk")).await.expect(200);
        assert_eq!((app.holds(till).await, app.journal_rows().await), ("42.00".into(), 240));
        app.verify_holds().await;
        if app.home.is_postgres() {
            let idle = "SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            let none = eventually(PATIENCE, || async { app.home.sql(idle).await.is_ok_and(|it| it == "0") });
            none.await.expect("no transaction is left open");
        }
    }
}

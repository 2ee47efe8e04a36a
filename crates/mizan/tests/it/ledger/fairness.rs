//! One operator floods; the others are answered, and the flood is told to come again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::future::join_all;
use mizan_testkit::{TestApp, eventually, on_every_store};
use serde_json::json;

use crate::harness::{LEASE_AND_MORE, Mizan};
use crate::postings::{TRANSACTIONS, post, transfer};
use crate::verbs::new_key;

/// The most that one request may have.
const BULK: usize = 8_192;
/// Four of these are all that one tenant may have waiting.
const FLOOD: usize = 6;

/// What the operator of the flood was told.
#[derive(Default)]
struct Told {
    posted: AtomicU64,
    busy: AtomicU64,
}

/// Posts bulk requests, one after the other, until it is told to stop.
async fn flood(of: &TestApp, told: &Told, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let items: Vec<_> = (0..BULK).map(|_| transfer("from", "to", "0.01")).collect();
        let body = json!({ "transactions": items });
        let reply = of
            .post_with(&format!("{TRANSACTIONS}/bulk"), body, &new_key())
            .await;
        if reply.status == 429 {
            assert_eq!(reply.error_code(), "TOO_BUSY");
            assert_eq!(reply.header("Retry-After"), "1");
            told.busy.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(reply.expect(200).body["posted"], BULK);
            told.posted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Mizan {
    async fn operator(&self, tenant: &str) -> TestApp {
        self.tenant(tenant).await;
        let operator = self.staff_of(tenant, "finance").await;
        for (code, may_go_negative) in [("from", true), ("to", false)] {
            let form = json!({ "code": code, "may_go_negative": may_go_negative });
            operator.post("/api/v1/ledger/accounts", form).await.expect(201);
        }
        operator
    }
}

on_every_store! {
    /// How many batches a request waits is counted beside the queue itself, in `mizan_flows::writer`.
    async fn whoever_floods_is_told_to_come_again_and_nobody_else_is(app: Mizan) {
        let (loud, quiet) = (app.operator("loud").await, app.operator("quiet").await);
        let (told, stop) = (Told::default(), AtomicBool::new(false));
        let floods = join_all((0..FLOOD).map(|_| flood(&loud, &told, &stop)));
        let singles = async {
            let flooded = eventually(LEASE_AND_MORE, || async {
                told.busy.load(Ordering::Relaxed) > 0 && told.posted.load(Ordering::Relaxed) > 0
            });
            flooded.await.expect("the flood is more than may wait");
            for _ in 0..4 {
                post(&quiet, &transfer("from", "to", "1.00")).await.expect(201);
            }
            stop.store(true, Ordering::Relaxed);
        };
        tokio::join!(floods, singles);
    }
}

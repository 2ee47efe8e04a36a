//! A finding that later runs do not find any more resolves itself, and says so.

use mizan_providers::mockpsp::simulator::{Fault, Plan};
use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::{Books, next};
use crate::harness::Mizan;

on_every_store! {
    async fn a_late_webhook_resolves_the_finding_that_missed_it(app: Mizan) {
        let books = Books::with(app, vec![next(Fault::WebhookDelay, 1)]).await;
        books.pay("10.00").await;
        books.pay("7.00").await;
        books.settled("7.00").await;
        let first = books.run().await;
        assert_eq!(first["stats_json"]["summary"]["findings"], json!({ "missing_in_ledger": 1 }), "{first}");
        let found = books.findings().await;
        assert_eq!((found.len(), &found[0]["status"], &found[0]["statement_amount"]), (1, &json!("OPEN"), &json!("10.00")));
        assert_eq!(found[0]["ledger_amount"], Value::Null);

        books.psp.release();
        books.settled("17.00").await;
        let second = books.run().await;
        assert_eq!(second["stats_json"]["summary"]["findings"], json!({}), "{second}");
        assert_eq!(second["stats_json"]["findings_resolved"], 1);
        let found = books.findings().await;
        assert_eq!((found.len(), &found[0]["status"]), (1, &json!("RESOLVED")));
        let reason = found[0]["status_reason"].as_str().expect("a reason");
        assert!(reason.contains(second["id"].as_str().expect("an id")), "the reason names the run: {reason}");
        books.app.verify_holds().await;
    }

    async fn webhooks_twice_and_out_of_order_are_no_finding(app: Mizan) {
        let plans = vec![Plan::next(Fault::WebhookDuplicate, 4), Plan::next(Fault::WebhookReorder, 2).only_on(&["deposit_authorized"])];
        let books = Books::with(app, plans).await;
        for _ in 0..6 {
            books.pay("5.00").await;
        }
        books.settled("30.00").await;
        let run = books.run().await;
        let summary = &run["stats_json"]["summary"];
        assert_eq!((&summary["findings"], &summary["matched"]), (&json!({}), &json!(6)), "{run}");
        assert_eq!(books.findings().await, Vec::<Value>::new());
    }

    async fn a_statement_that_fails_once_is_fetched_again(app: Mizan) {
        let books = Books::with(app, vec![Plan::next(Fault::StatementError, 1)]).await;
        books.pay("5.00").await;
        books.settled("5.00").await;
        let run = books.run().await;
        assert_eq!(run["stats_json"]["summary"]["matched"], 1, "{run}");
    }
}

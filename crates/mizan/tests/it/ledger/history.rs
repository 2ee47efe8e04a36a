//! What an account held at a time, and its history page by page.

use mizan_testkit::on_every_store;
use serde_json::Value;

use super::{post, transfer};
use crate::harness::Mizan;

fn texts<'a>(body: &'a Value, name: &str) -> Vec<&'a str> {
    body["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|it| it[name].as_str().unwrap_or_default())
        .collect()
}

on_every_store! {
    async fn a_balance_at_a_time_has_everything_up_to_and_at_it(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let mut times = Vec::new();
        for amount in ["1.00", "2.00", "3.00"] {
            let posted = post(&app, &transfer("bank", "a", amount)).await.expect(201);
            times.push(posted.body["posted_at"].as_str().expect("a time").to_owned());
        }
        let at = async |time: &str| {
            let path = format!("/api/v1/ledger/accounts/{a}/balance?at={}", time.replace('+', "%2B"));
            app.get(&path).await.expect(200).body["balance"].as_str().expect("a balance").to_owned()
        };
        assert_eq!(at("2020-01-01T00:00:00Z").await, "0.00");
        assert_eq!(at(&times[0]).await, "1.00");
        assert_eq!(at(&times[1]).await, "3.00");
        assert_eq!(at(&times[2]).await, "6.00");
        assert_eq!(at("2099-01-01T03:00:00+03:00").await, "6.00");
        let bad = format!("/api/v1/ledger/accounts/{a}/balance?at=yesterday");
        app.get(&bad).await.expect_error(422, "VALIDATION_FAILED");
    }

    async fn pages_are_stable_while_entries_are_added(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        let mut expected = Vec::new();
        for number in 1..=30 {
            let amount = format!("{number}.00");
            app.fund("bank", "a", &amount).await;
            expected.insert(0, amount);
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/ledger/accounts/{a}/entries?limit=7{cursor}");
            let page = app.get(&path).await.expect(200).body;
            seen.extend(texts(&page, "amount").into_iter().map(str::to_owned));
            match page["meta"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            app.fund("bank", "a", "100.00").await;
        }
        assert_eq!(seen, expected);
        let first = app.get(&format!("/api/v1/ledger/accounts/{a}/entries?limit=5")).await.expect(200).body;
        assert_eq!(texts(&first, "amount"), ["100.00", "100.00", "100.00", "100.00", "30.00"]);
    }

    async fn running_balances_follow_from_entry_to_entry(app: Mizan) {
        app.open_source("bank").await;
        let a = app.open("a").await;
        app.fund("bank", "a", "10.00").await;
        post(&app, &transfer("a", "bank", "2.50")).await.expect(201);
        let page = app.get(&format!("/api/v1/ledger/accounts/{a}/entries")).await.expect(200).body;
        assert_eq!(texts(&page, "amount"), ["-2.50", "10.00"]);
        assert_eq!(texts(&page, "balance_after"), ["7.50", "10.00"]);
    }
}

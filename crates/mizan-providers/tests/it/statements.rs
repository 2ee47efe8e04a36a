//! The statement: its window, its faults, and what fetching it survives.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use mizan_core::{Clock, TimeWindow};
use mizan_payments::ProviderEvent;
use mizan_payments::provider::ProviderError;
use mizan_providers::simulator::{Fault, Plan};
use mizan_providers::{Backoff, ClientSettings};

use crate::bench::{Bench, Options, around, connection, connection_with, payout, rows, settings};

/// Counts the differences between what was received and the statement, by event id.
fn differences(received: &[ProviderEvent], statement: &[Vec<String>]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    let mut count = |kind| *counts.entry(kind).or_default() += 1;
    let ours: BTreeMap<_, _> = received.iter().map(|it| (it.event_id.as_str(), it)).collect();
    let mut theirs: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
    for row in statement {
        theirs.entry(row[0].as_str()).or_default().push(row);
    }
    for (id, rows) in &theirs {
        let Some(event) = ours.get(id) else {
            count("missing_in_ledger");
            continue;
        };
        if rows.len() > 1 {
            count("duplicate_in_psp");
        }
        let row = rows[0];
        if row[5] != event.amount.currency.code() {
            count("currency_mismatch");
        } else if row[3] != event.amount.major() {
            count("amount_mismatch");
        }
        if row[6] != "settled" {
            count("status_mismatch");
        }
        assert_eq!(
            (&row[1], &row[7]),
            (&event.provider_ref, &event.occurred_at.to_rfc3339())
        );
    }
    for _ in ours.keys().filter(|it| !theirs.contains_key(*it)) {
        count("missing_in_psp");
    }
    counts
}

async fn one_of_each_movement(bench: &Bench) {
    let id = bench.pay_in("10.00").await;
    bench.refund(&id).await;
    let id = bench.pay_in("20.00").await;
    bench
        .post(
            &format!("/payments/{id}/chargeback"),
            serde_json::json!({"amount": "5.00"}),
        )
        .await;
    bench.connection().pay(&payout("key-1", 700)).await;
    bench.psp.quiesce().await;
}

#[tokio::test]
async fn each_planted_fault_is_one_difference_of_its_type() {
    for (fault, expected) in [
        (Fault::WebhookDrop, "missing_in_ledger"),
        (Fault::StatementAlter, "amount_mismatch"),
        (Fault::StatementDrop, "missing_in_psp"),
        (Fault::StatementDuplicate, "duplicate_in_psp"),
        (Fault::StatementCurrency, "currency_mismatch"),
        (Fault::StatementStatus, "status_mismatch"),
    ] {
        let plan = Plan::next(fault, 1).only_on(&["deposit_refunded"]);
        let bench = Bench::with(vec![plan]).await;
        one_of_each_movement(&bench).await;
        let found = differences(&bench.receiver.events(), &bench.statement().await);
        assert_eq!(found, [(expected, 1)].into(), "{fault:?}");
        assert_eq!(bench.psp.expected_findings(), found, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_by_chance_are_the_differences_that_are_there_and_follow_from_the_seed() {
    let faults = [
        Fault::WebhookDrop,
        Fault::WebhookDuplicate,
        Fault::WebhookReorder,
        Fault::StatementAlter,
        Fault::StatementDrop,
        Fault::StatementDuplicate,
        Fault::StatementCurrency,
        Fault::StatementStatus,
    ];
    let run = async |seed| {
        let plans = faults.map(|it| Plan::chance(it, 1_000)).into();
        let bench = Bench::of(Options {
            seed,
            plans,
            ..Options::default()
        })
        .await;
        for _ in 0..10 {
            one_of_each_movement(&bench).await;
        }
        let statement = bench.statement().await;
        let found = differences(&bench.receiver.events(), &statement);
        assert_eq!(bench.psp.expected_findings(), found, "seed {seed}");
        (statement, bench.psp.planted())
    };
    let (first, again, other) = (run(7).await, run(7).await, run(8).await);
    assert!(first.1.len() > 5, "{:?}", first.1);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn movements_are_listed_with_their_type_fee_and_batch() {
    let bench = Bench::of(Options {
        fee_basis_points: 290,
        ..Options::default()
    })
    .await;
    one_of_each_movement(&bench).await;
    let day = bench.clock.now().format("po_%Y%m%d_TRY").to_string();
    let seen: Vec<_> = bench
        .statement()
        .await
        .into_iter()
        .map(|it| (it[2].clone(), it[3].clone(), it[4].clone(), it[8] == day))
        .collect();
    let row =
        |kind: &str, amount: &str, fee: &str| (kind.to_owned(), amount.to_owned(), fee.to_owned(), true);
    assert_eq!(
        seen,
        [
            row("deposit", "10.00", "0.29"),
            row("refund", "10.00", "0.00"),
            row("deposit", "20.00", "0.58"),
            row("chargeback", "5.00", "0.00"),
            row("withdraw", "7.00", "0.00"),
        ]
    );
}

#[tokio::test]
async fn the_start_of_a_window_belongs_to_it_and_the_end_does_not() {
    let bench = Bench::with(vec![]).await;
    let mut edges = vec![bench.clock.now()];
    for amount in ["1.00", "2.00", "3.00"] {
        bench.pay_in(amount).await;
        bench.clock.advance(TimeDelta::microseconds(1));
        edges.push(bench.clock.now());
    }
    let window = TimeWindow::new(edges[1], edges[2]).unwrap();
    let file = bench.connection().statement(window).await.unwrap();
    assert_eq!(file.format, "generic");
    let amounts: Vec<_> = rows(&file.bytes).iter().map(|it| it[3].clone()).collect();
    assert_eq!(amounts, ["2.00"]);
}

#[tokio::test]
async fn a_fetch_is_repeated_as_soon_as_the_provider_asks_for() {
    let bench = Bench::with(vec![Plan::next(Fault::StatementError, 3)]).await;
    bench.pay_in("10.00").await;
    // Without regard to `Retry-After: 0` this would wait for hours.
    let hour = Duration::from_hours(1);
    let backoff = Backoff {
        tries: 4,
        first: hour,
        longest: hour,
    };
    let patient = ClientSettings {
        backoff,
        entropy: || 3_600_000_000,
        ..settings()
    };
    let psp = connection_with(Some(bench.psp.base_url()), None, patient);
    let file = psp.statement(around(bench.clock.now())).await.unwrap();
    assert_eq!(rows(&file.bytes).len(), 1);
}

#[tokio::test]
async fn a_fetch_ends_with_its_last_try() {
    let bench = Bench::with(vec![Plan::next(Fault::StatementError, 100)]).await;
    let seen = bench.connection().statement(around(bench.clock.now())).await;
    assert_eq!(seen, Err(ProviderError::Status(503)));
    assert_eq!(bench.psp.planted().len(), 4);
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let bench = Bench::of(Options {
        api_key: Some("the-key"),
        plans: vec![Plan::next(Fault::StatementError, 1)],
        ..Options::default()
    })
    .await;
    let psp = connection(Some(bench.psp.base_url()), Some("wrong"));
    assert_eq!(
        psp.statement(around(bench.clock.now())).await,
        Err(ProviderError::Status(401))
    );
}

#[tokio::test]
async fn a_statement_over_the_limit_is_refused_not_cut() {
    let bench = Bench::with(vec![]).await;
    bench.pay_in("10.00").await;
    let small = ClientSettings {
        longest_statement: 100,
        ..settings()
    };
    let psp = connection_with(Some(bench.psp.base_url()), None, small);
    let seen = psp.statement(around(bench.clock.now())).await;
    assert!(matches!(seen, Err(ProviderError::Unreadable(_))), "{seen:?}");
}

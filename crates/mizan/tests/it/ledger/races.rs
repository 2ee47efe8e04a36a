//! Many at once: no deadlock surfaces, nothing is lost, what is made twice is made once.

use std::time::Duration;

use futures::future::join_all;
use mizan_testkit::{TestApp, on_every_store};
use rand::seq::SliceRandom;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{TRANSACTIONS, post, transfer};
use crate::harness::{Mizan, OWNER, sign_in};
use crate::verbs::new_key;

const ACCOUNTS: usize = 8;
const FOR: Duration = Duration::from_secs(3);

fn account(number: usize) -> String {
    format!("till-{}", number % ACCOUNTS)
}

/// One transfer after the other, there or back.
async fn one_by_one(app: TestApp, worker: usize, until: Instant) -> Vec<u16> {
    let mut seen = Vec::new();
    while Instant::now() < until {
        let (mut from, mut to) = (account(0), account(1));
        if worker.is_multiple_of(2) {
            std::mem::swap(&mut from, &mut to);
        }
        seen.push(post(&app, &transfer(&from, &to, "0.01")).await.status);
    }
    seen
}

/// Requests over all accounts, each in an order of its own.
async fn in_bulk(app: TestApp, until: Instant) -> Vec<u16> {
    let mut seen = Vec::new();
    while Instant::now() < until {
        let mut pairs: Vec<_> = (0..ACCOUNTS).map(|it| (account(it), account(it + 3))).collect();
        pairs.shuffle(&mut rand::rng());
        let all: Vec<_> = pairs
            .iter()
            .map(|(from, to)| transfer(from, to, "0.01"))
            .collect();
        let body = json!({ "transactions": all, "atomic": false });
        seen.push(
            app.post_with(&format!("{TRANSACTIONS}/bulk"), body, &new_key())
                .await
                .status,
        );
    }
    seen
}

/// The application, and on PostgreSQL a second process beside it.
async fn processes(app: &Mizan) -> (Vec<TestApp>, Option<mizan_testkit::MizanProcess>) {
    let first = app.with_token(sign_in(app, OWNER).await);
    if !app.home.is_postgres() {
        return (vec![first], None);
    }
    let (second, process) = app.second().await;
    let token = sign_in(&second, OWNER).await;
    (vec![first, second.with_token(token)], Some(process))
}

on_every_store! {
    async fn there_and_back_from_many_workers_ends_without_a_deadlock(app: Mizan) {
        app.open_source("bank").await;
        for number in 0..ACCOUNTS {
            app.open(&account(number)).await;
            app.fund("bank", &account(number), "50.00").await;
        }
        let (apps, _process) = processes(&app).await;
        let until = Instant::now() + FOR;
        let pick = |worker: usize| apps[worker % apps.len()].clone();
        let single = join_all((0..24).map(|it| tokio::spawn(one_by_one(pick(it), it / 2, until))));
        let bulk = join_all((0..8).map(|it| tokio::spawn(in_bulk(pick(it), until))));
        let (single, bulk) = tokio::join!(single, bulk);
        let single: Vec<_> = single.into_iter().flat_map(|it| it.expect("no worker panics")).collect();
        let bulk: Vec<_> = bulk.into_iter().flat_map(|it| it.expect("no worker panics")).collect();
        assert!(single.len() > 50 && bulk.len() > 10, "{} and {} requests", single.len(), bulk.len());
        let odd: Vec<_> = single.iter().filter(|it| !matches!(it, 201 | 400)).chain(bulk.iter().filter(|it| **it != 200)).collect();
        assert!(odd.is_empty(), "{odd:?}");
        assert_eq!(app.home.sql("SELECT sum(posted) FROM balances").await.expect("a sum"), "0");
        app.verify_holds().await;
    }

    async fn two_processes_that_make_the_same_account_tenant_or_run_make_one(app: Mizan) {
        let (second, _process) = app.second().await;
        let second = second.with_token(sign_in(&second, OWNER).await);
        let run = json!({
            "provider": "mockpsp", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z",
            "idempotency_key": "nightly",
        });
        for (path, form, name) in [
            ("/api/v1/ledger/accounts", json!({ "code": "shared" }), "id"),
            ("/api/v1/admin/tenants", json!({ "key": "acme", "name": "Acme" }), "key"),
            ("/api/v1/reconciliation/runs", run, "id"),
        ] {
            let both: Vec<&TestApp> = vec![&app, &second];
            let replies = join_all((0..10).map(|it| both[it % 2].post(path, form.clone()))).await;
            let names: Vec<&Value> = replies.iter().map(|it| &it.body[name]).collect();
            assert!(replies.iter().all(|it| matches!(it.status, 200 | 201)), "{path}: {}", replies[0].text);
            assert!(names.iter().all(|it| *it == names[0] && !it.is_null()), "{path}: {names:?}");
        }
        for (table, rows) in [("accounts WHERE code = 'shared'", "1"), ("tenants", "2"), ("recon_runs", "1")] {
            let sql = format!("SELECT count(*) FROM {table}");
            assert_eq!(app.home.sql(&sql).await.expect("a count"), rows, "{table}");
        }
    }

    async fn one_id_sent_by_many_at_once_is_posted_once(app: Mizan) {
        app.open_source("bank").await;
        let till = app.open("till").await;
        let (apps, _process) = processes(&app).await;
        let one = transfer("bank", "till", "1.00");
        let replies = join_all((0..30).map(|it| post(&apps[it % apps.len()], &one))).await;
        let mut statuses: Vec<_> = replies.iter().map(|it| it.status).collect();
        statuses.sort_unstable();
        assert_eq!((statuses[29], &statuses[..29]), (201, &[200; 29][..]));
        assert_eq!((app.holds(till).await, app.journal_rows().await), ("1.00".into(), 1));
    }
}

//! Asking for runs: what is accepted, what is refused, and that a key names one run.

use mizan_core::TransactionId;
use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::{Books, FINDINGS, RUNS, completed, ended, next};
use crate::harness::{Mizan, PATIENCE};
use crate::psp::Psp;

fn with(body: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut body = body.clone();
    body[name] = value.into();
    body
}

/// A day on which nothing happened.
fn quiet_day() -> Value {
    json!({
        "provider": "mockpsp", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z",
    })
}

on_every_store! {
    async fn a_run_is_queued_then_completed_and_finds_what_was_planted(app: Mizan) {
        let plans = vec![
            next(Fault::StatementAlter, 2), next(Fault::StatementDrop, 1), next(Fault::StatementDuplicate, 1),
            next(Fault::StatementCurrency, 1), next(Fault::StatementStatus, 1),
        ];
        let books = Books::with(app, plans).await;
        for _ in 0..12 {
            books.pay("10.00").await;
        }
        books.settled("120.00").await;
        let made = books.app.post(RUNS, books.window()).await.expect(200);
        let names = ["id", "provider", "window_start", "window_end", "dry_run", "created_at", "updated_at", "stats_json", "error_json"];
        for name in names {
            assert!(made.body.get(name).is_some(), "{name}: {}", made.text);
        }
        assert_eq!((&made.body["status"], &made.body["stats_json"]), (&json!("queued"), &Value::Null));
        let run = completed(&books.app, &made).await;
        let expected = json!({
            "amount_mismatch": 2, "missing_in_psp": 1, "duplicate_in_psp": 1, "currency_mismatch": 1, "status_mismatch": 1,
        });
        let summary = &run["stats_json"]["summary"];
        assert_eq!(summary["findings"], expected, "{run}");
        assert_eq!((&summary["ledger_rows"], &summary["statement_rows"]), (&json!(12), &json!(12)), "{run}");
        assert!(run["stats_json"]["duration_ms"].is_u64() && summary["digest"].is_string(), "{run}");
        assert_eq!(books.findings().await.len(), 6);
        books.app.verify_holds().await;
    }

    async fn one_key_is_one_run_and_another_body_is_a_conflict(app: Mizan) {
        let mut app = app;
        let _psp = Psp::beside(&mut app, Vec::new()).await;
        let body = with(&quiet_day(), "idempotency_key", "nightly");
        let first = app.post(RUNS, body.clone()).await.expect(200);
        let ended = ended(&app, &first).await;
        let again = app.post(RUNS, body.clone()).await.expect(200);
        assert_eq!((&again.body["id"], &again.body["attempts"]), (&ended["id"], &ended["attempts"]), "not executed twice");
        for (name, value) in [("dry_run", json!(true)), ("window_end", json!("2026-01-03T00:00:00Z"))] {
            app.post(RUNS, with(&body, name, value)).await.expect_error(409, "IDEMPOTENCY_KEY_REUSE_CONFLICT");
        }
        let same_instant = with(&body, "window_end", "2026-01-02T03:00:00+03:00");
        assert_eq!(app.post(RUNS, same_instant).await.expect(200).body["id"], first.body["id"]);
        let unkeyed = (app.post(RUNS, quiet_day()).await.expect(200), app.post(RUNS, quiet_day()).await.expect(200));
        assert_ne!(unkeyed.0.body["id"], unkeyed.1.body["id"]);
        assert_eq!(app.get(&format!("{RUNS}?offset=0")).await.expect(200).body["meta"]["total"], 3);
    }

    async fn windows_are_read_with_an_offset_with_z_and_with_neither(app: Mizan) {
        for (start, end) in [
            ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("2026-01-01T03:00:00+03:00", "2026-01-02T03:00:00+03:00"),
            ("2026-01-01T00:00:00", "2026-01-02T00:00:00"),
            ("2025-12-31T19:00:00-05:00", "2026-01-02T00:00:00.000000Z"),
        ] {
            let body = with(&with(&quiet_day(), "window_start", start), "window_end", end);
            let made = app.post(RUNS, body).await.expect(200).body;
            assert_eq!((&made["window_start"], &made["window_end"]), (&json!("2026-01-01T00:00:00Z"), &json!("2026-01-02T00:00:00Z")));
        }
    }

    async fn what_is_no_run_is_refused_with_its_code(app: Mizan) {
        let day = quiet_day();
        for (body, status, code) in [
            (with(&day, "provider", "nobody"), 400, "UNSUPPORTED_PROVIDER"),
            (with(&day, "provider", "MOCKPSP"), 400, "UNSUPPORTED_PROVIDER"),
            (with(&day, "provider", "' OR 1=1 --"), 400, "UNSUPPORTED_PROVIDER"),
            (with(&day, "window_end", "2026-01-01T00:00:00Z"), 422, "VALIDATION_FAILED"),
            (with(&day, "window_end", "2025-12-31T00:00:00Z"), 422, "VALIDATION_FAILED"),
            (with(&day, "window_end", "2026-01-01T02:00:00+03:00"), 422, "VALIDATION_FAILED"),
            (with(&day, "window_start", "yesterday"), 422, "VALIDATION_FAILED"),
            (with(&day, "window_start", 1_767_225_600), 422, "VALIDATION_FAILED"),
            (with(&day, "dry_run", "yes"), 422, "VALIDATION_FAILED"),
            (with(&day, "idempotency_key", ""), 422, "VALIDATION_FAILED"),
            (with(&day, "idempotency_key", "x".repeat(256)), 422, "VALIDATION_FAILED"),
            (with(&day, "statement_id", TransactionId::new().to_string()), 422, "VALIDATION_FAILED"),
            (with(&day, "surprise", 1), 422, "VALIDATION_FAILED"),
        ] {
            let shown = body.to_string();
            let reply = app.post(RUNS, body).await;
            assert_eq!((reply.status, reply.error_code()), (status, code), "{shown}: {}", reply.text);
        }
        assert_eq!(app.items(RUNS).await, Vec::<Value>::new());
        for path in [TransactionId::new().to_string(), "no-id".to_owned()] {
            app.get(&format!("{RUNS}/{path}")).await.expect_error(404, "RUN_NOT_FOUND");
            app.post(&format!("{RUNS}/{path}/cancel"), json!({})).await.expect_error(404, "RUN_NOT_FOUND");
        }
        app.post("/api/v1/payments/reconciliation/run", json!({})).await.expect_error(422, "VALIDATION_FAILED");
        app.post("/api/v1/payments/reconciliation/run?provider=nobody", json!({}))
            .await
            .expect_error(400, "UNSUPPORTED_PROVIDER");
    }

    async fn a_dry_run_stores_nothing_and_returns_what_it_would_have_found(app: Mizan) {
        let books = Books::with(app, vec![next(Fault::StatementAlter, 1)]).await;
        books.pay("10.00").await;
        books.settled("10.00").await;
        let run = books.app.post(RUNS, with(&books.window(), "dry_run", true)).await.expect(200);
        let run = completed(&books.app, &run).await;
        let would = run["stats_json"]["would_have_found"].as_array().expect("a list");
        assert_eq!((would.len(), &would[0]["finding_type"]), (1, &json!("amount_mismatch")), "{run}");
        assert_eq!(books.findings().await, Vec::<Value>::new());
        books.run().await;
        assert_eq!(books.findings().await.len(), 1, "the same run, not dry");
    }

    async fn a_dry_run_over_an_empty_past_window_writes_nothing(app: Mizan) {
        let mut app = app;
        let _psp = Psp::beside(&mut app, Vec::new()).await;
        let run = app.post(RUNS, with(&quiet_day(), "dry_run", true)).await.expect(200);
        let run = completed(&app, &run).await;
        let summary = &run["stats_json"]["summary"];
        assert_eq!((&summary["statement_rows"], &summary["ledger_rows"]), (&json!(0), &json!(0)), "{run}");
        assert_eq!(run["stats_json"]["would_have_found"], json!([]), "{run}");
        for table in ["reconciliation_findings", "finding_events", "recon_days", "journal", "provider_effects"] {
            let rows = app.home.sql(&format!("SELECT count(*) FROM {table}")).await.expect("counted");
            assert_eq!(rows.trim(), "0", "{table}");
        }
    }

    async fn the_older_path_runs_at_once(app: Mizan) {
        let books = Books::with(app, vec![next(Fault::StatementDrop, 1)]).await;
        books.pay("10.00").await;
        books.settled("10.00").await;
        let ran = books.app.post("/api/v1/payments/reconciliation/run?provider=mockpsp", json!({})).await.expect(200);
        assert_eq!(ran.body["status"], "ok");
        let older = books.app.items("/api/v1/payments/reconciliation/findings").await;
        assert_eq!((older.len(), older), (1, books.app.items(FINDINGS).await));
    }

    async fn a_provider_that_cannot_be_asked_fails_the_run_and_it_can_be_cancelled_until_then(app: Mizan) {
        let made = app.post(RUNS, quiet_day()).await.expect(200);
        app.process.wait_for_line("reconciliation run started", PATIENCE).await.expect("it is tried");
        let path = format!("{RUNS}/{}/cancel", made.body["id"].as_str().expect("an id"));
        for _ in 0..2 {
            assert_eq!(app.post(&path, json!({})).await.expect(200).body["status"], "cancelled");
        }
        let audit = app.items("/api/v1/audit?action=recon.cancel").await;
        assert_eq!(audit.len(), 1, "cancelling twice is one change: {audit:?}");

        let psp = Psp::start(&app, Vec::new()).await;
        let done = app.command().env("MOCKPSP_URL", psp.url()).args([
            "recon", "run", "--provider", "mockpsp", "--window-start", "2026-01-01T00:00:00Z", "--window-end",
            "2026-01-02T00:00:00Z", "--json",
        ]);
        let done = done.run(PATIENCE).await.expect("the run ends");
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        let run: Value = serde_json::from_str(&done.stdout).expect("one JSON object");
        let over = format!("{RUNS}/{}/cancel", run["id"].as_str().expect("an id"));
        let refused = app.post(&over, json!({})).await.expect_error(409, "INVALID_STATE_TRANSITION");
        assert_eq!(refused.body["current_state"], "completed");
        let away = app.command().args([
            "recon", "run", "--provider", "mockpsp", "--window-start", "2026-01-01T00:00:00Z", "--window-end",
            "2026-01-02T00:00:00Z",
        ]);
        let away = away.run(PATIENCE).await.expect("the run ends");
        assert_eq!(away.code, 3, "a run that failed could not be done: {}{}", away.stdout, away.stderr);
    }
}

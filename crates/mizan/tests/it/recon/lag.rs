//! The settlement lag of a rule file, and rule legs that bring rows together over the edge of a run's window.

use mizan_core::TransactionId;
use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::statements::upload;
use super::{FINDINGS, RUNS, completed};
use crate::harness::Mizan;

const HEADER: &str = "provider_event_id,provider_ref,type,amount,currency,status,occurred_at\n";

/// The application with a rule file for its provider.
async fn under(app: Mizan, rules: &str) -> (Mizan, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("mockpsp.toml"), rules).expect("written");
    let mut app = app;
    let path = dir.path().to_str().expect("UTF-8").to_owned();
    app.start_again_with(&[("RECON_RULES_DIR", &path)]).await;
    (app, dir)
}

async fn effect(app: &Mizan, event: &str, reference: &str, at: &str) {
    let sql = format!(
        "INSERT INTO provider_effects (tenant_id, provider, provider_event_id, provider_ref, kind, amount, currency, \
         occurred_at, transaction_id, created_at) VALUES (1, 'mockpsp', '{event}', '{reference}', 'deposit', 1000, \
         'TRY', '{at}', '{}', '{at}')",
        TransactionId::new()
    );
    app.home.sql(&sql).await.expect("the ledger side");
}

async fn statement(app: &Mizan, rows: &[&str]) -> Value {
    let text = format!("{HEADER}{}\n", rows.join("\n"));
    upload(app, "own.csv", &text).await.expect(201).body["id"].clone()
}

/// Counts of a run over one day of January.
async fn day(app: &Mizan, day: u32, statement: &Value) -> Value {
    let edge = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
    let body = json!({
        "provider": "mockpsp", "statement_id": statement, "window_start": edge(day), "window_end": edge(day + 1),
    });
    let made = app.post(RUNS, body).await.expect(200);
    completed(app, &made).await["stats_json"]["summary"].take()
}

async fn open(app: &Mizan) -> usize {
    app.items(&format!("{FINDINGS}?status=OPEN")).await.len()
}

on_every_store! {
    async fn a_row_within_the_settlement_lag_is_a_finding_only_of_the_window_it_is_due_in(app: Mizan) {
        let (app, _dir) = under(app, "settlement_lag_hours = 24\n").await;
        effect(&app, "late", "r1", "2026-01-05T12:00:00.000000Z").await;
        let other = "x,x,deposit,1.00,TRY,settled,2026-02-05T12:00:00Z";
        let first = statement(&app, &[other]).await;
        assert_eq!(day(&app, 5, &first).await["findings"], json!({}), "not due yet");
        assert_eq!(day(&app, 6, &first).await["findings"], json!({ "missing_in_psp": 1 }));
        day(&app, 5, &first).await;
        assert_eq!(open(&app).await, 1, "a run that does not answer for it does not resolve it");
        let later = "late,r1,deposit,10.00,TRY,settled,2026-01-06T09:00:00Z";
        let second = statement(&app, &[other, later]).await;
        let summary = day(&app, 6, &second).await;
        assert_eq!((&summary["matched"], &summary["findings"]), (&json!(1), &json!({})), "{summary}");
        assert_eq!(open(&app).await, 0, "resolved by the run that answers for it");
    }

    async fn a_schedule_asks_no_earlier_than_the_rules_of_its_provider_allow(app: Mizan) {
        let (app, _dir) = under(app, "settlement_lag_hours = 30\n").await;
        let put = |lag: u32| {
            let body = json!({ "cron": "0 0 * * *", "time_zone": "UTC", "settlement_lag_s": lag, "catch_up": 1 });
            app.put("/api/v1/reconciliation/schedules/mockpsp", body)
        };
        for (lag, ends) in [(0, "T06:00:00Z"), (3_600, "T06:00:00Z"), (31 * 3_600, "T07:00:00Z")] {
            let made = put(lag).await.expect(200).body;
            let due = made["next_due_at"].as_str().expect("a time");
            assert!(due.ends_with(ends), "{lag}: {made}");
        }
    }

    async fn a_leg_finds_a_partner_over_the_edge_of_the_window_and_its_neighbours_are_not_missing(app: Mizan) {
        let leg = "[[leg]]\nname = \"by reference\"\nkeys = [\"reference\"]\nwindow_days = 2\n";
        let (app, _dir) = under(app, leg).await;
        effect(&app, "ours", "r1", "2026-01-06T09:00:00.000000Z").await;
        effect(&app, "alone", "r2", "2026-01-07T09:00:00.000000Z").await;
        let file = statement(&app, &["theirs,r1,deposit,10.00,TRY,settled,2026-01-05T20:00:00Z"]).await;
        let summary = day(&app, 5, &file).await;
        assert_eq!((&summary["matched"], &summary["findings"]), (&json!(1), &json!({})), "{summary}");
        let summary = day(&app, 6, &file).await;
        assert_eq!((&summary["matched"], &summary["findings"]), (&json!(0), &json!({})), "{summary}");
        let summary = day(&app, 7, &file).await;
        assert_eq!(summary["findings"], json!({ "missing_in_psp": 1 }), "{summary}");
    }
}

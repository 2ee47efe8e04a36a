//! `mizan admin jobs`: what is in the queue is shown, and a dead letter is put back or dropped, with a trace.

use mizan_core::RunId;
use mizan_testkit::{Finished, eventually, on_every_store};
use serde_json::{Value, json};

use crate::harness::{Mizan, PATIENCE};
use crate::recon::{Books, RUNS, ended};

async fn jobs(app: &Mizan, args: &[&str]) -> Finished {
    let args = [&["admin", "jobs"][..], args, &["--json"]].concat();
    app.command()
        .args(args)
        .run(PATIENCE)
        .await
        .expect("the command ends")
}

async fn shown(app: &Mizan, args: &[&str]) -> Value {
    let done = jobs(app, args).await;
    assert_eq!(done.code, 0, "{args:?}: {}", done.stderr);
    serde_json::from_str(&done.stdout).expect("one JSON object")
}

async fn refused(app: &Mizan, args: &[&str], why: &str) {
    let done = jobs(app, args).await;
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (1, ""),
        "{args:?}: {}",
        done.stderr
    );
    assert!(done.stderr.contains(why), "{args:?}: {}", done.stderr);
}

/// Puts a row into the outbox of the first tenant; the time is far from now, so that nothing happens by itself.
async fn plant(app: &Mizan, kind: &str, job: &str, state: &str, error: &str) -> String {
    let sql = format!(
        "INSERT INTO outbox (tenant_id, kind, job, state, run_at, attempts, error, created_at) \
         SELECT id, '{kind}', '{job}', '{state}', '2999-01-01T00:00:00.000000Z', 9, '{error}', \
         '2026-01-01T00:00:00.000000Z' FROM tenants WHERE key = 'default'; \
         SELECT max(id) FROM outbox"
    );
    app.home.sql(&sql).await.expect("planted").trim().to_owned()
}

on_every_store! {
    async fn a_dead_letter_is_seen_put_back_and_done(app: Mizan) {
        let books = Books::with(app, Vec::new()).await;
        books.pay("10.00").await;
        books.settled("10.00").await;
        let app = &books.app;
        let event = app.home.sql("SELECT id FROM webhook_events ORDER BY id LIMIT 1").await.expect("an event");
        let job = json!({ "kind": "apply_webhook", "event": event.trim() }).to_string();
        let dead = plant(app, "apply_webhook", &job, "dead", "token=hunter2secret and more").await;
        let waits = plant(app, "execute_payout", "{}", "ready", "later").await;

        let all = shown(app, &["list"]).await;
        let ids: Vec<String> = all["items"].as_array().expect("items").iter().map(|it| it["id"].to_string()).collect();
        assert_eq!((ids, &all["more"]), (vec![dead.clone(), waits.clone()], &json!([])), "the dead come first: {all}");
        for (args, expected) in [
            (&["list", "--state", "dead"][..], Some(&dead)),
            (&["list", "--state", "waiting"], Some(&waits)),
            (&["list", "--state", "running"], None),
            (&["list", "--kind", "execute_payout"], Some(&waits)),
            (&["list", "--tenant", "default", "--state", "dead"], Some(&dead)),
        ] {
            let seen = shown(app, args).await;
            let ids: Vec<String> = seen["items"].as_array().expect("items").iter().map(|it| it["id"].to_string()).collect();
            assert_eq!(ids, expected.into_iter().cloned().collect::<Vec<_>>(), "{args:?}: {seen}");
        }
        let one = shown(app, &["show", &dead]).await;
        assert_eq!((&one["state"], &one["attempts"], &one["tenant"]), (&json!("dead"), &json!(9), &json!("default")), "{one}");
        assert!(one["error"].as_str().is_some_and(|it| !it.contains("hunter2secret")), "masked: {one}");
        refused(app, &["show", "987654321"], "no such job").await;
        refused(app, &["requeue", &waits], "waiting").await;
        refused(app, &["drop", &waits, "--reason", "x"], "waiting").await;

        let back = shown(app, &["requeue", &dead, "--reason", "the cause is mended"]).await;
        assert_eq!((&back["id"].to_string(), &back["attempts"]), (&dead, &json!(0)), "{back}");
        let done = eventually(PATIENCE, || async {
            let state = app.home.sql(&format!("SELECT state FROM outbox WHERE id = {dead}")).await.expect("a row");
            if state.trim() == "done" { Ok(()) } else { Err(state) }
        });
        done.await.expect("a worker takes it and ends it");
        refused(app, &["show", &dead], "no such job").await;
        let audit = app.items("/api/v1/audit?action=job.requeue").await;
        assert_eq!((audit.len(), &audit[0]["reason"]), (1, &json!("the cause is mended")), "{audit:?}");
    }

    async fn a_dead_letter_is_dropped_only_with_a_reason_and_leaves_an_audit_row(app: Mizan) {
        let dead = plant(&app, "unheard_of", "no job at all", "dead", "cannot be read").await;
        assert_eq!(shown(&app, &["show", &dead]).await["job"], "no job at all");
        refused(&app, &["drop", &dead, "--reason", "  "], "reason").await;
        assert_eq!(jobs(&app, &["drop", &dead]).await.code, 2, "a reason has to be said");
        shown(&app, &["drop", &dead, "--reason", "written by a newer version"]).await;
        refused(&app, &["drop", &dead, "--reason", "again"], "no such job").await;
        let audit = app.items("/api/v1/audit?action=job.drop").await;
        assert_eq!(audit.len(), 1, "{audit:?}");
        assert_eq!((&audit[0]["reason"], &audit[0]["subject_id"]), (&json!("written by a newer version"), &json!(dead)), "{audit:?}");
        assert!(audit[0].to_string().contains("no job at all"), "the job is kept: {audit:?}");
    }

    async fn a_job_of_a_run_that_is_over_is_not_put_back(app: Mizan) {
        let mut app = app;
        let _psp = crate::psp::Psp::beside(&mut app, Vec::new()).await;
        let body = json!({ "provider": "mockpsp", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z" });
        let made = app.post(RUNS, body).await.expect(200);
        ended(&app, &made).await;
        let job = json!({ "kind": "run_reconciliation", "run": made.body["id"] }).to_string();
        let dead = plant(&app, "run_reconciliation", &job, "dead", "gone").await;
        refused(&app, &["requeue", &dead], "completed").await;
        let unknown = json!({ "kind": "run_reconciliation", "run": RunId::new() }).to_string();
        let dead = plant(&app, "run_reconciliation", &unknown, "dead", "gone").await;
        shown(&app, &["requeue", &dead]).await;
    }

    async fn what_is_cut_off_is_said(app: Mizan) {
        for _ in 0..3 {
            plant(&app, "execute_payout", "{}", "dead", "no").await;
        }
        let two = shown(&app, &["list", "--limit", "2"]).await;
        assert_eq!((two["items"].as_array().map(Vec::len), &two["more"]), (Some(2), &json!(["dead"])), "{two}");
        let three = shown(&app, &["list", "--limit", "3"]).await;
        assert_eq!((three["items"].as_array().map(Vec::len), &three["more"]), (Some(3), &json!([])), "{three}");
    }
}

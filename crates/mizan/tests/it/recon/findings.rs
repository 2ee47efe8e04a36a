//! Findings as people work through them: listed, filtered, moved on.

use mizan_core::TransactionId;
use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::{TestApp, on_every_store};
use serde_json::{Value, json};

use super::{Books, FINDINGS, next};
use crate::harness::Mizan;

async fn tell(app: &TestApp, finding: &Value, what: &str, reason: Option<&str>) -> mizan_testkit::Reply {
    let path = format!("{FINDINGS}/{}/{what}", finding["id"].as_str().expect("an id"));
    app.post(&path, reason.map_or(json!({}), |it| json!({ "reason": it })))
        .await
}

on_every_store! {
    async fn findings_are_listed_by_each_filter(app: Mizan) {
        let plans = vec![next(Fault::StatementAlter, 1), next(Fault::StatementDrop, 1), next(Fault::StatementCurrency, 1)];
        let books = Books::with(app, plans).await;
        for _ in 0..4 {
            books.pay("10.00").await;
        }
        books.settled("40.00").await;
        let run = books.run().await;
        let run = run["id"].as_str().expect("an id");
        for (filter, expected) in [
            ("", 3),
            ("provider=mockpsp", 3),
            ("provider=nobody", 0),
            ("finding_type=amount_mismatch", 1),
            ("finding_type=fee_mismatch", 0),
            ("severity=CRITICAL", 1),
            ("severity=ERROR", 2),
            ("status=OPEN", 3),
            ("status=RESOLVED", 0),
            (&format!("run_id={run}"), 3),
            (&format!("run_id={}", TransactionId::new()), 0),
            ("finding_type=missing_in_psp&severity=CRITICAL", 0),
            ("assigned_to=none", 3),
            (&format!("assigned_to={}", TransactionId::new()), 0),
            ("provider_event_id=nothing", 0),
        ] {
            let found = books.app.get(&format!("{FINDINGS}?offset=0&{filter}")).await.expect(200).body;
            assert_eq!(found["meta"]["total"], expected, "{filter}");
            assert_eq!(found["items"].as_array().map(Vec::len), Some(expected), "{filter}");
        }
        for filter in ["finding_type=strange", "severity=error", "status=open", "run_id=none", "assigned_to=me"] {
            books.app.get(&format!("{FINDINGS}?{filter}")).await.expect_error(422, "VALIDATION_FAILED");
        }
        let altered = &books.app.items(&format!("{FINDINGS}?finding_type=amount_mismatch")).await[0];
        assert_eq!((&altered["ledger_amount"], &altered["statement_amount"]), (&json!("10.00"), &json!("10.01")));
        assert_eq!((&altered["currency"], &altered["run_id"]), (&json!("TRY"), &json!(run)));
        assert!(altered["transaction_id"].is_string(), "{altered}");
        let shown = books.app.get(&format!("{FINDINGS}/{}", altered["id"].as_str().expect("an id"))).await.expect(200);
        let suggested = json!({ "debit": "psp_clearing:mockpsp", "credit": "adjustments", "amount": "0.01", "currency": "TRY" });
        assert_eq!(shown.body["suggested_adjustment"], suggested);
        let mut listed = shown.body;
        listed.as_object_mut().expect("an object").remove("suggested_adjustment");
        assert_eq!(&listed, altered);
    }

    async fn a_finding_moves_forward_with_who_and_why(app: Mizan) {
        let books = Books::with(app, vec![next(Fault::StatementAlter, 2)]).await;
        for _ in 0..2 {
            books.pay("10.00").await;
        }
        books.settled("20.00").await;
        books.run().await;
        let found = books.findings().await;
        let finance = books.app.staff("finance").await;

        let seen = tell(&finance, &found[0], "acknowledge", None).await.expect(200).body;
        assert_eq!(seen["status"], "ACKNOWLEDGED");
        assert!(seen["status_by"].as_str().is_some_and(|it| it.starts_with("staff:")), "{seen}");
        tell(&finance, &found[0], "acknowledge", None).await.expect(200);
        for reason in [None, Some("  ")] {
            tell(&finance, &found[0], "resolve", reason).await.expect_error(422, "VALIDATION_FAILED");
        }
        tell(&finance, &found[0], "resolve", Some(&"x".repeat(1_001))).await.expect_error(422, "VALIDATION_FAILED");
        let settled = tell(&finance, &found[0], "resolve", Some("the PSP corrected it")).await.expect(200).body;
        assert_eq!((&settled["status"], &settled["status_reason"]), (&json!("RESOLVED"), &json!("the PSP corrected it")));
        for what in ["acknowledge", "ignore"] {
            let refused = tell(&finance, &found[0], what, Some("again")).await.expect_error(409, "INVALID_STATE_TRANSITION");
            assert_eq!(refused.body["current_state"], "RESOLVED");
        }
        assert_eq!(tell(&finance, &found[1], "ignore", Some("a test payment")).await.expect(200).body["status"], "IGNORED");
        tell(&books.app.staff("ops").await, &found[1], "acknowledge", None).await.expect_error(403, "FORBIDDEN");
        tell(&finance, &json!({ "id": TransactionId::new() }), "resolve", Some("nothing")).await.expect_error(404, "FINDING_NOT_FOUND");
        let audit = books.app.items("/api/v1/audit?action=finding.status").await;
        assert_eq!(audit.len(), 3, "one row a change: {audit:?}");
    }

    async fn what_is_found_again_reopens_unless_it_is_ignored(app: Mizan) {
        let books = Books::with(app, vec![next(Fault::StatementAlter, 3)]).await;
        for _ in 0..3 {
            books.pay("10.00").await;
        }
        books.settled("30.00").await;
        let first = books.run().await;
        let found = books.findings().await;
        tell(&books.app, &found[0], "resolve", Some("settled by hand")).await.expect(200);
        tell(&books.app, &found[1], "ignore", Some("of no matter")).await.expect(200);
        tell(&books.app, &found[2], "acknowledge", None).await.expect(200);
        let second = books.run().await;
        let counts = ["findings_created", "findings_seen_again", "findings_reopened", "findings_resolved"];
        assert_eq!(counts.map(|it| second["stats_json"][it].as_u64()), [Some(0), Some(2), Some(1), Some(0)], "{second}");
        let again = books.findings().await;
        let status = |finding: &Value| {
            again.iter().find(|it| it["id"] == finding["id"]).map(|it| it["status"].clone()).expect("it is still there")
        };
        assert_eq!((status(&found[0]), status(&found[1]), status(&found[2])), (json!("OPEN"), json!("IGNORED"), json!("ACKNOWLEDGED")));
        assert!(again.iter().all(|it| it["run_id"] == first["id"] && it["last_run_id"] == second["id"]), "{again:?}");
    }
}

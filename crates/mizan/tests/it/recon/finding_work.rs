//! What people do with a finding: take it, talk about it, correct the ledger, open it again.

use mizan_core::TransactionId;
use mizan_providers::mockpsp::simulator::Fault;
use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::{Books, FINDINGS, next};
use crate::harness::Mizan;

const ADJUSTMENTS: &str = "/api/v1/reconciliation/adjustments";
const COMPLETENESS: &str = "/api/v1/reconciliation/completeness";

/// Books with one deposit of which the statement says one minor unit more.
async fn altered(app: Mizan) -> (Books, Value) {
    let books = Books::with(app, vec![next(Fault::StatementAlter, 1)]).await;
    for _ in 0..2 {
        books.pay("10.00").await;
    }
    books.settled("20.00").await;
    books.run().await;
    let finding = books.findings().await.remove(0);
    (books, finding)
}

fn path(finding: &Value, what: &str) -> String {
    format!("{FINDINGS}/{}/{what}", finding["id"].as_str().expect("an id"))
}

fn one_minor_unit() -> Value {
    json!({ "debit": "psp_clearing:mockpsp", "credit": "adjustments", "amount": "0.01", "currency": "TRY",
            "reason": "the PSP confirmed 10.01" })
}

on_every_store! {
    async fn a_correction_is_posted_once_a_second_person_approves(app: Mizan) {
        let (books, finding) = altered(app).await;
        let (one, two) = (books.app.staff("finance").await, books.app.staff("finance").await);
        let proposed = one.post(&path(&finding, "adjustments"), one_minor_unit()).await.expect(201).body;
        assert_eq!((&proposed["state"], &proposed["amount"]), (&json!("proposed"), &json!("0.01")));
        let again = two.post(&path(&finding, "adjustments"), one_minor_unit()).await;
        assert_eq!(again.expect_error(409, "INVALID_STATE_TRANSITION").body["current_state"], "proposed");
        let waiting = books.app.items(&format!("{ADJUSTMENTS}?state=proposed")).await;
        assert_eq!(waiting.len(), 1);

        let approve = format!("{ADJUSTMENTS}/{}/approve", proposed["id"].as_str().expect("an id"));
        one.post(&approve, json!({})).await.expect_error(403, "APPROVER_IS_REQUESTER");
        assert_eq!(books.app.get(&path(&finding, "adjustments")).await.expect(200).body["items"][0]["state"], "proposed");
        let (left, right) = tokio::join!(two.post(&approve, json!({})), two.post(&approve, json!({})));
        let (left, right) = (left.expect(200).body, right.expect(200).body);
        assert_eq!(left["transaction_id"], right["transaction_id"], "two clicks, one posting");
        assert_eq!(left["state"], "approved");

        let settled = books.app.get(&format!("{FINDINGS}/{}", finding["id"].as_str().expect("an id"))).await.expect(200).body;
        assert_eq!((&settled["status"], &settled["settled_by"]), (&json!("RESOLVED"), &left["transaction_id"]));
        let posted = books.app.get(&format!("/api/v1/ledger/transactions/{}", left["transaction_id"].as_str().expect("an id"))).await.expect(200).body;
        assert!(posted.to_string().contains(finding["provider_event_id"].as_str().expect("an event")), "{posted}");

        let events = books.app.items(&path(&finding, "events")).await;
        let kinds: Vec<_> = events.iter().rev().map(|it| (it["kind"].as_str().unwrap_or_default(), it["to"].as_str().unwrap_or_default())).collect();
        assert_eq!(kinds, [("adjustment", "proposed"), ("status", "RESOLVED"), ("adjustment", "approved")]);
        two.post(&path(&finding, "adjustments"), one_minor_unit()).await.expect_error(409, "INVALID_STATE_TRANSITION");
    }

    async fn what_a_correction_settled_stays_settled_while_the_amounts_stay(app: Mizan) {
        let (books, finding) = altered(app).await;
        let (one, two) = (books.app.staff("finance").await, books.app.staff("owner").await);
        let proposed = one.post(&path(&finding, "adjustments"), one_minor_unit()).await.expect(201).body;
        two.post(&format!("{ADJUSTMENTS}/{}/approve", proposed["id"].as_str().expect("an id")), json!({})).await.expect(200);
        let second = books.run().await;
        assert_eq!(second["stats_json"]["findings_reopened"], 0, "{second}");
        let now = &books.findings().await[0];
        assert_eq!((&now["status"], &now["last_run_id"]), (&json!("RESOLVED"), &second["id"]));

        one.post(&path(&finding, "reopen"), json!({ "reason": "the wrong account" })).await.expect(200);
        one.post(&path(&finding, "resolve"), json!({ "reason": "by hand" })).await.expect(200);
        assert_eq!(books.run().await["stats_json"]["findings_reopened"], 1, "no posting settles it any more");
        let told = &books.app.items(&path(&finding, "events")).await[0];
        assert_eq!((&told["actor"], &told["to"]), (&json!("system:reconciliation"), &json!("OPEN")));
    }

    async fn a_proposal_can_be_taken_back_and_made_anew(app: Mizan) {
        let (books, finding) = altered(app).await;
        let one = books.app.staff("finance").await;
        let proposed = one.post(&path(&finding, "adjustments"), one_minor_unit()).await.expect(201).body;
        let reject = format!("{ADJUSTMENTS}/{}/reject", proposed["id"].as_str().expect("an id"));
        one.post(&reject, json!({})).await.expect_error(422, "VALIDATION_FAILED");
        let done = one.post(&reject, json!({ "reason": "the other way round" })).await.expect(200).body;
        assert_eq!((&done["state"], &done["transaction_id"]), (&json!("rejected"), &Value::Null));
        one.post(&path(&finding, "adjustments"), one_minor_unit()).await.expect(201);
        books.app.staff("ops").await.post(&path(&finding, "adjustments"), one_minor_unit()).await.expect_error(403, "FORBIDDEN");
        let unknown = format!("{ADJUSTMENTS}/{}/approve", TransactionId::new());
        one.post(&unknown, json!({})).await.expect_error(404, "ADJUSTMENT_NOT_FOUND");
    }

    async fn a_proposal_that_cannot_be_posted_is_refused_by_field(app: Mizan) {
        let (books, finding) = altered(app).await;
        let one = books.app.staff("finance").await;
        for (field, value) in [
            ("debit", json!("nowhere")), ("debit", json!("a b")), ("credit", json!("psp_clearing:mockpsp")),
            ("amount", json!("0.00")), ("amount", json!("-1.00")), ("amount", json!("1.005")), ("currency", json!("XXZ")), ("reason", json!(" ")),
        ] {
            let mut body = one_minor_unit();
            body[field] = value.clone();
            let refused = one.post(&path(&finding, "adjustments"), body).await.expect_error(422, "VALIDATION_FAILED");
            assert_eq!(refused.body["field"], field, "{value}");
        }
        assert_eq!(books.app.items(ADJUSTMENTS).await.len(), 0);
    }

    async fn findings_are_given_to_people_and_talked_about(app: Mizan) {
        let (books, finding) = altered(app).await;
        let staff = books.app.items("/api/v1/admin/staff").await;
        let someone = &staff[0]["id"];
        let given = books.app.post(&path(&finding, "assign"), json!({ "staff_id": someone })).await.expect(200).body;
        assert_eq!(&given["assigned_to"], someone);
        let mine = format!("{FINDINGS}?assigned_to={}", someone.as_str().expect("an id"));
        assert_eq!(books.app.items(&mine).await.len(), 1);
        assert_eq!(books.app.items(&format!("{FINDINGS}?assigned_to=none")).await.len(), 0);
        books.app.post(&path(&finding, "assign"), json!({ "staff_id": TransactionId::new() })).await.expect_error(404, "STAFF_NOT_FOUND");
        books.app.post(&path(&finding, "comments"), json!({ "text": "asked the PSP" })).await.expect(204);
        books.app.post(&path(&finding, "comments"), json!({ "text": " " })).await.expect_error(422, "VALIDATION_FAILED");
        books.app.post(&path(&finding, "assign"), json!({ "staff_id": null })).await.expect(200);
        let events = books.app.items(&path(&finding, "events")).await;
        assert_eq!(events.iter().map(|it| it["kind"].as_str().unwrap_or_default()).collect::<Vec<_>>(), ["assignment", "comment", "assignment"]);
        assert_eq!(events[1]["text"], "asked the PSP");
        let page = books.app.get(&format!("{}?limit=1", path(&finding, "events"))).await.expect(200).body;
        assert!(page["meta"]["next_cursor"].is_string(), "{page}");
    }

    async fn completeness_tells_what_was_matched_of_what_there_was(app: Mizan) {
        let (books, _) = altered(app).await;
        let shown = books.app.items(COMPLETENESS).await;
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert_eq!((&shown[0]["provider"], &shown[0]["currency"]), (&json!("mockpsp"), &json!("TRY")));
        assert_eq!(shown[0]["t_plus_1"]["volume_minor"], "0", "no day is old enough yet");
        assert_eq!(shown[0]["t_plus_1"]["percent"], Value::Null);
        for bad in ["from=yesterday", "from=2026-01-02&until=2026-01-02", "from=2020-01-01&until=2026-01-02"] {
            books.app.get(&format!("{COMPLETENESS}?{bad}")).await.expect_error(422, "VALIDATION_FAILED");
        }
    }
}

//! The bank leg of a run: an uploaded bank statement against the payouts of an uploaded statement.

use mizan_core::TransactionId;
use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use super::statements::{form, id, send, upload};
use super::{FINDINGS, RUNS, completed};
use crate::harness::Mizan;

const STATEMENT: &str = "provider_event_id,provider_ref,type,amount,currency,status,occurred_at,fee,payout_id\n\
                         e1,r1,deposit,100.00,TRY,settled,2026-11-02T09:00:00Z,3.20,po_2026110\n\
                         e2,r2,refund,10.00,TRY,settled,2026-11-02T10:00:00Z,,po_2026110\n\
                         e3,r3,deposit,50.00,TRY,settled,2026-12-02T10:00:00Z,,po_2026120\n";

/// A bank statement of November with the credit of a payout, and one that nobody knows; `note` makes it another file.
fn mt940(amount: &str, note: &str) -> String {
    format!(
        ":20:{note}\n:25:TR330006100519786457841326\n:28C:1/1\n:60F:C261101TRY0,\n:61:261104C{amount}NTRFNONREF\n\
         :86:STRIPE PAYOUT po_2026110\n:61:261110C7,00NTRFNONREF\n:86:SOMEBODY ELSE\n:62F:C261130TRY100,\n-\n"
    )
}

async fn effects(app: &Mizan) {
    let row = |event: &str, kind: &str, minor: u32, at: &str| {
        let id = TransactionId::new();
        format!("(1, 'mockpsp', '{event}', 'r-{event}', '{kind}', {minor}, 'TRY', '{at}', '{id}', '{at}')")
    };
    let sql = format!(
        "INSERT INTO provider_effects (tenant_id, provider, provider_event_id, provider_ref, kind, amount, currency, \
         occurred_at, transaction_id, created_at) VALUES {}, {}",
        row("e1", "deposit", 10_000, "2026-11-02T09:00:00.000000Z"),
        row("e2", "refund", 1_000, "2026-11-02T10:00:00.000000Z"),
    );
    app.home.sql(&sql).await.expect("the ledger side");
}

fn november(statement: &Value, bank: Option<&Value>) -> Value {
    let mut body = json!({
        "provider": "mockpsp", "statement_id": statement["id"],
        "window_start": "2026-11-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z",
    });
    if let Some(bank) = bank {
        body["bank_statement_id"] = bank["id"].clone();
    }
    body
}

async fn run(app: &Mizan, body: Value) -> Value {
    let made = app.post(RUNS, body).await.expect(200);
    completed(app, &made).await
}

/// `status payout` of every finding, in order.
async fn standing(app: &Mizan) -> Vec<String> {
    let mut all: Vec<String> = app
        .items(&format!("{FINDINGS}?limit=200"))
        .await
        .iter()
        .map(|it| {
            let payout = it["provider_ref"].as_str().unwrap_or("-");
            format!(
                "{} {} {payout}",
                it["status"].as_str().unwrap_or("?"),
                it["finding_type"].as_str().unwrap_or("?")
            )
        })
        .collect();
    all.sort();
    all
}

on_every_store! {
    async fn a_run_looks_for_the_payouts_of_its_statement_at_the_bank_and_keeps_what_differs(app: Mizan) {
        effects(&app).await;
        let statement = upload(&app, "november.csv", STATEMENT).await.expect(201).body;
        let wrong = upload(&app, "wrong.sta", &mt940("86,81", "A")).await.expect(201).body;
        assert_eq!((&wrong["format"], &wrong["rows_read"]), (&json!("mt940"), &json!(2)));

        let mut dry = november(&statement, Some(&wrong));
        dry["dry_run"] = json!(true);
        let done = run(&app, dry).await;
        let would = &done["stats_json"]["would_have_found_at_the_bank"];
        assert_eq!(would.as_array().map(Vec::len), Some(2), "{done}");
        assert_eq!(standing(&app).await, Vec::<String>::new(), "a dry run keeps nothing");

        let done = run(&app, november(&statement, Some(&wrong))).await;
        assert_eq!(done["bank_statement_id"], wrong["id"]);
        let stats = &done["stats_json"];
        assert_eq!(stats["summary"]["findings"], json!({}), "{done}");
        assert_eq!(stats["bank"]["findings"], json!({ "payout_mismatch": 2 }), "{done}");
        let batch = &stats["bank"]["batches"][0];
        assert_eq!((&batch["net"], &batch["bank"]), (&json!("86.80"), &json!("86.81")), "{done}");
        assert_eq!(stats["bank"]["payouts"], 1, "December's payout belongs to another window: {done}");
        let open = ["OPEN payout_mismatch -", "OPEN payout_mismatch po_2026110"];
        assert_eq!(standing(&app).await, open);
        let found = app.items(&format!("{FINDINGS}?limit=200")).await;
        let of_payout = found.iter().find(|it| it["provider_ref"] == "po_2026110").expect("the payout's");
        let one = app.get(&format!("{FINDINGS}/{}", id(of_payout))).await.expect(200).body;
        assert_eq!((&one["details"]["expected"], &one["details"]["seen"]), (&json!("86.80"), &json!("86.81")), "{one}");

        run(&app, november(&statement, None)).await;
        assert_eq!(standing(&app).await, open, "a run that does not look at the bank says nothing about it");

        let right = upload(&app, "right.sta", &mt940("86,80", "B")).await.expect(201).body;
        let done = run(&app, november(&statement, Some(&right))).await;
        assert_eq!(done["stats_json"]["bank"]["states"], json!({ "matched": 1 }), "{done}");
        let mended = ["OPEN payout_mismatch -", "RESOLVED payout_mismatch po_2026110"];
        assert_eq!(standing(&app).await, mended, "the line that nobody knows is the same finding in both files");
    }

    async fn a_payout_that_the_bank_does_not_have_is_missing_once_it_is_due(app: Mizan) {
        effects(&app).await;
        let statement = upload(&app, "november.csv", STATEMENT).await.expect(201).body;
        let early = mt940("86,80", "A").replace(":61:261104C86,80NTRFNONREF\n:86:STRIPE PAYOUT po_2026110\n", "");
        let early = early.replace(":61:261110C7,00NTRFNONREF\n:86:SOMEBODY ELSE\n", "").replace("C261130", "C261103");
        let late = early.replace("C261103", "C261130").replace(":20:A", ":20:B");
        for (file, state, findings) in [(early, "not_due_yet", 0), (late, "missing", 1)] {
            let file = file.replace("-\n", ":61:261102C1,00NTRFNONREF\n:86:X\n-\n");
            let lines: Vec<&str> = file.lines().collect();
            // The closing balance comes last.
            let (closing, others): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|it| it.starts_with(":62F:") || *it == "-");
            let text = format!("{}\n{}\n", others.join("\n"), closing.join("\n"));
            let bank = upload(&app, "bank.sta", &text).await.expect(201).body;
            let done = run(&app, november(&statement, Some(&bank))).await;
            assert_eq!(done["stats_json"]["bank"]["states"], json!({ state: 1 }), "{done}");
            let missing = app.items(&format!("{FINDINGS}?finding_type=missing_in_bank")).await;
            assert_eq!(missing.len(), findings, "{missing:?}");
        }
    }

    async fn statements_in_the_wrong_place_are_refused_by_their_field(app: Mizan) {
        let statement = upload(&app, "november.csv", STATEMENT).await.expect(201).body;
        let bank = send(&app, form("bank.sta", mt940("86,80", "A"))).await.expect(201).body;
        let nobody = json!({ "id": TransactionId::new() });
        for (one, other, field) in [
            (&bank, None, "statement_id"),
            (&statement, Some(&statement), "bank_statement_id"),
            (&statement, Some(&nobody), "bank_statement_id"),
            (&nobody, Some(&bank), "statement_id"),
        ] {
            let refused = app.post(RUNS, november(one, other)).await.expect_error(422, "VALIDATION_FAILED");
            assert_eq!(refused.body["field"], field, "{}", refused.text);
        }
        let mut alone = november(&statement, Some(&bank));
        alone.as_object_mut().expect("an object").remove("statement_id");
        let refused = app.post(RUNS, alone).await.expect_error(422, "VALIDATION_FAILED");
        assert_eq!(refused.body["field"], "bank_statement_id", "{}", refused.text);
    }
}

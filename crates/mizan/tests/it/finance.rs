//! What finance and operations say: commands about withdrawals, the journal, the audit log, findings, metrics.

use std::time::Duration;

use std::collections::BTreeMap;

use mizan_testkit::{Reply, TestApp, eventually};
use serde_json::{Value, json};

use crate::harness::{Mizan, PATIENCE};
use crate::verbs::Player;

/// One transfer of the journal, as people compare them: kind, debited account, credited account, minor units.
pub type Posting = (String, i64, i64, String);

impl Mizan {
    /// Sends a command about a withdrawal: `approve`, `reject`, `cancel`, `payout`, `mark-paid` or `retry`.
    pub async fn tell(&self, by: &TestApp, withdrawal: &str, command: &str) -> Reply {
        match command {
            "approve" | "reject" => self.review(by, withdrawal, command).await,
            _ => {
                let path = format!("/api/v1/finance/withdrawals/{withdrawal}/{command}");
                by.post(&path, json!({})).await
            }
        }
    }

    /// A withdrawal as finance sees it.
    pub async fn shown(&self, withdrawal: &str) -> Value {
        let path = format!("/api/v1/finance/withdrawals/{withdrawal}");
        self.get(&path).await.expect(200).body
    }

    /// The payout attempts of a withdrawal, first one first.
    pub async fn attempts(&self, withdrawal: &str) -> Vec<Value> {
        self.items(&format!("/api/v1/finance/withdrawals/{withdrawal}/attempts"))
            .await
    }

    /// Makes the connection `other` of a tenant, whose events [`OTHER_SECRET`](crate::harness::OTHER_SECRET) signs.
    pub async fn other_connection(&self, tenant: &str, kind: &str) {
        let body = json!({ "provider": "other", "kind": kind });
        self.post_with("/api/v1/admin/connections", body, &[("X-Tenant", tenant)])
            .await
            .expect(201);
    }

    /// What a list answers.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        let reply = self.get(path).await.expect(200);
        reply.body["items"].as_array().cloned().unwrap_or_default()
    }

    /// The audit rows about a subject, oldest first.
    pub async fn audit_of(&self, subject: &str) -> Vec<Value> {
        let mut rows = self
            .items(&format!("/api/v1/audit?limit=200&subject_id={subject}"))
            .await;
        rows.reverse();
        rows
    }

    /// The findings about an event.
    pub async fn findings_of(&self, event_id: &str) -> Vec<Value> {
        let mut found = self.items("/api/v1/reconciliation/findings?limit=200").await;
        found.retain(|it| it["provider_event_id"] == event_id);
        found
    }

    /// The stored event with this id, if there is one.
    pub async fn event(&self, event_id: &str) -> Option<Value> {
        let all = self.items("/api/v1/payments/webhooks?limit=200").await;
        all.into_iter().find(|it| it["provider_event_id"] == event_id)
    }

    /// Waits until an event is in a state.
    pub async fn wait_for_event(&self, event_id: &str, state: &str) -> Value {
        let found = eventually(PATIENCE, || async {
            match self.event(event_id).await {
                Some(event) if event["state"] == state => Ok(event),
                other => Err(format!("{event_id} is {other:?}")),
            }
        });
        found
            .await
            .unwrap_or_else(|error| panic!("{event_id} never was {state}: {error}"))
    }

    /// The whole journal, in its order.
    pub async fn journal(&self) -> Vec<Value> {
        let done = self
            .command()
            .args(["ledger", "export", "--format", "ndjson"])
            .run(PATIENCE)
            .await;
        let done = done.expect("the journal can be exported");
        assert_eq!(done.code, 0, "{}", done.stderr);
        done.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect()
    }

    /// The postings about a withdrawal or a provider's reference.
    pub async fn postings(&self, reference: &str) -> Vec<Posting> {
        let mut rows = self.journal().await;
        rows.retain(|it| it["reference"] == reference);
        rows.iter().map(posting).collect()
    }

    /// The kinds of those postings, in order.
    pub async fn kinds(&self, reference: &str) -> Vec<String> {
        self.postings(reference)
            .await
            .into_iter()
            .map(|it| it.0)
            .collect()
    }

    /// The balance of one of the tenant's accounts, by its code.
    pub async fn account(&self, code: &str) -> Option<String> {
        let all = self
            .items(&format!("/api/v1/ledger/accounts?code_prefix={code}"))
            .await;
        let found = all.into_iter().find(|it| it["code"] == code)?;
        found["balance"].as_str().map(str::to_owned)
    }

    /// Panics unless every invariant of the ledger holds.
    pub async fn expect_sound_ledger(&self) {
        let (code, said) = self.ledger_verify().await;
        assert_eq!(code, 0, "{said}");
    }

    /// The samples of a counter, by their labels.
    pub async fn counter(&self, name: &str) -> BTreeMap<String, u64> {
        let text = self.get("/metrics").await.expect(200).text;
        let samples = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.split_once(' '));
        let read = |it: &str| it.trim().parse().expect("a counter is a whole number");
        samples
            .map(|(labels, value)| (labels.to_owned(), read(value)))
            .collect()
    }
}

impl Player {
    /// Waits until this much is available.
    pub async fn wait_for_available(&self, amount: &str) {
        self.wait_within(PATIENCE, amount).await;
    }

    /// The same, where it may take longer.
    pub async fn wait_within(&self, patience: Duration, amount: &str) {
        let there = eventually(patience, || async { self.balance().await.0 == amount });
        there
            .await
            .unwrap_or_else(|error| panic!("{amount} never came: {error}"));
    }
}

fn posting(row: &Value) -> Posting {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| row[name].as_i64().unwrap_or_default();
    (
        text("kind"),
        number("debit_account_id"),
        number("credit_account_id"),
        text("amount_minor"),
    )
}

//! Reconciliation over HTTP, against a simulated provider with planted faults.

mod bank;
mod csv;
mod finding_work;
mod findings;
mod lag;
mod life;
mod runs;
mod statements;

use chrono::{DateTime, TimeDelta, Utc};
use mizan_core::{Clock, SystemClock};
use mizan_providers::mockpsp::simulator::{Fault, Plan};
use mizan_testkit::{Reply, TestApp, eventually};
use serde_json::{Value, json};

use crate::harness::{Mizan, PATIENCE};
use crate::psp::Psp;
use crate::verbs::Player;

pub const RUNS: &str = "/api/v1/reconciliation/runs";
pub const FINDINGS: &str = "/api/v1/reconciliation/findings";

/// An application with its provider, and a player who pays there.
pub struct Books {
    pub app: Mizan,
    pub psp: Psp,
    pub player: Player,
    since: DateTime<Utc>,
}

impl Books {
    pub async fn with(app: Mizan, plans: Vec<Plan>) -> Self {
        let mut app = app;
        let since = SystemClock.now() - TimeDelta::seconds(1);
        let psp = Psp::beside(&mut app, plans).await;
        let player = app.player().await;
        Self {
            app,
            psp,
            player,
            since,
        }
    }

    /// Pays at the provider, which tells the application. Returns the id of the payment.
    pub async fn pay(&self, amount: &str) -> String {
        let body = json!({
            "player_id": self.player.id, "tenant_id": "default", "amount": amount, "currency": "TRY", "method": "card",
        });
        let reply = TestApp::new(self.psp.url()).post("/payments", body).await;
        assert!((200..300).contains(&reply.status), "{}", reply.text);
        reply.body["payment_id"].as_str().expect("an id").to_owned()
    }

    /// Waits until the player's wallet holds what has been paid.
    pub async fn settled(&self, available: &str) {
        let settled = eventually(PATIENCE, || async {
            let holds = self.player.balance().await.0;
            if holds == available { Ok(()) } else { Err(holds) }
        });
        settled.await.expect("the provider's events are applied");
    }

    /// A window over everything that happened in this test so far.
    pub fn window(&self) -> Value {
        let edge = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let end = SystemClock.now() + TimeDelta::seconds(1);
        json!({ "provider": "mockpsp", "window_start": edge(self.since), "window_end": edge(end) })
    }

    /// Runs over everything so far, and waits for the end.
    pub async fn run(&self) -> Value {
        let run = self.app.post(RUNS, self.window()).await.expect(200);
        completed(&self.app, &run).await
    }

    pub async fn findings(&self) -> Vec<Value> {
        self.app.items(&format!("{FINDINGS}?limit=200")).await
    }
}

/// Waits until a run is over, and expects it to have completed.
pub async fn completed(app: &TestApp, run: &Reply) -> Value {
    let ended = ended(app, run).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    ended
}

pub async fn ended(app: &TestApp, run: &Reply) -> Value {
    let path = format!("{RUNS}/{}", run.body["id"].as_str().expect("an id"));
    let over = eventually(PATIENCE, || async {
        let body = app.get(&path).await.expect(200).body;
        let open = matches!(body["status"].as_str(), Some("queued" | "running"));
        if open { Err(body.to_string()) } else { Ok(body) }
    });
    over.await.expect("the run ends")
}

/// A fault on the next deposits that are captured.
pub fn next(fault: Fault, count: u32) -> Plan {
    Plan::next(fault, count).only_on(&["deposit_captured"])
}

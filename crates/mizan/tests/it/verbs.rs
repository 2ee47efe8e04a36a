//! What tests say: players, deposits, withdrawals, webhooks.

use mizan_core::{Clock, PlayerId, SystemClock};
use mizan_testkit::{Reply, TestApp, eventually, sign_mockpsp};
use serde_json::{Value, json};

use crate::harness::{Mizan, PASSWORD, PATIENCE, SECRET, sign_in};

/// A player, signed in.
#[derive(Clone)]
pub struct Player {
    pub app: TestApp,
    pub id: String,
}

/// A header that makes a request of its own.
pub fn key(text: impl std::fmt::Display) -> [(String, String); 1] {
    [("Idempotency-Key".to_owned(), text.to_string())]
}

/// A header with a key that nobody used before.
pub fn new_key() -> [(String, String); 1] {
    key(PlayerId::new())
}

/// An event of the `mockpsp` connection.
pub fn event(kind: &str, id: &str, reference: &str, player: &str, amount: &str) -> Value {
    json!({
        "provider_event_id": id, "event_type": kind, "provider_ref": reference, "player_id": player,
        "tenant_id": "default", "amount": amount, "currency": "TRY",
    })
}

/// The seconds since 1970, for signatures.
pub fn unix_now() -> i64 {
    SystemClock.now().timestamp()
}

impl Mizan {
    /// Registers a player with the default tenant and signs in.
    pub async fn player(&self) -> Player {
        self.player_of("default").await
    }

    pub async fn player_of(&self, tenant: &str) -> Player {
        let email = format!("{}@example.com", PlayerId::new().0.simple());
        let body = json!({ "email": email, "password": PASSWORD, "username": "ada", "tenant_id": tenant });
        let app = self.anonymous();
        let id = app
            .post("/api/v1/auth/player/register", body)
            .await
            .expect(201)
            .body["player_id"]
            .clone();
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = app.post("/api/v1/auth/player/login", body).await.expect(200);
        let token = reply.body["access_token"].as_str().expect("a token").to_owned();
        Player {
            app: self.with_token(token),
            id: id.as_str().expect("an id").to_owned(),
        }
    }

    /// A player of the default tenant who has deposited.
    pub async fn player_with(&self, amount: &str) -> Player {
        let player = self.player().await;
        player.deposit(amount).await.expect(200);
        player
    }

    /// A member of the default tenant's staff, signed in.
    pub async fn staff(&self, role: &str) -> TestApp {
        self.staff_of("default", role).await
    }

    pub async fn staff_of(&self, tenant: &str, role: &str) -> TestApp {
        let email = format!("{role}-{}@example.com", PlayerId::new().0.simple());
        let body = json!({ "email": email, "password": PASSWORD, "role": role });
        self.post_with("/api/v1/admin/staff", body, &[("X-Tenant", tenant)])
            .await
            .expect(201);
        self.with_token(sign_in(&self.anonymous(), &email).await)
    }

    /// Makes another tenant.
    pub async fn tenant(&self, name: &str) {
        self.post("/api/v1/admin/tenants", json!({ "key": name, "name": name }))
            .await
            .expect(201);
    }

    /// Sends a signed event to the `mockpsp` connection.
    pub async fn webhook(&self, event: &Value) -> Reply {
        let body = event.to_string();
        let headers = sign_mockpsp(SECRET, unix_now(), body.as_bytes());
        self.anonymous()
            .post_bytes("/api/v1/payments/webhook/mockpsp", body.into_bytes(), &headers)
            .await
    }

    /// Waits until an event has left the state `received`, and says which it is in.
    pub async fn event_state(&self, event_id: &str) -> String {
        let found = eventually(PATIENCE, || async {
            let reply = self.get("/api/v1/payments/webhooks?limit=200").await.expect(200);
            let items = reply.body["items"].as_array().cloned().unwrap_or_default();
            let found = items.into_iter().find(|it| it["provider_event_id"] == event_id)?;
            let state = found["state"].as_str()?.to_owned();
            (state != "received").then_some(state)
        });
        found.await.expect("the event is applied in time")
    }

    /// Waits until a withdrawal is in a state.
    pub async fn wait_for_state(&self, withdrawal: &str, state: &str) -> Value {
        let path = format!("/api/v1/finance/withdrawals/{withdrawal}");
        let found = eventually(PATIENCE, || async {
            let reply = self.get(&path).await;
            (reply.body["state"] == state).then_some(reply.body)
        });
        found
            .await
            .unwrap_or_else(|error| panic!("{withdrawal} never was {state}: {error}"))
    }

    pub async fn review(&self, by: &TestApp, withdrawal: &str, action: &str) -> Reply {
        let body = json!({ "action": action, "reason": "as the test says" });
        by.post(&format!("/api/v1/finance/withdrawals/{withdrawal}/review"), body)
            .await
    }

    /// Runs `mizan ledger verify` and returns its exit code and what it printed.
    pub async fn ledger_verify(&self) -> (i32, String) {
        let done = self
            .command()
            .args(["ledger", "verify"])
            .run(PATIENCE)
            .await
            .expect("verify runs");
        (done.code, done.stdout + &done.stderr)
    }
}

impl Player {
    pub async fn deposit(&self, amount: &str) -> Reply {
        let body = json!({ "amount": amount, "method": "test" });
        self.app
            .post_with("/api/v1/player/wallet/deposit", body, &new_key())
            .await
    }

    pub async fn withdraw(&self, amount: &str) -> Reply {
        self.withdraw_with(amount, &new_key()).await
    }

    pub async fn withdraw_with(&self, amount: &str, key: &[(String, String)]) -> Reply {
        let body = json!({ "amount": amount, "method": "iban", "address": "TR330006100519786457841326" });
        self.app
            .post_with("/api/v1/player/wallet/withdraw", body, key)
            .await
    }

    /// Asks for a withdrawal and returns its id.
    pub async fn withdrawal(&self, amount: &str) -> String {
        let reply = self.withdraw(amount).await.expect(200);
        reply.body["transaction"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// What the wallet holds in TRY: available and held.
    pub async fn balance(&self) -> (String, String) {
        let reply = self.app.get("/api/v1/player/wallet").await.expect(200);
        let balances = reply.body["balances"].as_array().cloned().unwrap_or_default();
        let found = balances.into_iter().find(|it| it["currency"] == "TRY");
        let text = |name: &str| {
            found.as_ref().map_or("0.00".to_owned(), |it| {
                it[name].as_str().unwrap_or_default().to_owned()
            })
        };
        (text("available"), text("held"))
    }
}

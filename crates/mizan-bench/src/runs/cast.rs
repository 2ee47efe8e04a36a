//! Who takes part in a load run: ledger accounts with money on them, players with wallets, and their credentials.

use std::sync::Arc;

use anyhow::Context;
use mizan_testkit::{Database, TestApp};
use serde_json::{Value, json};

use crate::ledger_load::{ACCOUNTS, Books, code};
use crate::server::Server;
use crate::subject::{PASSWORD, Service};

/// Of the ledger's accounts that are looked at by id.
const LOOKED_AT: usize = 64;
const PLAYERS: usize = 8;

/// What a client needs to know to ask.
pub struct Cast {
    /// A key of the ledger API, which does not expire.
    pub ledger: String,
    /// Access tokens of players with money.
    pub players: Vec<String>,
    /// Ids of some ledger accounts.
    pub accounts: Vec<i64>,
}

/// Settings under which a run of any length can be made: tokens that outlive it.
pub const SETTINGS: [(&str, &str); 2] = [
    ("MIZAN_STAFF_TOKEN_SECONDS", "86400"),
    ("MIZAN_PLAYER_TOKEN_SECONDS", "86400"),
];

impl Cast {
    /// Opens the accounts in the database of a server, starts the service and signs everyone in.
    pub async fn gather(server: &Server) -> anyhow::Result<(Database, Service, Arc<Self>)> {
        let database = server.database().await?;
        let books = Books::open(Arc::new(Server::store(&database)?)).await?;
        let accounts = books.accounts.iter().step_by(ACCOUNTS / LOOKED_AT);
        let accounts = accounts.map(|it| it.id.0).collect();
        server.tidy(&database).await?;
        let service = Service::start(&database.url(), &SETTINGS).await?;
        let app = TestApp::new(service.base()).with_token(service.token().await?);
        let scopes = json!({ "name": "load", "scopes": ["ledger:read", "ledger:write"] });
        let made = app.post("/api/v1/admin/api-keys", scopes).await;
        let ledger = text(&made.body, "key").context("no API key was made")?;
        let mut players = Vec::new();
        for number in 0..PLAYERS {
            players.push(player(&app, number).await?);
        }
        let cast = Self {
            ledger,
            players,
            accounts,
        };
        Ok((database, service, Arc::new(cast)))
    }
}

/// Registers a player, who deposits and is let in.
async fn player(app: &TestApp, number: usize) -> anyhow::Result<String> {
    let anonymous = app.anonymous();
    let email = format!("player-{number}@example.com");
    let form = json!({ "email": email, "password": PASSWORD, "username": format!("p{number}"), "tenant_id": "default" });
    anonymous.post("/api/v1/auth/player/register", form).await;
    let form = json!({ "email": email, "password": PASSWORD });
    let reply = anonymous.post("/api/v1/auth/player/login", form).await;
    let token = text(&reply.body, "access_token").with_context(|| format!("no token: {}", reply.text))?;
    let own = app.with_token(token.clone());
    let key = [("Idempotency-Key".to_owned(), format!("first-{number}"))];
    let form = json!({ "amount": "1000000.00", "method": "test" });
    let reply = own.post_with("/api/v1/player/wallet/deposit", form, &key).await;
    anyhow::ensure!(reply.status == 200, "no deposit: {}", reply.text);
    Ok(token)
}

fn text(body: &Value, name: &str) -> anyhow::Result<String> {
    let found = body[name].as_str();
    found
        .map(str::to_owned)
        .with_context(|| format!("no {name} in {body}"))
}

/// A body of one transaction between two of the accounts.
pub fn one(id: &str, debit: usize, credit: usize, amount: i64) -> String {
    let (debit, credit) = (code(debit), code(credit));
    format!(
        "{{\"id\":\"{id}\",\"transfers\":[{{\"debit\":\"{debit}\",\"credit\":\"{credit}\",\"amount\":\"{}.{:02}\"}}]}}",
        amount / 100,
        amount % 100
    )
}

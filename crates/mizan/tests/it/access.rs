//! Who may do what, whose objects they see, and what questions are refused.

mod injection;
mod lists;
mod sign_in;
mod table;
mod tenants;

use mizan_core::TransactionId;
use mizan_testkit::{Reply, TestApp};
use reqwest::Method;
use serde_json::json;

/// Sends a request that is well formed as far as anybody can tell without knowing the route.
pub async fn knock(app: &TestApp, method: &str, path: &str) -> Reply {
    let method: Method = method.parse().expect("a method");
    let request = app
        .request(method.clone(), path)
        .header("Idempotency-Key", TransactionId::new().to_string());
    let request = if method == Method::GET || method == Method::DELETE {
        request
    } else {
        request.json(&json!({}))
    };
    app.send(request).await
}

/// A path whose placeholders name nothing that exists.
pub fn with_unknown_ids(path: &str) -> String {
    let id = TransactionId::new().to_string();
    let account = path.starts_with("/api/v1/ledger/accounts/");
    let filled = path.replace("{id}", if account { "987654321" } else { &id });
    filled
        .replace("{player_id}", &id)
        .replace("{provider}", "nobody")
        .replace("{name}", "no_such_flag")
}

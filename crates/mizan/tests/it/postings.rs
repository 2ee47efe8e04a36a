//! What tests say about the ledger: accounts, transfers, transactions.

use mizan_core::TransactionId;
use mizan_testkit::{Reply, TestApp};
use serde_json::{Value, json};

use crate::harness::Mizan;
use crate::verbs::new_key;

pub const TRANSACTIONS: &str = "/api/v1/ledger/transactions";

/// One transfer in the installation's own currency.
pub fn leg(debit: &str, credit: &str, amount: impl Into<Value>) -> Value {
    json!({ "debit": debit, "credit": credit, "amount": amount.into() })
}

/// A transaction with an id of its own.
pub fn transaction(transfers: &[Value]) -> Value {
    json!({ "id": TransactionId::new(), "transfers": transfers })
}

/// A transaction of one transfer.
pub fn transfer(debit: &str, credit: &str, amount: &str) -> Value {
    transaction(&[leg(debit, credit, amount)])
}

/// Posts a transaction under a key that nobody used before.
pub async fn post(app: &TestApp, transaction: &Value) -> Reply {
    app.post_with(TRANSACTIONS, transaction.clone(), &new_key()).await
}

impl Mizan {
    /// Opens an account that stays at or above zero.
    pub async fn open(&self, code: &str) -> i64 {
        self.open_form(json!({ "code": code })).await
    }

    /// Opens an account that money may come from.
    pub async fn open_source(&self, code: &str) -> i64 {
        self.open_form(json!({ "code": code, "may_go_negative": true }))
            .await
    }

    pub async fn open_form(&self, form: Value) -> i64 {
        let reply = self.post("/api/v1/ledger/accounts", form).await.expect(201);
        reply.body["id"].as_i64().expect("an id")
    }

    /// Moves money from a source into an account.
    pub async fn fund(&self, source: &str, account: &str, amount: &str) {
        post(self, &transfer(source, account, amount)).await.expect(201);
    }

    pub async fn bulk(&self, transactions: &[Value], atomic: bool) -> Reply {
        let body = json!({ "transactions": transactions, "atomic": atomic });
        self.post_with(&format!("{TRANSACTIONS}/bulk"), body, &new_key())
            .await
    }

    /// What an account holds, in major units.
    pub async fn holds(&self, account: i64) -> String {
        let reply = self
            .get(&format!("/api/v1/ledger/accounts/{account}"))
            .await
            .expect(200);
        reply.body["balance"].as_str().expect("a balance").to_owned()
    }

    /// Asserts that every invariant holds.
    pub async fn verify_holds(&self) {
        let (code, said) = self.ledger_verify().await;
        assert_eq!(code, 0, "{said}");
    }
}

//! Every route × everybody who may knock. A route that is not in the table below fails the test, so nothing is
//! opened to anybody by accident.

use std::collections::BTreeMap;

use mizan_http::{Route, routes_table};
use mizan_testkit::{TestApp, on_every_store};
use serde_json::json;

use super::{knock, with_unknown_ids};
use crate::harness::Mizan;

/// Who is let in: `o`wner, `f`inance, o`p`s, `a`uditor, `P`layer, platform owner only (`*`), a scope, or everybody.
const TABLE: &str = "
GET    /api/health                                            everybody
GET    /api/ready                                             everybody
GET    /api/version                                           everybody
GET    /metrics                                               everybody
POST   /api/v1/auth/login                                     everybody
POST   /api/v1/auth/player/login                              everybody
POST   /api/v1/auth/player/register                           everybody
POST   /api/v1/payments/webhook/{provider}                    everybody
GET    /api/v1/player/wallet                                  P
POST   /api/v1/player/wallet/deposit                          P
POST   /api/v1/player/wallet/withdraw                         P
GET    /api/v1/player/withdrawals                             P
POST   /api/v1/player/withdrawals/{id}/cancel                 P
GET    /api/v1/players                                        ofpa
POST   /api/v1/players                                        ofp
GET    /api/v1/players/{id}                                   ofpa
GET    /api/v1/players/{id}/wallet                            ofpa
GET    /api/v1/players/{id}/entries                           ofpa
GET    /api/v1/players/{id}/balance                           ofpa
POST   /api/v1/kyc/documents/{player_id}/review               of
GET    /api/v1/finance/withdrawals                            ofpa
GET    /api/v1/finance/withdrawals/{id}                       ofpa
GET    /api/v1/finance/withdrawals/{id}/attempts              ofpa
POST   /api/v1/finance/withdrawals/{id}/review                of
POST   /api/v1/finance/withdrawals/{id}/payout                of
POST   /api/v1/finance/withdrawals/{id}/mark-paid             of
POST   /api/v1/finance/withdrawals/{id}/retry                 of
POST   /api/v1/finance/withdrawals/{id}/cancel                of
POST   /api/v1/admin/ledger/adjust                            of
POST   /api/v1/ledger/transactions                            of ledger:write
POST   /api/v1/ledger/transactions/bulk                       of ledger:write
GET    /api/v1/ledger/transactions/{id}                       ofpa ledger:read
POST   /api/v1/ledger/transactions/{id}/reverse               of ledger:write
GET    /api/v1/ledger/accounts                                ofpa ledger:read
POST   /api/v1/ledger/accounts                                of ledger:write
GET    /api/v1/ledger/accounts/{id}                           ofpa ledger:read
GET    /api/v1/ledger/accounts/{id}/entries                   ofpa ledger:read
GET    /api/v1/ledger/accounts/{id}/balance                   ofpa ledger:read
GET    /api/v1/payments/webhooks                              opa
GET    /api/v1/payments/webhooks/{id}                         opa
POST   /api/v1/payments/webhooks/{id}/replay                  op
POST   /api/v1/reconciliation/runs                            op recon:write
GET    /api/v1/reconciliation/runs                            ofpa recon:read
GET    /api/v1/reconciliation/runs/{id}                       ofpa recon:read
POST   /api/v1/reconciliation/runs/{id}/cancel                op recon:write
POST   /api/v1/payments/reconciliation/run                    op recon:write
GET    /api/v1/reconciliation/schedules                       ofpa recon:read
PUT    /api/v1/reconciliation/schedules/{provider}            op recon:write
DELETE /api/v1/reconciliation/schedules/{provider}            op recon:write
POST   /api/v1/reconciliation/statements                      op recon:write
GET    /api/v1/reconciliation/statements                      ofpa recon:read
GET    /api/v1/reconciliation/statements/{id}                 ofpa recon:read
GET    /api/v1/reconciliation/statements/{id}/quarantine      ofpa recon:read
GET    /api/v1/flags                                          ofpa
PUT    /api/v1/flags/{name}                                   op
GET    /api/v1/audit                                          ofpa
GET    /api/v1/reconciliation/findings                        ofpa recon:read
GET    /api/v1/reconciliation/findings.csv                    ofpa recon:read
GET    /api/v1/reconciliation/findings/{id}                   ofpa recon:read
POST   /api/v1/reconciliation/findings/{id}/acknowledge       of
POST   /api/v1/reconciliation/findings/{id}/resolve           of
POST   /api/v1/reconciliation/findings/{id}/ignore            of
POST   /api/v1/reconciliation/findings/{id}/reopen            of
POST   /api/v1/reconciliation/findings/{id}/assign            of
POST   /api/v1/reconciliation/findings/{id}/comments          of
GET    /api/v1/reconciliation/findings/{id}/events            ofpa recon:read
POST   /api/v1/reconciliation/findings/{id}/adjustments       of
GET    /api/v1/reconciliation/findings/{id}/adjustments       ofpa recon:read
POST   /api/v1/reconciliation/adjustments/{id}/approve        of
POST   /api/v1/reconciliation/adjustments/{id}/reject         of
GET    /api/v1/reconciliation/adjustments                     ofpa recon:read
GET    /api/v1/reconciliation/completeness                    ofpa recon:read
GET    /api/v1/payments/reconciliation/findings               ofpa recon:read
GET    /api/v1/payments/reconciliation/findings.csv           ofpa recon:read
GET    /api/v1/payments/reconciliation/findings/{id}          ofpa recon:read
POST   /api/v1/payments/reconciliation/findings/{id}/acknowledge of
POST   /api/v1/payments/reconciliation/findings/{id}/resolve  of
POST   /api/v1/payments/reconciliation/findings/{id}/ignore   of
POST   /api/v1/payments/reconciliation/findings/{id}/reopen   of
POST   /api/v1/payments/reconciliation/findings/{id}/assign   of
POST   /api/v1/payments/reconciliation/findings/{id}/comments of
GET    /api/v1/payments/reconciliation/findings/{id}/events   ofpa recon:read
POST   /api/v1/payments/reconciliation/findings/{id}/adjustments of
GET    /api/v1/payments/reconciliation/findings/{id}/adjustments ofpa recon:read
POST   /api/v1/payments/reconciliation/adjustments/{id}/approve of
POST   /api/v1/payments/reconciliation/adjustments/{id}/reject of
GET    /api/v1/payments/reconciliation/adjustments            ofpa recon:read
GET    /api/v1/payments/reconciliation/completeness           ofpa recon:read
GET    /api/v1/admin/staff                                    oa
POST   /api/v1/admin/staff                                    o
POST   /api/v1/admin/staff/{id}/disable                       o
POST   /api/v1/admin/staff/{id}/enable                        o
GET    /api/v1/admin/api-keys                                 oa
POST   /api/v1/admin/api-keys                                 o
DELETE /api/v1/admin/api-keys/{id}                            o
GET    /api/v1/admin/tenants                                  *
POST   /api/v1/admin/tenants                                  *
PUT    /api/v1/admin/tenant/kyc                               o
GET    /api/v1/admin/connections                              ofpa
POST   /api/v1/admin/connections                              o
";

fn table() -> BTreeMap<(&'static str, &'static str), &'static str> {
    let lines = TABLE.lines().filter(|it| !it.is_empty());
    let parts = lines.map(|it| it.split_once(char::is_whitespace).expect("a method"));
    parts
        .map(|(method, rest)| {
            let (path, who) = rest.trim().split_once(char::is_whitespace).expect("a path");
            ((method, path), who.trim())
        })
        .collect()
}

/// Everybody who may knock, and the word in the table that lets them in. The platform owner is an owner as well.
async fn everybody(app: &Mizan) -> Vec<(&'static str, Vec<&'static str>, TestApp)> {
    app.tenant("acme").await;
    let mut all = vec![("platform owner", vec!["o", "*"], (**app).clone())];
    for (role, letter) in [("owner", "o"), ("finance", "f"), ("ops", "p"), ("auditor", "a")] {
        all.push((role, vec![letter], app.staff_of("acme", role).await));
    }
    all.push(("player", vec!["P"], app.player().await.app));
    for scope in ["ledger:read", "ledger:write", "recon:read", "recon:write"] {
        let form = json!({ "name": scope, "scopes": [scope] });
        let made = app.post("/api/v1/admin/api-keys", form).await.expect(201);
        all.push((
            scope,
            vec![scope],
            app.with_token(made.body["key"].as_str().expect("a key")),
        ));
    }
    all
}

fn lets_in(who: &str, words: &[&str]) -> bool {
    let mut parts = who.split_whitespace();
    let letters = parts.next().unwrap_or_default();
    words.iter().any(|word| {
        let one_of_letters = word.len() == 1 && letters.contains(word);
        one_of_letters || who.split_whitespace().any(|it| it == *word)
    })
}

#[test]
fn the_table_has_every_route_that_is_served_and_no_other() {
    let served = routes_table();
    let table = table();
    for Route { method, path, .. } in &served {
        assert!(
            table.contains_key(&(*method, path.as_str())),
            "{method} {path} is not in the table"
        );
    }
    assert_eq!(
        served.len(),
        table.len(),
        "the table has routes that are not served"
    );
}

on_every_store! {
    async fn every_route_lets_in_those_who_are_named_and_nobody_else(app: Mizan) {
        let everybody = everybody(&app).await;
        let anonymous = app.anonymous();
        let forged = app.with_token("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzdGFmZiJ9.");
        let mut wrong = Vec::new();
        for ((method, path), who) in table() {
            let url = with_unknown_ids(path);
            if who == "everybody" {
                let seen = knock(&anonymous, method, &url).await.status;
                if seen == 403 { wrong.push(format!("{method} {path} anonymous {seen}")); }
                continue;
            }
            for (name, caller) in [("anonymous", &anonymous), ("forged", &forged)] {
                let reply = knock(caller, method, &url).await;
                if (reply.status, reply.error_code()) != (401, "NOT_AUTHENTICATED") {
                    wrong.push(format!("{method} {path} {name} {}", reply.status));
                }
            }
            for (name, words, caller) in &everybody {
                let reply = knock(caller, method, &url).await;
                let refused = (reply.status, reply.error_code()) == (403, "FORBIDDEN");
                if refused == lets_in(who, words) || reply.status == 401 || reply.status >= 500 {
                    wrong.push(format!("{method} {path} {name} {} {}", reply.status, reply.error_code()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

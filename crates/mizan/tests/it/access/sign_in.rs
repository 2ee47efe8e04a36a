//! Tokens and keys: how they are got, how often one may guess, and when they end.

use mizan_testkit::on_every_store;
use serde_json::json;

use crate::harness::{Mizan, OWNER, PASSWORD};

const LOGIN: &str = "/api/v1/auth/login";

on_every_store! {
    async fn five_wrong_passwords_are_401_and_then_it_is_429(app: Mizan) {
        let nobody = app.anonymous();
        let email = "mallory@example.com";
        let form = json!({ "email": email, "password": PASSWORD, "role": "ops" });
        app.post("/api/v1/admin/staff", form).await.expect(201);
        let guess = json!({ "email": email, "password": "a wrong password" });
        for _ in 0..5 {
            nobody.post(LOGIN, guess.clone()).await.expect_error(401, "INVALID_CREDENTIALS");
        }
        let good = json!({ "email": email, "password": PASSWORD });
        for form in [guess, good.clone(), json!({ "email": "Mallory@Example.com", "password": PASSWORD })] {
            let refused = nobody.post(LOGIN, form).await.expect_error(429, "TOO_MANY_ATTEMPTS");
            let seconds: u64 = refused.header("Retry-After").parse().expect("seconds");
            assert!((1..=60).contains(&seconds), "{seconds}");
        }
        let other = json!({ "email": OWNER, "password": PASSWORD });
        nobody.post(LOGIN, other).await.expect(200);
    }

    async fn an_unknown_account_and_a_wrong_password_are_told_the_same(app: Mizan) {
        let nobody = app.anonymous();
        let mut unknown = nobody.post(LOGIN, json!({ "email": "nobody@example.com", "password": PASSWORD })).await;
        let mut wrong = nobody.post(LOGIN, json!({ "email": OWNER, "password": "a wrong password" })).await;
        for reply in [&mut unknown, &mut wrong] {
            reply.body["request_id"].take();
        }
        assert_eq!((unknown.status, unknown.body), (401, wrong.body));
        let player = app.player().await;
        let path = "/api/v1/auth/player/login";
        let staff = json!({ "email": OWNER, "password": PASSWORD });
        nobody.post(path, staff).await.expect_error(401, "INVALID_CREDENTIALS");
        player.app.get("/api/v1/player/wallet").await.expect(200);
    }

    async fn the_sessions_of_disabled_staff_end_at_once(app: Mizan) {
        let form = json!({ "email": "ops@example.com", "password": PASSWORD, "role": "ops" });
        let made = app.post("/api/v1/admin/staff", form).await.expect(201);
        let id = made.body["id"].as_str().expect("an id");
        let token = crate::harness::sign_in(&app.anonymous(), "ops@example.com").await;
        let ops = app.with_token(token);
        ops.get("/api/v1/flags").await.expect(200);
        app.post(&format!("/api/v1/admin/staff/{id}/disable"), json!({})).await.expect(204);
        ops.get("/api/v1/flags").await.expect_error(401, "NOT_AUTHENTICATED");
        let login = json!({ "email": "ops@example.com", "password": PASSWORD });
        app.anonymous().post(LOGIN, login).await.expect_error(401, "INVALID_CREDENTIALS");
        app.post(&format!("/api/v1/admin/staff/{id}/enable"), json!({})).await.expect(204);
        ops.get("/api/v1/flags").await.expect(200);
    }

    async fn an_api_key_works_in_either_header_until_it_is_revoked(app: Mizan) {
        let form = json!({ "name": "shop", "scopes": ["ledger:read", "ledger:write"] });
        let made = app.post("/api/v1/admin/api-keys", form).await.expect(201);
        let key = made.body["key"].as_str().expect("a key");
        let shop = app.with_token(key);
        shop.get("/api/v1/ledger/accounts").await.expect(200);
        shop.post("/api/v1/ledger/accounts", json!({ "code": "till" })).await.expect(201);
        app.anonymous().get_with("/api/v1/ledger/accounts", &[("X-Api-Key", key)]).await.expect(200);
        shop.get("/api/v1/reconciliation/runs").await.expect_error(403, "FORBIDDEN");
        let listed = app.get("/api/v1/admin/api-keys").await.expect(200);
        assert!(!listed.text.contains(key), "the key is shown once");
        let mut guessed = key.to_owned();
        guessed.replace_range(key.len() - 4.., "0000");
        app.with_token(guessed).get("/api/v1/ledger/accounts").await.expect_error(401, "NOT_AUTHENTICATED");

        let path = format!("/api/v1/admin/api-keys/{}", made.body["id"].as_str().expect("an id"));
        let revoke = async || app.send(app.request(reqwest::Method::DELETE, &path)).await;
        revoke().await.expect(204);
        shop.get("/api/v1/ledger/accounts").await.expect_error(401, "NOT_AUTHENTICATED");
        revoke().await.expect_error(404, "API_KEY_NOT_FOUND");
        for scopes in [json!([]), json!(["everything"]), json!(["ledger:read", "admin"])] {
            let form = json!({ "name": "shop", "scopes": scopes });
            app.post("/api/v1/admin/api-keys", form).await.expect_error(422, "VALIDATION_FAILED");
        }
    }

    async fn nobody_makes_an_account_with_a_bad_form(app: Mizan) {
        for form in [
            json!({ "email": "no address", "password": PASSWORD, "role": "ops" }),
            json!({ "email": "a@example.com", "password": "short", "role": "ops" }),
            json!({ "email": "a@example.com", "password": PASSWORD, "role": "player" }),
            json!({ "email": "a@example.com", "password": PASSWORD, "role": "service" }),
            json!({ "email": "a@example.com", "password": PASSWORD, "role": "ops", "platform": true }),
        ] {
            app.post("/api/v1/admin/staff", form).await.expect_error(422, "VALIDATION_FAILED");
        }
        let nul = json!({ "email": "a\u{0}@example.com", "password": PASSWORD, "role": "ops" });
        app.post("/api/v1/admin/staff", nul).await.expect_error(400, "MALFORMED_JSON");
        let good = json!({ "email": "a@example.com", "password": PASSWORD, "role": "ops" });
        app.post("/api/v1/admin/staff", good.clone()).await.expect(201);
        app.post("/api/v1/admin/staff", good).await.expect_error(409, "ALREADY_EXISTS");
    }
}

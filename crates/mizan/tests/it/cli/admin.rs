//! `mizan admin`: the first member of staff, and new signing keys.

use mizan_testkit::{TestApp, on_every_store};
use serde_json::{Value, json};

use crate::harness::{Mizan, OWNER, PASSWORD, PATIENCE, sign_in};

async fn login(app: &TestApp, email: &str, password: &str) -> u16 {
    app.anonymous()
        .post(
            "/api/v1/auth/login",
            json!({ "email": email, "password": password }),
        )
        .await
        .status
}

on_every_store! {
    async fn a_made_up_password_is_shown_once_and_works(app: Mizan) {
        let args = ["admin", "create", "--email", "Ada@Example.com", "--role", "finance", "--json"];
        let made = app.command().args(args).run(PATIENCE).await.expect("the command ends");
        assert_eq!(made.code, 0, "{}", made.stderr);
        let made: Value = serde_json::from_str(&made.stdout).expect("one JSON object");
        let password = made["password"].as_str().expect("a password");
        assert_eq!(login(&app, "ada@example.com", password).await, 200);
        assert_eq!(login(&app, "ada@example.com", "another").await, 401);
        let again = app.command().args(args).run(PATIENCE).await.expect("the command ends");
        assert_eq!((again.code, again.stdout.as_str()), (1, ""), "the email is taken");
    }

    async fn a_given_password_is_read_from_stdin_and_never_shown(app: Mizan) {
        let args = ["admin", "create", "--email", "bob@example.com", "--password-stdin", "--tenant", "other"];
        let password = "a long enough secret";
        let made = app.command().args(args).input(format!("{password}\n")).run(PATIENCE).await.expect("it ends");
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(!made.stdout.contains(password) && !made.stderr.contains(password));
        assert_eq!(login(&app, "bob@example.com", password).await, 200);
    }

    async fn tokens_that_are_out_stay_valid_when_the_keys_are_rotated(app: Mizan) {
        let before = app.get("/api/v1/flags").await.expect(200);
        let rotated = app.command().args(["admin", "rotate-keys", "--json"]).run(PATIENCE).await.expect("it ends");
        assert_eq!(rotated.code, 0, "{}", rotated.stderr);
        let kid = serde_json::from_str::<Value>(&rotated.stdout).expect("JSON")["kid"].clone();
        assert_eq!(app.get("/api/v1/flags").await.expect(200).body, before.body, "the old token is good");
        let (other, _process) = app.second().await;
        let token = sign_in(&other, OWNER).await;
        let head = token.split('.').next().expect("a header");
        let head = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, head).expect("base64");
        let head: Value = serde_json::from_slice(&head).expect("JSON");
        assert_eq!(head["kid"], kid, "a process that starts now signs with the new key");
        app.with_token(&token).get("/api/v1/flags").await.expect(200);
        app.with_token(format!("{token}x")).get("/api/v1/flags").await.expect_error(401, "NOT_AUTHENTICATED");
        assert_eq!(login(&app, OWNER, PASSWORD).await, 200);
    }
}

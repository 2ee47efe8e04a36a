//! Who may tell the application something: signatures over raw bytes, in time, with the connection's own secret.

use mizan_testkit::{Reply, on_every_store, sign_mockpsp, sign_standard_webhooks};
use serde_json::{Value, json};

use crate::harness::{Mizan, OTHER_SECRET, SECRET};
use crate::verbs::{Player, event, unix_now};

const MOCKPSP: &str = "mockpsp";

type Pairs = Vec<(String, String)>;

impl Mizan {
    /// Sends these bytes with these headers to a connection.
    pub async fn webhook_raw(&self, provider: &str, body: &[u8], headers: &[(String, String)]) -> Reply {
        self.anonymous()
            .post_bytes(&format!("/api/v1/payments/webhook/{provider}"), body, headers)
            .await
    }

    async fn expect_untouched(&self, player: &Player) {
        assert_eq!(player.balance().await.0, "0.00");
        assert_eq!(self.items("/api/v1/payments/webhooks").await, Vec::<Value>::new());
        assert!(self.journal().await.is_empty());
    }
}

fn without(mut headers: Pairs, name: &str) -> Pairs {
    headers.retain(|it| it.0 != name);
    headers
}

fn with(headers: Pairs, name: &str, value: impl ToString) -> Pairs {
    let mut headers = without(headers, name);
    headers.push((name.to_owned(), value.to_string()));
    headers
}

on_every_store! {
    async fn a_signature_covers_the_raw_bytes_and_nothing_that_only_means_the_same(app: Mizan) {
        let player = app.player().await;
        let said = event("deposit_captured", "evt-1", "pay-1", &player.id, "10.00");
        let body = serde_json::to_string_pretty(&said).expect("an object");
        let signed = sign_mockpsp(SECRET, unix_now(), body.as_bytes());
        let same_meaning = [
            said.to_string(),
            format!("{body}\n"),
            format!(" {body}"),
            body.replace("  ", "\t"),
            body.replace("evt-1", "\\u0065vt-1"),
            body.replace("\"10.00\"", "10.00"),
            body.replacen('{', "{\"extra\": null,", 1),
            body.replace('\n', "\r\n"),
        ];
        for other in &same_meaning {
            assert_ne!(other, &body, "the test must change something");
            let reply = app.webhook_raw(MOCKPSP, other.as_bytes(), &signed).await;
            reply.expect_error(401, "WEBHOOK_SIGNATURE_INVALID");
        }
        app.expect_untouched(&player).await;
        app.webhook_raw(MOCKPSP, body.as_bytes(), &signed).await.expect(200);
        assert_eq!(app.event_state("evt-1").await, "applied");
        assert_eq!(player.balance().await.0, "10.00");
    }

    async fn each_refusal_has_its_code_its_counter_and_one_line(app: Mizan) {
        const TIMESTAMP: &str = "X-Webhook-Timestamp";
        const SIGNATURE: &str = "X-Webhook-Signature";
        let player = app.player().await;
        let body = event("deposit_captured", "evt-1", "pay-1", &player.id, "10.00").to_string();
        let at = |seconds: i64| sign_mockpsp(SECRET, unix_now() + seconds, body.as_bytes());
        let good = at(0);
        let upper = good.iter().find(|it| it.0 == SIGNATURE).expect("a signature").1.to_uppercase();
        let missing = (400, "WEBHOOK_SIGNATURE_MISSING");
        let untimely = (401, "WEBHOOK_TIMESTAMP_INVALID");
        let invalid = (401, "WEBHOOK_SIGNATURE_INVALID");
        let cases = [
            (missing, Vec::new()),
            (missing, without(good.clone(), SIGNATURE)),
            (missing, with(good.clone(), SIGNATURE, "")),
            (untimely, without(good.clone(), TIMESTAMP)),
            (untimely, with(good.clone(), TIMESTAMP, "soon")),
            (untimely, with(good.clone(), TIMESTAMP, "99999999999999999999")),
            (untimely, at(-302)),
            (untimely, at(330)),
            (invalid, with(good.clone(), TIMESTAMP, unix_now() - 1)),
            (invalid, with(good.clone(), SIGNATURE, "0".repeat(64))),
            (invalid, with(good.clone(), SIGNATURE, upper)),
            (invalid, sign_mockpsp(OTHER_SECRET, unix_now(), body.as_bytes())),
            (invalid, sign_mockpsp("", unix_now(), body.as_bytes())),
        ];
        for ((status, code), headers) in &cases {
            let reply = app.webhook_raw(MOCKPSP, body.as_bytes(), headers).await;
            assert_eq!((reply.status, reply.error_code()), (*status, *code), "{headers:?}");
        }
        app.expect_untouched(&player).await;
        let counted = app.counter("mizan_webhook_rejected_total").await;
        let log = app.process.transcript();
        for code in [missing.1, untimely.1, invalid.1] {
            let expected = cases.iter().filter(|it| it.0.1 == code).count();
            let seen: Vec<_> = counted.iter().filter(|it| it.0.contains(code)).collect();
            assert_eq!(seen.len(), 1, "{counted:?}");
            assert!(seen[0].0.contains(r#"provider="mockpsp""#), "{seen:?}");
            assert_eq!(*seen[0].1, expected as u64, "{code}");
            let lines = log.lines().filter(|it| it.contains("webhook rejected") && it.contains(code)).count();
            assert_eq!(lines, expected, "{code}");
        }
    }

    async fn a_signature_is_good_for_its_tolerance(app: Mizan) {
        let player = app.player().await;
        for (no, seconds) in [-290, -1, 1, 290].into_iter().enumerate() {
            let said = event("deposit_captured", &format!("evt-{no}"), &format!("pay-{no}"), &player.id, "1.00");
            let body = said.to_string();
            let headers = sign_mockpsp(SECRET, unix_now() + seconds, body.as_bytes());
            app.webhook_raw(MOCKPSP, body.as_bytes(), &headers).await.expect(200);
        }
    }

    async fn tenant_b_is_refused_at_the_endpoint_of_tenant_a(app: Mizan) {
        app.tenant("globex").await;
        app.other_connection("globex", "hmac").await;
        let ada = app.player().await;
        let bob = app.player_of("globex").await;
        let send = |provider: &'static str, secret: &'static str, event_id: &str, player: &Player, tenant: &str| {
            let mut said = event("deposit_captured", event_id, event_id, &player.id, "10.00");
            said["tenant_id"] = json!(tenant);
            let (app, body) = (&app, said.to_string());
            async move {
                let headers = sign_mockpsp(secret, unix_now(), body.as_bytes());
                app.webhook_raw(provider, body.as_bytes(), &headers).await
            }
        };
        for (provider, secret) in [("mockpsp", OTHER_SECRET), ("other", SECRET)] {
            for (player, tenant) in [(&ada, "default"), (&bob, "globex")] {
                let reply = send(provider, secret, "evt-crossed", player, tenant).await;
                reply.expect_error(401, "WEBHOOK_SIGNATURE_INVALID");
            }
        }
        for (provider, no) in [("MockPSP", 1), ("mockpsp2", 2), ("mock", 3), ("mockpsp%20", 4), ("other%00", 5)] {
            let reply = send(provider, SECRET, "evt-nowhere", &ada, "default").await;
            assert_eq!((reply.status, reply.error_code()), (400, "UNSUPPORTED_PROVIDER"), "{no} {}", reply.text);
        }
        app.expect_untouched(&ada).await;

        // The same event id at each connection is two events.
        send("mockpsp", SECRET, "evt-1", &ada, "default").await.expect(200);
        send("other", OTHER_SECRET, "evt-1", &bob, "globex").await.expect(200);
        assert_eq!(app.event_state("evt-1").await, "applied");
        assert_eq!(ada.balance().await.0, "10.00");
        bob.wait_for_available("10.00").await;
        assert_eq!(app.items("/api/v1/payments/webhooks").await.len(), 1, "tenants see their own events");
        app.expect_sound_ledger().await;
    }

    /// With the flag off what is not signed is kept, counted and shown, and moves nothing, whoever asks again.
    async fn an_unverified_event_changes_no_state(app: Mizan) {
        app.other_connection("default", "hmac").await;
        let player = app.player().await;
        let flag = json!({ "value": false, "reason": "a migration of secrets" });
        app.put("/api/v1/flags/webhook_signature_enforced", flag).await.expect(200);
        let said = event("deposit_captured", "evt-1", "pay-1", &player.id, "10.00");
        let body = said.to_string();
        let forged = sign_mockpsp("a guess", unix_now(), body.as_bytes());
        for headers in [Vec::new(), forged] {
            app.webhook_raw("other", body.as_bytes(), &headers).await.expect(200);
        }
        for stored in app.items("/api/v1/payments/webhooks").await {
            assert_eq!((&stored["signature"], &stored["state"]), (&json!("unverified"), &json!("unverified")));
            let replay = format!("/api/v1/payments/webhooks/{}/replay", stored["id"].as_str().expect("an id"));
            app.post(&replay, json!({})).await.expect_error(409, "INVALID_STATE_TRANSITION");
        }
        let counted = app.counter("mizan_webhook_rejected_total").await;
        assert_eq!(counted.values().sum::<u64>(), 2, "{counted:?}");

        // The forgery does not take the place of the real one.
        let headers = sign_mockpsp(OTHER_SECRET, unix_now(), body.as_bytes());
        app.webhook_raw("other", body.as_bytes(), &headers).await.expect(200);
        player.wait_for_available("10.00").await;
        assert_eq!(app.journal().await.len(), 1);
    }

    async fn standard_webhooks_are_taken_by_their_own_rules(app: Mizan) {
        const WORDS: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl";
        let mut app = app;
        app.kill().await;
        app.start_again_with(&[("WEBHOOK_SECRET_OTHER", WORDS)]).await;
        app.other_connection("default", "standard-webhooks").await;
        let player = app.player().await;
        let body = event("deposit_captured", "evt-1", "pay-1", &player.id, "10.00").to_string();
        let sign = |id: &str, at: i64| sign_standard_webhooks(WORDS, id, at, body.as_bytes()).expect("a secret");
        for (headers, status, code) in [
            (Vec::new(), 400, "WEBHOOK_SIGNATURE_MISSING"),
            (sign("msg-1", unix_now() - 302), 401, "WEBHOOK_TIMESTAMP_INVALID"),
            (with(sign("msg-1", unix_now()), "webhook-id", "msg-2"), 401, "WEBHOOK_SIGNATURE_INVALID"),
            (sign_mockpsp(SECRET, unix_now(), body.as_bytes()), 400, "WEBHOOK_SIGNATURE_MISSING"),
        ] {
            app.webhook_raw("other", body.as_bytes(), &headers).await.expect_error(status, code);
        }
        app.expect_untouched(&player).await;
        app.webhook_raw("other", body.as_bytes(), &sign("msg-1", unix_now())).await.expect(200);
        player.wait_for_available("10.00").await;
    }

    async fn what_is_signed_but_no_event_is_refused_and_not_kept(app: Mizan) {
        let twice = r#"{"provider_event_id":"a","provider_event_id":"b","event_type":"x"}"#;
        let number = r#"{"provider_event_id":7,"event_type":"x"}"#;
        let empty = r#"{"provider_event_id":"","event_type":"x"}"#;
        for body in ["", "[]", "null", "{}", empty, number, twice, "\u{feff}{}", "not json"] {
            let headers = sign_mockpsp(SECRET, unix_now(), body.as_bytes());
            let reply = app.webhook_raw(MOCKPSP, body.as_bytes(), &headers).await;
            assert_eq!((reply.status, reply.error_code()), (400, "WEBHOOK_BODY_INVALID"), "{body}");
        }
        let not_text = [0xff, 0xfe, b'{', b'}'];
        let headers = sign_mockpsp(SECRET, unix_now(), &not_text);
        app.webhook_raw(MOCKPSP, &not_text, &headers).await.expect_error(400, "WEBHOOK_BODY_INVALID");
        assert!(app.items("/api/v1/payments/webhooks").await.is_empty());
    }
}

//! Secrets, card numbers and IBANs: in no log line, no metric and no error, whatever goes wrong.

use mizan_testkit::{Reply, on_every_store, sign_mockpsp};
use serde_json::{Value, json};

use crate::harness::{Mizan, OTHER_SECRET, PASSWORD, SECRET};
use crate::verbs::{event, new_key, unix_now};

const CARD: &str = "4111111111111111";
const CARD_IN_GROUPS: &str = "5555 5555 5555 4444";
const IBAN: &str = "TR330006100519786457841326";
const OTHER_IBAN: &str = "DE89370400440532013000";
const TYPED_PASSWORD: &str = "a-password-typed-by-mistake";

/// What must be nowhere.
fn unspeakable() -> Vec<String> {
    let words = [
        CARD,
        CARD_IN_GROUPS,
        IBAN,
        OTHER_IBAN,
        SECRET,
        OTHER_SECRET,
        PASSWORD,
        TYPED_PASSWORD,
    ];
    let mut all: Vec<_> = words.map(str::to_owned).to_vec();
    all.extend([CARD_IN_GROUPS.replace(' ', ""), CARD_IN_GROUPS.replace(' ', "-")]);
    all
}

fn expect_silence(where_: &str, text: &str, words: &[String]) {
    for word in words {
        if let Some(at) = text.find(word.as_str()) {
            let line = text[..at].lines().count().saturating_sub(1);
            panic!(
                "{where_} says {word:?}: {}",
                text.lines().nth(line).unwrap_or_default()
            );
        }
    }
}

/// Every field of every request that a client can fill with something that it should not.
async fn mistakes(app: &Mizan) -> Vec<Reply> {
    let player = app.player_with("10.00").await;
    let withdraw = "/api/v1/player/wallet/withdraw";
    let good = json!({ "amount": "1.00", "method": "iban", "address": IBAN, "currency": "TRY" });
    let mut replies = Vec::new();
    for word in [CARD, CARD_IN_GROUPS, IBAN, OTHER_IBAN] {
        for field in ["amount", "method", "currency", "address"] {
            for value in [json!(word), json!({ word: word }), json!([word])] {
                if ["method", "address"].contains(&field) && value.is_string() {
                    continue; // where such words belong, or cannot be told from others
                }
                let mut body = good.clone();
                body[field] = value;
                replies.push(player.app.post_with(withdraw, body, &new_key()).await);
            }
        }
        let mut unknown = good.clone();
        unknown[word] = json!(word);
        replies.push(player.app.post_with(withdraw, unknown, &new_key()).await);
        let quoted = format!("{{\"amount\": {word}");
        let headers = [
            ("Content-Type".to_owned(), "application/json".to_owned()),
            new_key()[0].clone(),
        ];
        replies.push(player.app.post_bytes(withdraw, quoted, &headers).await);
        replies.push(
            player
                .withdraw_with("1.00", &[("Idempotency-Key".into(), format!("{word} twice"))])
                .await,
        );
        let query = word.replace(' ', "%20");
        replies.push(
            app.get(&format!("/api/v1/finance/withdrawals?state={query}"))
                .await,
        );
        replies.push(app.get(&format!("/api/v1/finance/withdrawals?{query}=1")).await);
        replies.push(app.get(&format!("/api/v1/finance/withdrawals/{query}")).await);
        replies.push(app.get(&format!("/api/v1/players/{query}/wallet")).await);
        replies.push(
            app.post("/api/v1/payments/webhook/mockpsp?card=x", json!({ "card": word }))
                .await,
        );
        replies.push(
            app.post(&format!("/api/v1/payments/webhook/{query}"), json!({}))
                .await,
        );
    }
    for body in [
        json!({ "email": TYPED_PASSWORD, "password": TYPED_PASSWORD }),
        json!({ "email": "owner@example.com", "password": { "is": TYPED_PASSWORD } }),
        json!({ "email": "owner@example.com", "password": TYPED_PASSWORD, "remember": TYPED_PASSWORD }),
    ] {
        replies.push(app.anonymous().post("/api/v1/auth/login", body.clone()).await);
        replies.push(app.anonymous().post("/api/v1/auth/player/register", body).await);
    }
    let id = player.withdrawal("1.00").await;
    let review = format!("/api/v1/finance/withdrawals/{id}/review");
    replies.push(app.post(&review, json!({ "action": CARD, "reason": IBAN })).await);
    replies.push(app.with_token(TYPED_PASSWORD).get("/api/v1/players").await);
    replies
}

/// Events with things in their fields that do not belong there.
async fn events(app: &Mizan) -> Vec<Reply> {
    let player = app.player().await;
    let mut replies = Vec::new();
    for (no, (field, value)) in [
        ("provider_ref", CARD),
        ("event_type", IBAN),
        ("player_id", CARD_IN_GROUPS),
        ("amount", CARD),
        ("currency", OTHER_IBAN),
        ("tenant_id", CARD),
        ("tx_id", IBAN),
        ("occurred_at", CARD),
    ]
    .into_iter()
    .enumerate()
    {
        let mut said = event("withdraw_paid", &format!("evt-{no}"), "out-1", &player.id, "1.00");
        said[field] = json!(value);
        app.webhook(&said).await.expect(200);
        app.event_state(&format!("evt-{no}")).await;
        let body = said.to_string();
        let wrong = sign_mockpsp(TYPED_PASSWORD, unix_now(), body.as_bytes());
        replies.push(app.webhook_raw("mockpsp", body.as_bytes(), &wrong).await);
        let mut shown = wrong.clone();
        shown.retain(|it| it.0 != "X-Webhook-Signature");
        shown.push(("X-Webhook-Signature".into(), SECRET.into()));
        replies.push(app.webhook_raw("mockpsp", body.as_bytes(), &shown).await);
    }
    let named = event("deposit_captured", CARD, IBAN, &player.id, "1.00");
    app.webhook(&named).await.expect(200);
    app.event_state(CARD).await;
    replies
}

on_every_store! {
    async fn nothing_that_is_secret_is_in_a_log_line_a_metric_or_an_error(app: Mizan) {
        let mut words = unspeakable();
        let mut replies = mistakes(&app).await;
        let token = app.token().expect("signed in").to_owned();
        words.push(token.rsplit('.').next().expect("a signature").to_owned());
        replies.extend(events(&app).await);

        // A payout that nobody answers carries the IBAN out, and its failure comes back into the log.
        let player = app.player_with("10.00").await;
        let id = player.withdrawal("4.00").await;
        app.tell(&app, &id, "approve").await.expect(200);
        app.tell(&app, &id, "payout").await.expect(200);
        app.wait_for_state(&id, "payout_unknown").await;
        assert_eq!(app.shown(&id).await["address"], "***1326");

        for reply in &replies {
            assert!((400..500).contains(&reply.status), "{} {}", reply.status, reply.text);
            assert!(reply.body["error_code"].is_string(), "{}", reply.text);
            expect_silence("an error", &reply.text, &words);
        }
        expect_silence("the list", &Value::from(app.items("/api/v1/finance/withdrawals").await).to_string(), &words);
        expect_silence("a metric", &app.get("/metrics").await.expect(200).text, &words);
        let log = app.process.transcript();
        assert!(log.lines().count() > replies.len(), "the log was captured");
        expect_silence("the log", &log, &words);
    }
}

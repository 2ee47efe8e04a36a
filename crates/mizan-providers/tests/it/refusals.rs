//! What the simulator's API refuses, and that a refusal changes nothing.

use serde_json::{Value, json};

use crate::bench::{Bench, payment};

async fn check(bench: &Bench, path: &str, body: Value, status: u16, code: &str) {
    let (seen, refusal) = bench.post(path, body.clone()).await;
    assert_eq!(
        (seen, refusal["error_code"].as_str()),
        (status, Some(code)),
        "{path} {body} {refusal}"
    );
}

fn with(field: &str, value: Value) -> Value {
    let mut body = payment("10.00");
    body[field] = value;
    body
}

#[tokio::test]
async fn bad_input_is_refused_by_code_and_changes_nothing() {
    let bench = Bench::with(vec![]).await;
    for amount in [
        "0",
        "-1.00",
        "1.005",
        "1e3",
        "",
        " 1",
        "NaN",
        "99999999999999999999",
    ] {
        check(&bench, "/payments", payment(amount), 422, "AMOUNT_INVALID").await;
    }
    check(
        &bench,
        "/payments",
        with("amount", json!(10)),
        400,
        "BODY_INVALID",
    )
    .await;
    check(
        &bench,
        "/payments",
        with("currency", json!("try")),
        422,
        "CURRENCY_INVALID",
    )
    .await;
    check(
        &bench,
        "/payments",
        with("player_id", json!("")),
        422,
        "FIELD_INVALID",
    )
    .await;
    check(
        &bench,
        "/payments",
        with("surprise", json!(1)),
        400,
        "BODY_INVALID",
    )
    .await;
    check(
        &bench,
        "/payments/pay_x/refund",
        json!({}),
        404,
        "PAYMENT_NOT_FOUND",
    )
    .await;
    check(&bench, "/payouts", json!({}), 400, "BODY_INVALID").await;
    check(
        &bench,
        "/faults",
        json!([{"fault": "flood"}]),
        400,
        "BODY_INVALID",
    )
    .await;
    check(&bench, "/nowhere", json!({}), 404, "NOT_FOUND").await;
    assert!(bench.statement().await.is_empty());
    assert_eq!(bench.psp.quiesce().await.delivered, 0);
}

#[tokio::test]
async fn no_more_goes_back_than_came_in() {
    let bench = Bench::with(vec![]).await;
    let id = bench.pay_in("10.00").await;
    let (refund, chargeback) = (
        format!("/payments/{id}/refund"),
        format!("/payments/{id}/chargeback"),
    );
    assert_eq!(bench.post(&refund, json!({"amount": "4.00"})).await.0, 200);
    check(
        &bench,
        &chargeback,
        json!({"amount": "6.01"}),
        422,
        "AMOUNT_TOO_LARGE",
    )
    .await;
    let (_, view) = bench.post(&chargeback, json!({})).await;
    assert_eq!(view["given_back"], "10.00");
    check(&bench, &refund, json!({}), 422, "AMOUNT_TOO_LARGE").await;
    assert_eq!(bench.statement().await.len(), 3);
}

#[tokio::test]
async fn a_statement_needs_a_window() {
    let bench = Bench::with(vec![]).await;
    for query in [
        "",
        "?from=2026-11-01T00:00:00Z",
        "?from=2026-11-01&to=2026-11-02",
        "?from=2026-11-02T00:00:00Z&to=2026-11-02T00:00:00Z",
        "?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z",
    ] {
        let url = format!("{}/statement{query}", bench.psp.base_url());
        assert_eq!(
            bench.http.get(url).send().await.unwrap().status().as_u16(),
            422,
            "{query}"
        );
    }
}

#[tokio::test]
async fn one_key_is_one_payment() {
    let bench = Bench::with(vec![]).await;
    let post = async |body: Value| {
        let url = format!("{}/payments", bench.psp.base_url());
        let call = bench.http.post(url).header("Idempotency-Key", "k").json(&body);
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let first = post(payment("10.00")).await;
    assert_eq!(first, post(payment("10.00")).await);
    assert_eq!(post(payment("10.01")).await.0, 409);
    assert_eq!(bench.psp.quiesce().await.delivered, 1);
}

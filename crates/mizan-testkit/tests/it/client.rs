//! The tester sends what the test says and hides nothing of the reply.

use mizan_testkit::{TestApp, sign_mockpsp};
use serde_json::{Value, json};

use crate::http::Page;

#[tokio::test]
async fn a_reply_of_any_status_is_a_reply() {
    let page = Page::serve(|number| match number {
        1 => ("409 Conflict", r#"{"error_code":"ALREADY_DONE"}"#.into()),
        _ => ("200 OK", "not json".into()),
    })
    .await;
    let app = TestApp::new(&page.base_url);
    let refused = app.get("/api/v1/x").await.expect_error(409, "ALREADY_DONE");
    assert_eq!(refused.header("x-page"), "1");
    let text = app.get("/").await.expect(200);
    assert_eq!((text.body, text.text.as_str()), (Value::Null, "not json"));
}

#[tokio::test]
async fn the_token_is_sent_by_its_holder_only() {
    let page = Page::serve(|_| ("200 OK", "{}".into())).await;
    let app = TestApp::new(&page.base_url);
    let admin = app.with_token("tok-1");
    admin.post("/api/v1/x", json!({"a": 1})).await.expect(200);
    let request = page.last();
    assert!(request.starts_with("POST /api/v1/x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer tok-1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
    for nobody in [app, admin.anonymous()] {
        nobody.get("/api/v1/x").await.expect(200);
        assert!(
            !page.last().to_lowercase().contains("authorization"),
            "{}",
            page.last()
        );
    }
}

#[tokio::test]
async fn a_signed_body_arrives_byte_for_byte() {
    let page = Page::serve(|_| ("200 OK", "{}".into())).await;
    let body = b"{ \"amount\" : \"12.30\" }\n";
    let headers = sign_mockpsp("secret", 1_700_000_000, body);
    TestApp::new(&page.base_url)
        .post_bytes("/hook", body.to_vec(), &headers)
        .await
        .expect(200);
    let request = page.last();
    assert!(
        request.ends_with("\r\n\r\n{ \"amount\" : \"12.30\" }\n"),
        "{request}"
    );
    assert!(
        request.contains("x-webhook-timestamp: 1700000000\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!("x-webhook-signature: {}\r\n", headers[1].1)),
        "{request}"
    );
}

#[tokio::test]
async fn own_headers_go_with_a_json_body() {
    let page = Page::serve(|_| ("200 OK", "{}".into())).await;
    let app = TestApp::new(&page.base_url);
    app.post_with("/x", json!({}), &[("Idempotency-Key", "k-1")])
        .await
        .expect(200);
    assert!(
        page.last().contains("idempotency-key: k-1\r\n"),
        "{}",
        page.last()
    );
    app.get_with("/x", &[("Accept", "text/csv")]).await.expect(200);
    assert!(page.last().contains("accept: text/csv\r\n"), "{}", page.last());
}

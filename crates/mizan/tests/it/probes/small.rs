//! `/api/health`, `/api/version`, request ids, and replies to what is no route.

use mizan_testkit::on_every_store;
use serde_json::{Value, json};

use crate::harness::{Mizan, PATIENCE};

on_every_store! {
    async fn health_and_version_have_exactly_the_fields_of_the_contract(app: Mizan) {
        let nobody = app.anonymous();
        assert_eq!(nobody.get("/api/health").await.expect(200).body, json!({ "status": "healthy", "environment": "test" }));
        let version = nobody.get("/api/version").await.expect(200).body;
        let fields = version.as_object().expect("an object");
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["build_time", "git_sha", "service", "version"]);
        assert!(fields.values().all(|it| it.as_str().is_some_and(|it| !it.is_empty())), "{version}");
        assert_eq!((&version["service"], &version["version"]), (&json!("mizan"), &json!(env!("CARGO_PKG_VERSION"))));
        assert!(chrono::DateTime::parse_from_rfc3339(version["build_time"].as_str().unwrap_or_default()).is_ok(), "{version}");
    }

    async fn a_request_id_is_returned_in_replies_and_errors_and_logged(app: Mizan) {
        let mine = [("X-Request-Id", "it-is-4711")];
        assert_eq!(app.get_with("/api/v1/flags", &mine).await.expect(200).header("X-Request-Id"), "it-is-4711");
        let refused = app.anonymous().get_with("/api/v1/flags", &mine).await.expect_error(401, "NOT_AUTHENTICATED");
        assert_eq!(refused.body["request_id"], "it-is-4711");
        assert_eq!(refused.header("Content-Type"), "application/problem+json");
        let line = app.process.wait_for_line("it-is-4711", PATIENCE).await.expect("it is logged");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&line["request_id"], &line["status"]), (&json!("it-is-4711"), &json!(200)), "{line}");

        let made = app.get("/api/v1/flags").await.expect(200);
        let other = app.get("/api/v1/flags").await.expect(200);
        assert!(!made.header("X-Request-Id").is_empty());
        assert_ne!(made.header("X-Request-Id"), other.header("X-Request-Id"));
        let hostile = [("X-Request-Id", "a b<script>")];
        assert_ne!(app.get_with("/api/v1/flags", &hostile).await.header("X-Request-Id"), "a b<script>");
        let long = "x".repeat(5_000);
        let reply = app.get_with("/api/v1/flags", &[("X-Request-Id", long.as_str())]).await;
        assert!(reply.header("X-Request-Id").len() < 200);
    }

    async fn a_request_id_goes_with_its_job(app: Mizan) {
        let run = json!({
            "provider": "mockpsp", "window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z",
        });
        app.post_with("/api/v1/reconciliation/runs", run, &[("X-Request-Id", "run-4711")]).await.expect(200);
        let line = app.process.wait_for_line("reconciliation run started", PATIENCE).await.expect("the run starts");
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&line["request_id"], &line["provider"]), (&json!("run-4711"), &json!("mockpsp")), "{line}");
    }

    async fn what_is_no_route_is_a_problem(app: Mizan) {
        app.get("/api/v1/nothing").await.expect_error(404, "NOT_FOUND");
        app.get("/api/v1/auth/login").await.expect_error(405, "METHOD_NOT_ALLOWED");
        let metrics = app.anonymous().get("/metrics").await.expect(200);
        assert!(metrics.text.contains("mizan_http_requests_total"), "{}", metrics.text);
        let document = app.anonymous().get("/api/openapi.json").await.expect(200);
        assert!(document.body["openapi"].as_str().is_some_and(|it| it.starts_with("3.1")));
    }
}

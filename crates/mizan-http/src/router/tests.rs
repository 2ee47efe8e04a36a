//! The router over a database that is away: what is answered without one, and that nobody gets past a guard.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode};
use mizan_core::{Currency, SystemClock, TenantId};
use mizan_flows::app::{Adapters, FlowSettings};
use mizan_flows::objects::{LocalCopy, ObjectError};
use mizan_flows::passwords::{Cost, Passwords};
use mizan_flows::sessions::{Lifetimes, Sessions};
use mizan_flows::webhook_intake::desk::Desk;
use mizan_flows::writer::Writer;
use mizan_payments::provider::Provider;
use mizan_recon::engine::{Job, MatchEngine, MatchError, Report};
use mizan_store::connections::Connection;
use mizan_store::verify::{Broken, Verify};
use mizan_store::{Engine, Platform, Result, Store, StoreError, Tx};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;
use crate::health::{Detail, Probe, ProbeResult, Readiness};
use crate::{Limits, VersionInfo};

/// A database that cannot be reached.
struct Away;

fn away<T>() -> Result<T> {
    Err(StoreError::Unavailable("db.internal:5432 refused".into()))
}

#[async_trait]
impl Verify for Away {
    async fn count_journal(&self) -> Result<u64> {
        away()
    }
    async fn broken_balances(&self) -> Result<Vec<Broken>> {
        away()
    }
    async fn broken_sums(&self) -> Result<Vec<Broken>> {
        away()
    }
    async fn negative_wallets(&self) -> Result<Vec<Broken>> {
        away()
    }
    async fn broken_holds(&self) -> Result<Vec<Broken>> {
        away()
    }
    async fn broken_effects(&self) -> Result<Vec<Broken>> {
        away()
    }
    async fn broken_transactions(&self) -> Result<Vec<Broken>> {
        away()
    }
    async fn broken_running_balances(&self) -> Result<Vec<Broken>> {
        away()
    }
}

#[async_trait]
impl Store for Away {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
    async fn begin(&self, _: TenantId) -> Result<Box<dyn Tx>> {
        away()
    }
    async fn read(&self, _: TenantId) -> Result<Box<dyn Tx>> {
        away()
    }
    async fn platform(&self) -> Result<Box<dyn Platform>> {
        away()
    }
    async fn ping(&self) -> Result<()> {
        away()
    }
    async fn applied_revisions(&self) -> Result<Vec<String>> {
        away()
    }
    async fn journal_is_append_only(&self) -> Result<bool> {
        away()
    }
}

struct Nothing;

#[async_trait]
impl mizan_flows::objects::Objects for Nothing {
    fn spool(&self) -> &std::path::Path {
        std::path::Path::new("/nowhere")
    }
    async fn put(&self, key: &str, _: &std::path::Path) -> std::result::Result<(), ObjectError> {
        Err(ObjectError::Missing { key: key.into() })
    }
    async fn fetch(&self, key: &str) -> std::result::Result<LocalCopy, ObjectError> {
        Err(ObjectError::Missing { key: key.into() })
    }
}

impl Adapters for Nothing {
    fn adapter(&self, _: &Connection) -> Option<Arc<dyn Provider>> {
        None
    }
}

impl MatchEngine for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
    fn run(&self, _: Job<'_>) -> std::result::Result<Report, MatchError> {
        unreachable!("no run is started without a database")
    }
}

struct Fixed(Detail);

#[async_trait]
impl Probe for Fixed {
    async fn check(&self) -> ProbeResult {
        self.0.into()
    }

    fn target(&self) -> String {
        "fixed".into()
    }
}

fn app() -> mizan_flows::App {
    let store: Arc<dyn Store> = Arc::new(Away);
    let clock = Arc::new(SystemClock);
    mizan_flows::App {
        connections: mizan_flows::connections::Known::default(),
        store: store.clone(),
        clock: clock.clone(),
        adapters: Arc::new(Nothing),
        engine: Arc::new(Nothing),
        objects: Arc::new(Nothing),
        recon: mizan_flows::recon_files::ReconFiles::default(),
        settings: FlowSettings {
            production: false,
            strict: false,
            default_tenant: "default".parse().unwrap(),
            default_currency: Currency::TRY,
            flags: Vec::new(),
        },
        sessions: Sessions::new(
            store.clone(),
            None,
            Lifetimes {
                staff_s: 900,
                player_s: 900,
            },
        ),
        passwords: Passwords::new(Cost::Light, 1),
        intake: Desk::start(store.clone(), Arc::default()),
        writer: Writer::start(store, clock),
        job_bell: Arc::default(),
    }
}

fn served(draining: &CancellationToken) -> Router {
    let probe = |detail| Arc::new(Fixed(detail)) as Arc<dyn Probe>;
    let ready = Readiness::new(
        probe(Detail::Connected),
        None,
        probe(Detail::Head),
        Duration::from_millis(800),
        false,
    );
    router(HttpState {
        app: Arc::new(app()),
        ready: Arc::new(ready),
        version: VersionInfo {
            version: "1.2.3".into(),
            git_sha: "abc".into(),
            build_time: "2026-01-01T00:00:00Z".into(),
        },
        environment: "test".into(),
        cors: Vec::new(),
        metrics: None,
        draining: draining.clone(),
        limits: Limits::default(),
    })
}

async fn ask(router: &Router, request: Builder, body: impl Into<Body>) -> (StatusCode, HeaderMap, Value) {
    let response = router
        .clone()
        .oneshot(request.body(body.into()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    (
        head.status,
        head.headers,
        serde_json::from_slice(&bytes).unwrap_or_default(),
    )
}

fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

#[tokio::test]
async fn no_protected_route_is_entered_without_a_credential() {
    let router = served(&CancellationToken::new());
    for route in routes_table().iter().filter(|it| it.permission.is_some()) {
        let id = "0198a000-0000-7000-8000-000000000000";
        let path = route
            .path
            .replace("{id}", id)
            .replace("{player_id}", id)
            .replace("{name}", "x");
        for credential in [None, Some("Bearer x.y.z"), Some("Basic YTpi"), Some("Bearer ")] {
            let mut request = request(route.method, &path).header("content-type", "application/json");
            if let Some(credential) = credential {
                request = request.header("authorization", credential);
            }
            let (status, headers, body) = ask(&router, request, "{}").await;
            assert_eq!(status, 401, "{} {path} {credential:?}: {body}", route.method);
            assert_eq!(body["error_code"], "NOT_AUTHENTICATED", "{} {path}", route.method);
            assert_eq!(headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn every_route_of_the_document_is_served_with_its_method() {
    let router = served(&CancellationToken::new());
    for route in routes_table() {
        let (status, _, body) = ask(&router, request(route.method, &route.path), "").await;
        assert_ne!(status, 405, "{} {}", route.method, route.path);
        assert!(
            status != 404 || route.path == "/metrics",
            "{} {}: {body}",
            route.method,
            route.path
        );
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_tells_nothing_of_the_inside() {
    let router = served(&CancellationToken::new());
    for (path, body) in [
        ("/api/v1/auth/login", r#"{"email":"a@b","password":"x"}"#),
        ("/api/v1/payments/webhook/mockpsp", "{}"),
    ] {
        let request = request("POST", path).header("content-type", "application/json");
        let (status, headers, body) = ask(&router, request, body).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (503, &"DATABASE_UNAVAILABLE".into()),
            "{path}"
        );
        assert!(headers.contains_key("retry-after"));
        assert!(!body.to_string().contains("internal"), "{body}");
    }
}

#[tokio::test]
async fn bad_input_is_refused_before_the_database_is_asked() {
    let router = served(&CancellationToken::new());
    let large = "x".repeat((2 << 20) + 1);
    for (media_type, body, status, code) in [
        ("application/json", "{", 400, "MALFORMED_JSON"),
        ("application/json", "", 400, "MALFORMED_JSON"),
        ("application/json", "{}", 422, "VALIDATION_FAILED"),
        (
            "application/json",
            r#"{"email":"a@b","password":"x","role":"owner"}"#,
            422,
            "VALIDATION_FAILED",
        ),
        ("text/plain", "{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", &large, 413, "BODY_TOO_LARGE"),
    ] {
        let request = request("POST", "/api/v1/auth/login").header("content-type", media_type);
        let (seen, _, problem) = ask(&router, request, body.to_owned()).await;
        assert_eq!(
            (seen.as_u16(), &problem["error_code"]),
            (status, &code.into()),
            "{problem}"
        );
    }
    let webhook = request("POST", "/api/v1/payments/webhook/mockpsp");
    let (status, _, _) = ask(&router, webhook, "x".repeat((1 << 20) + 1)).await;
    assert_eq!(status, 413);
    let (status, _, body) = ask(&router, request("POST", "/api/v1/payments/webhook/NO"), "{}").await;
    assert_eq!(
        (status.as_u16(), &body["error_code"]),
        (400, &"UNSUPPORTED_PROVIDER".into())
    );
}

#[tokio::test]
async fn probes_have_the_shapes_of_the_contract() {
    let router = served(&CancellationToken::new());
    let (status, headers, body) = ask(&router, request("GET", "/api/health"), "").await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        serde_json::json!({ "status": "healthy", "environment": "test" })
    );
    assert_eq!(headers["cache-control"], "no-store");
    let (_, _, body) = ask(&router, request("GET", "/api/version"), "").await;
    let expected = serde_json::json!({
        "service": "mizan", "version": "1.2.3", "git_sha": "abc", "build_time": "2026-01-01T00:00:00Z",
    });
    assert_eq!(body, expected);
    let (status, headers, body) = ask(&router, request("GET", "/api/ready"), "").await;
    assert_eq!(status, 200);
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(body["status"], "ok");
    assert_eq!(body["dependencies"]["redis"], "not_configured");
    assert_eq!(body["checks"]["migrations"]["current"], serde_json::json!([]));
    let health = request("GET", "/api/ready").header("accept", "application/health+json");
    let (_, headers, body) = ask(&router, health, "").await;
    assert_eq!(headers["content-type"], "application/health+json");
    assert_eq!(
        (&body["status"], &body["serviceId"]),
        (&"pass".into(), &"mizan".into())
    );
}

#[tokio::test]
async fn readiness_fails_from_the_moment_of_draining() {
    let draining = CancellationToken::new();
    let router = served(&draining);
    assert_eq!(ask(&router, request("GET", "/api/ready"), "").await.0, 200);
    draining.cancel();
    let (status, _, body) = ask(&router, request("GET", "/api/ready"), "").await;
    assert_eq!((status.as_u16(), &body["status"]), (503, &"fail".into()));
    assert_eq!(
        ask(&router, request("GET", "/api/health"), "").await.0,
        200,
        "it still lives"
    );
}

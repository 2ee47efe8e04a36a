//! What surrounds every request: its id, its bounds, its headers, its one line in the log, its metrics, and the
//! form of its errors. Nothing here knows a route, and no body or credential is logged.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use mizan_core::TenantKey;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;

use crate::auth::{X_API_KEY, X_TENANT};
use crate::error::{ApiError, codes, finish};
use crate::keyed::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use crate::meters::{self, Meters};
use crate::request_id::{RequestId, X_REQUEST_ID};

const STATEMENTS: &str = "/api/v1/reconciliation/statements";

/// What the handling of a request learns for its line in the log.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<OnceLock<TenantKey>>);

impl Notes {
    pub(crate) fn tenant(&self, key: &TenantKey) {
        let _ = self.0.set(key.clone());
    }
}

/// Puts the frame around a router. The last layer is the outermost.
pub(crate) fn around(router: Router, origins: &[String], patience: Duration, most: usize) -> Router {
    router
        .layer(from_fn_with_state(patience, bounded))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(cors(origins))
        .layer(from_fn_with_state(Arc::new(Outside::new(most)), observe))
}

/// What all requests share.
struct Outside {
    meters: Meters,
    /// One for each request that may be under way.
    places: Semaphore,
}

impl Outside {
    fn new(most: usize) -> Self {
        Self {
            meters: Meters::default(),
            places: Semaphore::new(most),
        }
    }
}

async fn observe(State(outside): State<Arc<Outside>>, mut request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let id = RequestId::of(request.headers());
    let notes = Notes::default();
    let method = known(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = meters::label(path.as_ref());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(notes.clone());
    let span = tracing::info_span!("request", request_id = %id.0, method, route);
    // Probes are answered whatever else waits: a full process is not a dead one.
    let place = outside.places.try_acquire();
    let response = if place.is_ok() || is_probe(route) {
        next.run(request).instrument(span).await
    } else {
        metrics::counter!("mizan_http_refused_busy_total", "by" => "requests").increment(1);
        ApiError::too_busy().into_response()
    };
    drop(place);
    let mut response = finish(response, &id.0);
    harden(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }

    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    outside.meters.record(method, route, status, elapsed);
    let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let tenant = notes.0.get().map(TenantKey::as_str);
    if is_probe(route) {
        tracing::debug!(method, route, status, duration_ms, request_id = %id.0, tenant, "request");
    } else {
        tracing::info!(method, route, status, duration_ms, request_id = %id.0, tenant, "request");
    }
    response
}

/// Asked every few seconds, forever: worth a line only to those who look for it.
fn is_probe(route: &str) -> bool {
    matches!(route, "/api/health" | "/api/ready" | "/metrics")
}

/// A method as a label; what a client makes up is none.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "OTHER",
    }
}

fn harden(headers: &mut HeaderMap) {
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// Whether a body claims to be compressed. Nothing is decompressed here, so a small body cannot become a large one.
fn is_encoded(request: &Request) -> bool {
    let mut all = request.headers().get_all(CONTENT_ENCODING).iter();
    all.any(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity"))
}

async fn bounded(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    if is_encoded(&request) {
        return ApiError::new(
            &codes::UNSUPPORTED_MEDIA_TYPE,
            "send the body as it is, without Content-Encoding",
        )
        .into_response();
    }
    // A statement takes as long as its bytes need; silence on the way is bounded where it is read.
    let route = request.extensions().get::<MatchedPath>();
    if request.method() == Method::POST && route.is_some_and(|it| it.as_str() == STATEMENTS) {
        return next.run(request).await;
    }
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::plain(&codes::TIMED_OUT).into_response(),
    }
}

fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let words = cause
        .downcast_ref::<&str>()
        .map(|it| (*it).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    metrics::counter!("mizan_http_panics_total").increment(1);
    tracing::error!(error = words, "a handler panicked");
    ApiError::plain(&codes::INTERNAL).into_response()
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|it| it.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IDEMPOTENCY_KEY,
            X_API_KEY,
            X_REQUEST_ID,
            X_TENANT,
        ])
        .expose_headers([X_REQUEST_ID, IDEMPOTENCY_REPLAYED, RETRY_AFTER])
        .max_age(Duration::from_mins(10))
}

/// The answer to a path that no route has.
pub(crate) async fn unknown_route() -> StatusCode {
    StatusCode::NOT_FOUND
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> StatusCode {
        panic!("with password=hunter2")
    }

    fn framed() -> Router {
        let router = Router::new()
            .route("/ok", get(async || "fine"))
            .route("/panic", get(panics))
            .route("/slow", get(std::future::pending::<StatusCode>))
            .route("/echo", post(async |body: String| body))
            .fallback(unknown_route);
        around(
            router,
            &["https://console.example".to_owned()],
            Duration::from_secs(30),
            2,
        )
    }

    async fn ask(
        request: axum::http::request::Builder,
        body: &'static str,
    ) -> (StatusCode, HeaderMap, Value) {
        let response = framed()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        (
            head.status,
            head.headers,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_goes_wrong_is_a_problem_with_the_id_of_the_request() {
        for (method, path, status, code) in [
            ("GET", "/nowhere", 404, "NOT_FOUND"),
            ("DELETE", "/ok", 405, "METHOD_NOT_ALLOWED"),
            ("GET", "/panic", 500, "INTERNAL"),
            ("GET", "/slow", 504, "TIMED_OUT"),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("x-request-id", "it-1");
            let (seen, headers, body) = ask(request, "").await;
            assert_eq!(seen, status, "{path}");
            assert_eq!(body["error_code"], code, "{path}");
            assert_eq!(body["request_id"], "it-1", "{path}");
            assert_eq!(body["status"], status, "{path}");
            assert_eq!(headers["x-request-id"], "it-1", "{path}");
            assert_eq!(headers["content-type"], "application/problem+json", "{path}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert!(!body.to_string().contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn a_compressed_body_is_refused_unread() {
        let request = Request::builder()
            .method("POST")
            .uri("/echo")
            .header("content-encoding", "gzip");
        let (status, _, body) = ask(request, "x").await;
        assert_eq!(
            (status, &body["error_code"]),
            (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                &"UNSUPPORTED_MEDIA_TYPE".into()
            )
        );
    }

    #[tokio::test]
    async fn what_comes_when_every_place_is_taken_is_told_to_come_again() {
        let (entered, mut entering) = tokio::sync::mpsc::unbounded_channel();
        let held = move || {
            let entered = entered.clone();
            async move {
                entered.send(()).ok();
                std::future::pending::<StatusCode>().await
            }
        };
        let routes = Router::new()
            .route("/held", get(held))
            .route("/ok", get(async || "fine"))
            .route("/api/health", get(async || "alive"));
        let router = around(routes, &[], Duration::from_secs(30), 2);
        let ask = |path: &'static str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        };
        let first = tokio::spawn(ask("/held"));
        let second = tokio::spawn(ask("/held"));
        entering.recv().await;
        entering.recv().await;
        let refused = ask("/ok").await.unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(ask("/api/health").await.unwrap().status(), StatusCode::OK);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(
            ask("/ok").await.unwrap().status(),
            StatusCode::OK,
            "its place is free again"
        );
        second.abort();
    }

    #[tokio::test]
    async fn only_listed_origins_are_echoed() {
        for (origin, allowed) in [("https://console.example", true), ("https://evil.example", false)] {
            let request = Request::builder().uri("/ok").header("origin", origin);
            let (_, headers, _) = ask(request, "").await;
            assert_eq!(
                headers.contains_key("access-control-allow-origin"),
                allowed,
                "{origin}"
            );
        }
    }
}

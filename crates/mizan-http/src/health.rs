//! Probes: `/api/health`, `/api/version` and `/api/ready`.

mod changes;
mod readiness;
mod report;

use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use readiness::{Detail, Probe, ProbeResult, Readiness, Revisions};
pub use report::{Check, Checks, Dependencies, Ready, Report};

use crate::error::ApiError;
use crate::state::Edge;

/// The media type of the draft "Health Check Response Format for HTTP APIs".
const HEALTH_JSON: &str = "application/health+json";

/// That the process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `healthy`
    status: &'static str,
    /// `ENV`
    environment: String,
}

/// Which build this is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Version)]
pub(crate) struct ThisBuild {
    /// `mizan`
    service: &'static str,
    version: String,
    git_sha: String,
    /// RFC 3339.
    build_time: String,
}

/// Says that the process answers.
///
/// Touches neither the database nor anything else: a liveness probe.
#[utoipa::path(get, path = "/api/health", tag = "probes", operation_id = "get_health", responses((status = 200, body = Health)))]
pub(crate) async fn health(State(edge): State<Edge>) -> Json<Health> {
    Json(Health {
        status: "healthy",
        environment: edge.environment.clone(),
    })
}

/// Says which build this is.
#[utoipa::path(get, path = "/api/version", tag = "probes", operation_id = "get_version", responses((status = 200, body = ThisBuild)))]
pub(crate) async fn version(State(edge): State<Edge>) -> Json<ThisBuild> {
    let it = edge.version.clone();
    Json(ThisBuild {
        service: "mizan",
        version: it.version,
        git_sha: it.git_sha,
        build_time: it.build_time,
    })
}

/// Says whether the process can do its work: database, Redis and migrations.
///
/// Answers within 900 ms by default. Fails from the moment the process was told to stop.
/// `Accept: application/health+json` gets that form.
#[utoipa::path(
    get,
    path = "/api/ready",
    tag = "probes", operation_id = "get_ready",
    responses((status = 200, body = Ready), (status = 503, body = Ready, description = "Not ready"))
)]
pub(crate) async fn ready(State(edge): State<Edge>, headers: HeaderMap) -> Response {
    let report = edge.ready.report().await;
    let ok = report.ok && !edge.draining.is_cancelled();
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let wants_health = headers
        .get_all(ACCEPT)
        .iter()
        .any(|it| it.to_str().is_ok_and(|it| it.contains(HEALTH_JSON)));
    if wants_health {
        let body = report.health_json(ok, &edge.version, edge.app.now());
        let mut response = (status, Json(body)).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(HEALTH_JSON));
        return response;
    }
    (status, Json(report.ready(ok, &edge.version))).into_response()
}

/// Counters and timings in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "probes", operation_id = "get_metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(edge): State<Edge>) -> Result<Response, ApiError> {
    let Some(handle) = &edge.metrics else {
        return Err(ApiError::plain(&crate::error::codes::NOT_FOUND));
    };
    let mut response = handle.render().into_response();
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

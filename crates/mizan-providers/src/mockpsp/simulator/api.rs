//! The simulator's HTTP API. The table of contents is [`router`].

mod faults;
mod payments;
mod payouts;
mod statement;

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use mizan_core::Clock;
use mizan_mask::Secret;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::book::{Book, Refused};
use super::courier::Courier;
use crate::mockpsp::wire::Refusal;

/// What every handler shares.
pub(super) struct App {
    pub book: Mutex<Book>,
    pub clock: Arc<dyn Clock>,
    pub courier: Courier,
    pub api_key: Option<Secret>,
    pub stopped: watch::Receiver<bool>,
}

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/payments", post(payments::create))
        .route("/payments/{id}/refund", post(payments::refund))
        .route("/payments/{id}/chargeback", post(payments::charge_back))
        .route("/payouts", post(payouts::create))
        .route("/payouts/{key_or_id}", get(payouts::show))
        .route("/statement", get(statement::export))
        .route("/faults", get(faults::list).post(faults::configure))
        .route("/faults/release", post(faults::release))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), check_api_key))
        .route("/health", get(health))
        .fallback(async || Refused(404, "NOT_FOUND", "there is no such path".to_owned()))
        .with_state(app)
}

async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "healthy"}))
}

async fn check_api_key(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if let Some(key) = &app.api_key {
        let given = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "))
            .unwrap_or_default();
        if !bool::from(given.as_bytes().ct_eq(key.reveal().as_bytes())) {
            return Refused(
                401,
                "UNAUTHENTICATED",
                "the API key is missing or wrong".to_owned(),
            )
            .into_response();
        }
    }
    next.run(request).await
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, error_code, detail) = self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error_code = error_code.to_owned();
        (status, Json(Refusal { error_code, detail })).into_response()
    }
}

/// Reads a JSON body.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(400, "BODY_INVALID", error.to_string()))
}

fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.to_str().ok()?;
    (!key.is_empty()).then(|| key.to_owned())
}

//! `/payouts`: taken once per key, with the faults of calls around it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{App, idempotency_key, read};
use crate::mockpsp::simulator::book::Refused;
use crate::mockpsp::simulator::fault::{Fault, Group};
use crate::mockpsp::simulator::{locked, until};
use crate::mockpsp::wire::{PayoutStatus, PayoutView};

pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let (view, fault) = accept(&app, &headers, &body)?;
    match fault {
        Some(Fault::PayoutTimeout) => {
            until(app.stopped.clone()).await;
            Err(Refused(
                503,
                "STOPPED",
                "the simulator is shutting down".to_owned(),
            ))
        }
        Some(Fault::PayoutErrorAfter) => Err(Refused(500, "INTERNAL_ERROR", "planted".to_owned())),
        _ if view.status == PayoutStatus::Accepted => Ok((StatusCode::ACCEPTED, Json(view)).into_response()),
        _ => Ok(Json(view).into_response()),
    }
}

/// Everything up to the answer, under one lock: a caller that hangs up changes nothing of it.
fn accept(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<(PayoutView, Option<Fault>), Refused> {
    let body = read(body)?;
    let key = idempotency_key(headers).ok_or_else(|| {
        let detail = "the header Idempotency-Key is required".to_owned();
        Refused(400, "IDEMPOTENCY_KEY_REQUIRED", detail)
    })?;
    let mut book = locked(&app.book);
    let fault = book.fault_of_call(Group::PayoutCall);
    if let Some(fault) = fault {
        book.faults.plant(fault, &key, false);
    }
    if fault == Some(Fault::PayoutErrorBefore) {
        return Err(Refused(503, "UNAVAILABLE", "planted".to_owned()));
    }
    let (view, dispatch) = book.create_payout(&key, body, app.clock.now())?;
    if let Some(dispatch) = dispatch {
        app.courier.dispatch(dispatch);
    }
    Ok((view, fault))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(key_or_id): Path<String>,
) -> Result<Json<PayoutView>, Refused> {
    locked(&app.book).payout(&key_or_id).map(Json)
}

//! `/payments`: what a player's checkout would do.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::{App, idempotency_key, read};
use crate::mockpsp::simulator::book::{GiveBack, PaymentView, Refused};
use crate::mockpsp::simulator::locked;

/// `POST /payments/{id}/refund` and `/chargeback`; an empty body gives back all that is left.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GiveBackBody {
    amount: Option<String>,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<PaymentView>), Refused> {
    let body = read(&body)?;
    let mut book = locked(&app.book);
    let (view, dispatches) = book.create_payment(body, idempotency_key(&headers), app.clock.now())?;
    for dispatch in dispatches {
        app.courier.dispatch(dispatch);
    }
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn refund(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<PaymentView>, Refused> {
    give_back(&app, &id, GiveBack::Refund, &body)
}

pub(super) async fn charge_back(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<PaymentView>, Refused> {
    give_back(&app, &id, GiveBack::Chargeback, &body)
}

fn give_back(app: &App, id: &str, how: GiveBack, body: &[u8]) -> Result<Json<PaymentView>, Refused> {
    let body: GiveBackBody = if body.is_empty() {
        GiveBackBody::default()
    } else {
        read(body)?
    };
    let mut book = locked(&app.book);
    let (view, dispatches) = book.give_back(id, how, body.amount.as_deref(), app.clock.now())?;
    for dispatch in dispatches {
        app.courier.dispatch(dispatch);
    }
    Ok(Json(view))
}

//! `/faults`: what is planned, what was planted, and changes of both while it runs.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};

use super::{App, read};
use crate::mockpsp::simulator::book::Refused;
use crate::mockpsp::simulator::fault::Plan;
use crate::mockpsp::simulator::locked;

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let book = locked(&app.book);
    Json(json!({
        "plans": book.faults.plans(),
        "planted": book.faults.planted(),
        "deliveries": app.courier.deliveries(),
    }))
}

/// Takes a list of plans; each replaces the one of the same fault.
pub(super) async fn configure(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Refused> {
    let plans: Vec<Plan> = read(&body)?;
    let mut book = locked(&app.book);
    book.faults.configure(plans);
    Ok(Json(json!({"plans": book.faults.plans()})))
}

/// Lets held webhooks go.
pub(super) async fn release(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"released": app.courier.release_held()}))
}

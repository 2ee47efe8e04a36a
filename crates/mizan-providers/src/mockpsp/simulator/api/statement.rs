//! `GET /statement?from=&to=`: the movements of a half-open window as CSV.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use mizan_core::{TimeWindow, Timestamp};
use serde::Deserialize;

use super::App;
use crate::mockpsp::simulator::book::Refused;
use crate::mockpsp::simulator::fault::Group;
use crate::mockpsp::simulator::{locked, statement};

#[derive(Debug, Deserialize)]
pub(super) struct Edges {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    Query(edges): Query<Edges>,
) -> Result<Response, Refused> {
    let window = TimeWindow::new(time(&edges.from)?, time(&edges.to)?)
        .map_err(|_| Refused(422, "WINDOW_INVALID", "to must be after from".to_owned()))?;
    let mut book = locked(&app.book);
    if let Some(fault) = book.fault_of_call(Group::StatementCall) {
        book.faults.plant(fault, "statement", false);
        let again = [(header::RETRY_AFTER, "0")];
        return Ok((StatusCode::SERVICE_UNAVAILABLE, again).into_response());
    }
    let file = statement::csv(&book.rows, window)
        .map_err(|error| Refused(500, "INTERNAL_ERROR", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], file).into_response())
}

fn time(text: &str) -> Result<Timestamp, Refused> {
    DateTime::parse_from_rfc3339(text)
        .map(|it| it.to_utc())
        .map_err(|_| {
            let detail = "from and to are times with an offset (RFC 3339)".to_owned();
            Refused(422, "WINDOW_INVALID", detail)
        })
}

//! Findings as CSV, complete and safe to open in a spreadsheet.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::SecondsFormat;
use futures::stream;
use mizan_core::FindingId;
use mizan_flows::{Caller, findings};
use mizan_recon::spreadsheet::disarm;
use mizan_store::findings::FindingFilter;
use mizan_store::{Page, Paged, Start};
use uuid::Uuid;

use crate::auth::Signed;
use crate::error::ApiError;
use crate::findings::{Filter, FindingView};
use crate::params::Params;
use crate::state::Edge;

const HEADER: [&str; 20] = [
    "id",
    "provider",
    "provider_event_id",
    "provider_ref",
    "finding_type",
    "severity",
    "status",
    "currency",
    "statement_amount",
    "ledger_amount",
    "transaction_id",
    "run_id",
    "last_run_id",
    "occurred_at",
    "created_at",
    "updated_at",
    "status_by",
    "status_reason",
    "assigned_to",
    "settled_by",
];
const ROWS: u32 = 200;

/// Exports all findings of a filter as CSV, newest first.
///
/// A text that a spreadsheet would take for a formula gets a leading apostrophe; plain negative amounts stay.
#[utoipa::path(get, path = "/findings.csv", tag = "findings", operation_id = "export_findings", params(Filter), responses((status = 200, body = String, content_type = "text/csv")))]
pub(crate) async fn export(
    State(edge): State<Edge>,
    signed: Signed,
    Params(filter): Params<Filter>,
) -> Result<Response, ApiError> {
    let filter = filter.read()?;
    let caller = signed.caller;
    // The first page is fetched before the reply begins, so that a failure is still a problem.
    let (first, next) = page(&edge, &caller, &filter, Start::First).await?;
    let head = Bytes::from([row(HEADER.map(Cow::Borrowed).to_vec()), first].concat());
    let rest = stream::try_unfold(
        (edge, caller, filter, next),
        async |(edge, caller, filter, next)| {
            let Some(after) = next else { return Ok(None) };
            let failed = |_| std::io::Error::other("a page of findings could not be read");
            let (rows, next) = page(&edge, &caller, &filter, Start::After(after))
                .await
                .map_err(failed)?;
            Ok(Some((Bytes::from(rows), (edge, caller, filter, next))))
        },
    );
    let body = futures::StreamExt::chain(stream::once(async { Ok::<_, std::io::Error>(head) }), rest);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"findings.csv\""),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

async fn page(
    edge: &Edge,
    caller: &Caller,
    filter: &FindingFilter,
    start: Start<FindingId>,
) -> Result<(Vec<u8>, Option<FindingId>), ApiError> {
    let page = Page {
        limit: ROWS,
        start,
        with_total: false,
    };
    let Paged { items, next, .. } = findings::list(&edge.app, caller, filter, &page).await?;
    Ok((
        items.into_iter().flat_map(|it| row(fields(it.into()))).collect(),
        next,
    ))
}

fn fields(it: FindingView) -> Vec<Cow<'static, str>> {
    let text = |it: Option<String>| Cow::Owned(it.unwrap_or_default());
    let id = |it: Option<Uuid>| Cow::Owned(it.map(|it| it.to_string()).unwrap_or_default());
    let time = |it: chrono::DateTime<chrono::Utc>| it.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    vec![
        id(Some(it.id)),
        it.provider.into(),
        it.provider_event_id.into(),
        text(it.provider_ref),
        it.finding_type.into(),
        it.severity.into(),
        it.status.into(),
        text(it.currency),
        text(it.statement_amount),
        text(it.ledger_amount),
        id(it.transaction_id),
        id(it.run_id),
        id(it.last_run_id),
        text(it.occurred_at.map(time)),
        time(it.created_at).into(),
        time(it.updated_at).into(),
        text(it.status_by),
        text(it.status_reason),
        id(it.assigned_to),
        id(it.settled_by),
    ]
}

fn row(fields: Vec<Cow<'static, str>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let safe = fields.iter().map(|it| disarm(it));
    // Writing into memory does not fail.
    let _ = writer.write_record(safe.map(Cow::into_owned));
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_quoted_where_it_must_be() {
        let seen = row(vec!["a,b".into(), "say \"x\"".into(), "=1".into()]);
        assert_eq!(
            String::from_utf8(seen).unwrap(),
            "\"a,b\",\"say \"\"x\"\"\",'=1\n"
        );
    }
}

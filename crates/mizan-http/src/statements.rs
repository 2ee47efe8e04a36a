//! Statements: uploaded by people, listed, and what could not be read of them.

mod upload;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use mizan_core::{StatementId, TimeWindow};
use mizan_flows::statements::{self, Accepted};
use mizan_store::statements::StoredStatement;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::Signed;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, PageParams};
use crate::params::word;
use crate::state::Edge;

/// A statement that was uploaded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementView {
    id: Uuid,
    provider: String,
    /// The file's own name.
    name: String,
    /// 1 for the first file of that name, 2 for the next that differs.
    version: i32,
    /// `generic`, `stripe`, `adyen`, `camt053`, `mt940`, `ndjson` or `parquet`
    format: String,
    sha256: String,
    bytes: i64,
    period_start: Option<DateTime<Utc>>,
    period_end: Option<DateTime<Utc>>,
    rows_read: i64,
    /// `GET …/{id}/quarantine` has them.
    rows_quarantined: i64,
    /// Balances, sums and counts of the file against what was read.
    #[schema(value_type = Vec<Object>)]
    checks: Value,
    uploaded_by: String,
    created_at: DateTime<Utc>,
}

/// An upload that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadedStatement {
    #[serde(flatten)]
    statement: StatementView,
    /// These bytes were kept before: this is the statement that has them, and nothing was done.
    already_known: bool,
}

impl From<StoredStatement> for StatementView {
    fn from(it: StoredStatement) -> Self {
        Self {
            id: it.id.0,
            provider: it.provider.to_string(),
            name: it.name,
            version: it.version,
            format: it.format,
            sha256: it.sha256,
            bytes: it.bytes,
            period_start: it.period.map(TimeWindow::start),
            period_end: it.period.map(TimeWindow::end),
            rows_read: it.rows_read,
            rows_quarantined: it.rows_quarantined,
            checks: serde_json::from_str(&it.checks).unwrap_or_default(),
            uploaded_by: it.uploaded_by,
            created_at: it.created_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    provider: Option<String>,
}

/// Uploads a statement: `multipart/form-data` with `provider` and `file`, and if wanted `format`, `map`,
/// `period_start` and `period_end`.
///
/// The file is read to its end before the reply: rows that cannot be read are kept aside with line, column and
/// reason, and a file that is not of its format is refused. The same bytes again are answered with the statement
/// that has them; a changed file of the same name is its next version.
#[utoipa::path(
    post, path = "/reconciliation/statements", tag = "reconciliation", operation_id = "upload_statement",
    request_body(content = upload::Form, content_type = "multipart/form-data"),
    responses((status = 201, body = UploadedStatement), (status = 200, body = UploadedStatement, description = "Known already"))
)]
pub(crate) async fn create(
    State(edge): State<Edge>,
    signed: Signed,
    request: Request,
) -> Result<(StatusCode, Json<UploadedStatement>), ApiError> {
    let upload = upload::receive(&edge, request).await?;
    let (status, statement) = match statements::accept(&edge.app, &signed.caller, upload).await? {
        Accepted::New(it) => (StatusCode::CREATED, it),
        Accepted::Known(it) => (StatusCode::OK, it),
    };
    let already_known = status == StatusCode::OK;
    let statement = statement.into();
    Ok((
        status,
        Json(UploadedStatement {
            statement,
            already_known,
        }),
    ))
}

/// Lists statements, newest first.
#[utoipa::path(get, path = "/reconciliation/statements", tag = "reconciliation", operation_id = "list_statements", params(PageParams, Filter), responses((status = 200, body = Listed<StatementView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<StatementView>>, ApiError> {
    let provider = word("provider", listing.filter.provider.as_deref())?;
    let page = listing.page.page()?;
    let found = statements::list(&edge.app, &signed.caller, provider.as_ref(), &page).await?;
    Ok(Json(listing.page.listed(found, StatementView::from)))
}

/// Shows one statement.
#[utoipa::path(get, path = "/reconciliation/statements/{id}", tag = "reconciliation", operation_id = "get_statement", params(("id" = Uuid, Path)), responses((status = 200, body = StatementView)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<StatementId>,
) -> Result<Json<StatementView>, ApiError> {
    Ok(Json(statements::get(&edge.app, &signed.caller, id).await?.into()))
}

/// The rows of a statement that could not be read, as CSV: line, column, reason, and the masked beginning of the row.
#[utoipa::path(get, path = "/reconciliation/statements/{id}/quarantine", tag = "reconciliation", operation_id = "statement_quarantine", params(("id" = Uuid, Path)), responses((status = 200, body = String, content_type = "text/csv")))]
pub(crate) async fn quarantine(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<StatementId>,
) -> Result<Response, ApiError> {
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"quarantine.csv\""),
    ];
    let body = match statements::quarantine(&edge.app, &signed.caller, id).await? {
        None => Body::from("line,column,reason,row\n"),
        Some(copy) => {
            let file = tokio::fs::File::open(copy.path())
                .await
                .map_err(upload::spool_failed)?;
            // An open file can be read to its end also when its name is gone.
            Body::from_stream(ReaderStream::new(file))
        }
    };
    Ok((headers, body).into_response())
}

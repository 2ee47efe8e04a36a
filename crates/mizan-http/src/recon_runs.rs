//! Reconciliation runs.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use mizan_core::{ProviderKey, RunId, TimeWindow};
use mizan_flows::recon_runs::{self, Executor, NewRun};
use mizan_flows::{Caller, recon_execute};
use mizan_store::recon_runs::{ReconRun, RunFilter, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::{ApiError, codes};
use crate::id::Id;
use crate::paging::{Listed, Listing, PageParams};
use crate::params::{Params, word};
use crate::state::Edge;
use crate::times;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRun {
    /// The key of a connection.
    #[schema(example = "mockpsp")]
    provider: String,
    /// RFC 3339; without an offset it is UTC. Belongs to the window.
    #[schema(example = "2026-01-01T00:00:00Z")]
    window_start: String,
    /// RFC 3339; without an offset it is UTC. Belongs to the next window.
    #[schema(example = "2026-01-02T00:00:00Z")]
    window_end: String,
    /// Keeps no findings; the run's stats tell what it would have found.
    #[serde(default)]
    dry_run: bool,
    /// The same key gives the same run.
    idempotency_key: Option<String>,
    /// An uploaded statement to compare, instead of asking the provider.
    statement_id: Option<Uuid>,
    /// An uploaded bank statement (camt.053, MT940) in which the payouts of `statement_id` have to be.
    bank_statement_id: Option<Uuid>,
}

/// A reconciliation run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationRun)]
pub(crate) struct RunView {
    id: Uuid,
    provider: String,
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
    dry_run: bool,
    /// `queued`, `running`, `completed`, `failed` or `cancelled`
    status: &'static str,
    /// Once the run has completed.
    #[schema(value_type = Option<Object>)]
    stats_json: Option<Value>,
    /// Once the run has failed.
    #[schema(value_type = Option<Object>)]
    error_json: Option<Value>,
    statement_id: Option<Uuid>,
    bank_statement_id: Option<Uuid>,
    idempotency_key: Option<String>,
    attempts: i32,
    created_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<ReconRun> for RunView {
    fn from(it: ReconRun) -> Self {
        let object = |text: Option<String>| text.and_then(|it| serde_json::from_str(&it).ok());
        Self {
            id: it.id.0,
            provider: it.provider.to_string(),
            window_start: it.window.start(),
            window_end: it.window.end(),
            dry_run: it.dry_run,
            status: it.status.as_str(),
            stats_json: object(it.stats_json),
            error_json: object(it.error_json),
            statement_id: it.statement,
            bank_statement_id: it.bank_statement,
            idempotency_key: it.idempotency_key,
            attempts: it.attempts,
            created_by: it.created_by,
            created_at: it.created_at,
            updated_at: it.updated_at,
            started_at: it.started_at,
            finished_at: it.finished_at,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    provider: Option<String>,
    /// `queued`, `running`, `completed`, `failed` or `cancelled`
    status: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunNow {
    /// The key of a connection.
    #[param(required = true)]
    provider: Option<String>,
}

/// That a run ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RanNow {
    /// `ok`, or `failed`: the run says why.
    status: &'static str,
    run_id: Uuid,
}

/// A key that is none names no connection.
pub(crate) fn provider(text: &str) -> Result<ProviderKey, ApiError> {
    text.parse()
        .map_err(|error| ApiError::new(&codes::UNSUPPORTED_PROVIDER, error).with("field", "provider"))
}

/// Queues a run that compares a provider's statement with the ledger.
///
/// The same `idempotency_key` gives the same run, which is never executed twice; with another body it is 409.
#[utoipa::path(post, path = "/reconciliation/runs", tag = "reconciliation", operation_id = "create_run", request_body = CreateRun, responses((status = 200, body = RunView)))]
pub(crate) async fn create(
    State(edge): State<Edge>,
    signed: Signed,
    body: Sent<CreateRun>,
) -> Result<Json<RunView>, ApiError> {
    let form = body.value;
    let start = times::read("window_start", &form.window_start)?;
    let end = times::read("window_end", &form.window_end)?;
    let new = NewRun {
        provider: provider(&form.provider)?,
        window: TimeWindow::new(start, end).map_err(|it| ApiError::invalid("window_end", it))?,
        dry_run: form.dry_run,
        idempotency_key: form.idempotency_key,
        statement: form.statement_id,
        bank_statement: form.bank_statement_id,
    };
    Ok(Json(
        recon_runs::create(&edge.app, &signed.caller, &new, Executor::Worker)
            .await?
            .into(),
    ))
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/reconciliation/runs", tag = "reconciliation", operation_id = "list_runs", params(PageParams, Filter), responses((status = 200, body = Listed<RunView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<RunView>>, ApiError> {
    let filter = RunFilter {
        provider: word("provider", listing.filter.provider.as_deref())?,
        status: word("status", listing.filter.status.as_deref())?,
    };
    let page = listing.page.page()?;
    let found = recon_runs::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, RunView::from)))
}

/// Shows one run.
#[utoipa::path(get, path = "/reconciliation/runs/{id}", tag = "reconciliation", operation_id = "get_run", params(("id" = Uuid, Path)), responses((status = 200, body = RunView)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<RunId>,
) -> Result<Json<RunView>, ApiError> {
    Ok(Json(recon_runs::get(&edge.app, &signed.caller, id).await?.into()))
}

/// Cancels a run that is not over.
#[utoipa::path(post, path = "/reconciliation/runs/{id}/cancel", tag = "reconciliation", operation_id = "cancel_run", params(("id" = Uuid, Path)), responses((status = 200, body = RunView)))]
pub(crate) async fn cancel(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<RunId>,
) -> Result<Json<RunView>, ApiError> {
    Ok(Json(
        recon_runs::cancel(&edge.app, &signed.caller, id).await?.into(),
    ))
}

/// Runs the last 24 hours at once and waits for the end: the older form.
#[utoipa::path(post, path = "/payments/reconciliation/run", tag = "reconciliation", operation_id = "run_now", params(RunNow), responses((status = 200, body = RanNow)))]
pub(crate) async fn run_now(
    State(edge): State<Edge>,
    signed: Signed,
    Params(query): Params<RunNow>,
) -> Result<Json<RanNow>, ApiError> {
    let wanted = query
        .provider
        .ok_or_else(|| ApiError::invalid("provider", "name a provider"))?;
    let id = last_day(&edge, &signed.caller, provider(&wanted)?).await?;
    let run = recon_execute::run_now(&edge.app, &signed.caller, id).await?;
    let status = if run.status == RunStatus::Failed {
        "failed"
    } else {
        "ok"
    };
    Ok(Json(RanNow {
        status,
        run_id: run.id.0,
    }))
}

async fn last_day(edge: &Edge, caller: &Caller, provider: ProviderKey) -> Result<RunId, ApiError> {
    let now = edge.app.now();
    let window =
        TimeWindow::new(now - TimeDelta::hours(24), now).map_err(|it| ApiError::invalid("provider", it))?;
    let new = NewRun {
        provider,
        window,
        dry_run: false,
        idempotency_key: None,
        statement: None,
        bank_statement: None,
    };
    Ok(recon_runs::create(&edge.app, caller, &new, Executor::Caller)
        .await?
        .id)
}

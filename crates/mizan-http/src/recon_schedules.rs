//! Schedules of reconciliation runs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_flows::recon_schedules::{self, NewSchedule};
use mizan_store::recon_schedules::ReconSchedule;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::paging::Listed;
use crate::recon_runs::provider;
use crate::state::Edge;

/// When a provider's windows get their runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationSchedule)]
pub(crate) struct ScheduleView {
    provider: String,
    cron: String,
    time_zone: String,
    settlement_lag_s: i32,
    catch_up: i32,
    /// The end of the last window that got its run.
    done_until: DateTime<Utc>,
    /// When the next run is made.
    next_due_at: DateTime<Utc>,
    created_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<ReconSchedule> for ScheduleView {
    fn from(it: ReconSchedule) -> Self {
        Self {
            provider: it.provider.to_string(),
            cron: it.cron,
            time_zone: it.time_zone,
            settlement_lag_s: it.settlement_lag_s,
            catch_up: it.catch_up,
            done_until: it.done_until,
            next_due_at: it.next_due_at,
            created_by: it.created_by,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutSchedule {
    /// Five fields: the borders of the windows, in the time zone.
    #[schema(example = "0 0 * * *")]
    cron: String,
    /// A name of the IANA database.
    #[schema(example = "Europe/Istanbul")]
    time_zone: String,
    /// How long after its end a window gets its run; 0 if left out.
    #[serde(default)]
    settlement_lag_s: i32,
    /// How many of the latest windows get a run after a time without workers, 1 to 100; 7 if left out.
    #[serde(default = "week")]
    catch_up: i32,
}

fn week() -> i32 {
    7
}

/// Lists the schedules, by provider.
#[utoipa::path(get, path = "/reconciliation/schedules", tag = "reconciliation", operation_id = "list_schedules", responses((status = 200, body = Listed<ScheduleView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
) -> Result<Json<Listed<ScheduleView>>, ApiError> {
    let all = recon_schedules::list(&edge.app, &signed.caller).await?;
    Ok(Json(Listed::whole(
        all.into_iter().map(ScheduleView::from).collect(),
    )))
}

/// Sets the schedule of a provider. The first window is the one that is open now.
#[utoipa::path(put, path = "/reconciliation/schedules/{provider}", tag = "reconciliation", operation_id = "put_schedule", request_body = PutSchedule, params(("provider" = String, Path)), responses((status = 200, body = ScheduleView)))]
pub(crate) async fn put(
    State(edge): State<Edge>,
    signed: Signed,
    Path(key): Path<String>,
    body: Sent<PutSchedule>,
) -> Result<Json<ScheduleView>, ApiError> {
    let form = body.value;
    let new = NewSchedule {
        provider: provider(&key)?,
        cron: form.cron,
        time_zone: form.time_zone,
        settlement_lag_s: form.settlement_lag_s,
        catch_up: form.catch_up,
    };
    let put = recon_schedules::put(&edge.app, &signed.caller, &new).await?;
    Ok(Json(put.into()))
}

/// Ends the schedule of a provider. Runs that were made stay.
#[utoipa::path(delete, path = "/reconciliation/schedules/{provider}", tag = "reconciliation", operation_id = "delete_schedule", params(("provider" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(edge): State<Edge>,
    signed: Signed,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiError> {
    let key = provider(&key).map_err(|_| ApiError::not_found("schedule"))?;
    recon_schedules::delete(&edge.app, &signed.caller, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

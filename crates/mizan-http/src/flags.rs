//! The rollout flags.

use axum::Json;
use axum::extract::{Path, State};
use mizan_flows::flags;
use mizan_payments::rollout::{Effective, Flag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Signed;
use crate::body::Sent;
use crate::error::ApiError;
use crate::paging::Listed;
use crate::state::Edge;

/// A flag as it holds for the tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flag)]
pub(crate) struct FlagView {
    name: &'static str,
    value: bool,
    /// `default`, `environment`, `tenant` or `forced`
    source: &'static str,
}

impl From<Effective> for FlagView {
    fn from(it: Effective) -> Self {
        Self {
            name: it.flag.as_str(),
            value: it.value,
            source: it.source.as_str(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetFlag {
    value: bool,
    /// 3 to 500 bytes.
    reason: String,
    /// The key of a tenant; the caller's own if left out.
    tenant_id: Option<String>,
}

/// Lists the flags with their effective value and its source.
#[utoipa::path(get, path = "/flags", tag = "flags", operation_id = "list_flags", responses((status = 200, body = Listed<FlagView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
) -> Result<Json<Listed<FlagView>>, ApiError> {
    let all = flags::list(&edge.app, &signed.caller).await?;
    Ok(Json(Listed::whole(all.into_iter().map(FlagView::from).collect())))
}

/// Overrides a flag for the tenant.
#[utoipa::path(put, path = "/flags/{name}", tag = "flags", operation_id = "set_flag", request_body = SetFlag, params(("name" = String, Path)), responses((status = 200, body = FlagView)))]
pub(crate) async fn set(
    State(edge): State<Edge>,
    signed: Signed,
    Path(name): Path<String>,
    body: Sent<SetFlag>,
) -> Result<Json<FlagView>, ApiError> {
    let flag: Flag = name.parse().map_err(|_| ApiError::not_found("flag"))?;
    let form = body.value;
    let signed = signed.acting_for(&edge, form.tenant_id.as_deref()).await?;
    Ok(Json(
        flags::set(&edge.app, &signed.caller, flag, form.value, &form.reason)
            .await?
            .into(),
    ))
}

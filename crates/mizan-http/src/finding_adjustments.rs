//! Corrections of the ledger that findings lead to: proposed by one person, approved by another.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use mizan_core::{AdjustmentId, FindingId};
use mizan_flows::finding_adjustments::{self as flow, Decision, Proposal};
use mizan_store::finding_adjustments::FindingAdjustment;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::amount::{Amount, currency};
use crate::auth::Signed;
use crate::body::{MaybeSent, Sent};
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, NoFilter, PageParams};
use crate::params::word;
use crate::state::Edge;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposeAdjustment)]
pub(crate) struct Propose {
    /// The code of an account: `adjustments`, `psp_clearing:<provider>`, `wallet:<player>:available`, …
    debit: String,
    credit: String,
    /// Positive.
    amount: Amount,
    /// ISO 4217; the installation's own if left out.
    currency: Option<String>,
    /// 3 to 500 bytes.
    reason: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = DecideAdjustment)]
pub(crate) struct Decide {
    /// Needed to reject; at most 500 bytes.
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `proposed`, `approved` or `rejected`
    state: Option<String>,
}

/// A proposed correction, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingAdjustment)]
pub(crate) struct AdjustmentView {
    id: Uuid,
    finding_id: Uuid,
    debit_account_id: i64,
    credit_account_id: i64,
    /// Major units.
    amount: String,
    currency: String,
    reason: String,
    /// `proposed`, `approved` or `rejected`
    state: &'static str,
    proposed_by: String,
    proposed_at: DateTime<Utc>,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    decision_reason: Option<String>,
    /// What was posted.
    transaction_id: Option<Uuid>,
}

impl From<FindingAdjustment> for AdjustmentView {
    fn from(it: FindingAdjustment) -> Self {
        Self {
            id: it.id.0,
            finding_id: it.finding.0,
            debit_account_id: it.debit.0,
            credit_account_id: it.credit.0,
            amount: it.amount.major(),
            currency: it.amount.currency.to_string(),
            reason: it.reason,
            state: it.state.as_str(),
            proposed_by: it.proposed_by,
            proposed_at: it.proposed_at,
            decided_by: it.decided_by,
            decided_at: it.decided_at,
            decision_reason: it.decision_reason,
            transaction_id: it.transaction.map(|it| it.0),
        }
    }
}

/// Proposes a correction of the ledger for a finding.
///
/// Nothing is posted before somebody else approves. A finding has one open proposal at a time.
#[utoipa::path(post, path = "/findings/{id}/adjustments", tag = "findings", operation_id = "propose_adjustment", request_body = Propose, params(("id" = Uuid, Path)), responses((status = 201, body = AdjustmentView)))]
pub(crate) async fn propose(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: Sent<Propose>,
) -> Result<(StatusCode, Json<AdjustmentView>), ApiError> {
    let form = body.value;
    let currency = currency(form.currency.as_deref(), edge.app.settings.default_currency)?;
    let code = |field, text: &str| text.parse().map_err(|it| ApiError::invalid(field, it));
    let proposal = Proposal {
        debit: code("debit", &form.debit)?,
        credit: code("credit", &form.credit)?,
        amount: form.amount.money("amount", currency)?,
        reason: form.reason,
    };
    let made = flow::propose(&edge.app, &signed.caller, id, &proposal).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Lists the proposals of a finding, newest first.
#[utoipa::path(get, path = "/findings/{id}/adjustments", tag = "findings", operation_id = "list_finding_adjustments", params(("id" = Uuid, Path), PageParams), responses((status = 200, body = Listed<AdjustmentView>)))]
pub(crate) async fn list_of_finding(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    listing: Listing<NoFilter>,
) -> Result<Json<Listed<AdjustmentView>>, ApiError> {
    let page = listing.page.page()?;
    let found = flow::list(&edge.app, &signed.caller, Some(id), None, &page).await?;
    Ok(Json(listing.page.listed(found, AdjustmentView::from)))
}

/// Lists proposals of all findings, newest first: `state=proposed` is what waits for a second person.
#[utoipa::path(get, path = "/adjustments", tag = "findings", operation_id = "list_adjustments", params(PageParams, Filter), responses((status = 200, body = Listed<AdjustmentView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<AdjustmentView>>, ApiError> {
    let state = word("state", listing.filter.state.as_deref())?;
    let page = listing.page.page()?;
    let found = flow::list(&edge.app, &signed.caller, None, state, &page).await?;
    Ok(Json(listing.page.listed(found, AdjustmentView::from)))
}

/// Approves a proposal: it is posted, and its finding is resolved.
///
/// Not by the one who proposed it.
#[utoipa::path(post, path = "/adjustments/{id}/approve", tag = "findings", operation_id = "approve_adjustment", request_body = Option<Decide>, params(("id" = Uuid, Path)), responses((status = 200, body = AdjustmentView)))]
pub(crate) async fn approve(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<AdjustmentId>,
    body: MaybeSent<Decide>,
) -> Result<Json<AdjustmentView>, ApiError> {
    let reason = body.value.reason.as_deref();
    let done = flow::decide(&edge.app, &signed.caller, id, Decision::Approve, reason).await?;
    Ok(Json(done.into()))
}

/// Rejects a proposal, or takes back one's own.
#[utoipa::path(post, path = "/adjustments/{id}/reject", tag = "findings", operation_id = "reject_adjustment", request_body = Decide, params(("id" = Uuid, Path)), responses((status = 200, body = AdjustmentView)))]
pub(crate) async fn reject(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<AdjustmentId>,
    body: Sent<Decide>,
) -> Result<Json<AdjustmentView>, ApiError> {
    let reason = body.value.reason.as_deref();
    let done = flow::decide(&edge.app, &signed.caller, id, Decision::Reject, reason).await?;
    Ok(Json(done.into()))
}

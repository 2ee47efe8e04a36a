//! Findings of reconciliation, as people work through them.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use mizan_core::{FindingId, Money};
use mizan_flows::finding_adjustments::suggest;
use mizan_flows::findings;
use mizan_store::findings::{Assignee, FindingFilter, FindingStatus, StoredFinding};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::Signed;
use crate::body::MaybeSent;
use crate::error::ApiError;
use crate::id::Id;
use crate::paging::{Listed, Listing, PageParams};
use crate::params::word;
use crate::state::Edge;

/// What a run found: one kind of disagreement about one event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(crate) struct FindingView {
    pub(crate) id: Uuid,
    pub(crate) provider: String,
    pub(crate) provider_event_id: String,
    pub(crate) provider_ref: Option<String>,
    /// `missing_in_ledger`, `missing_in_psp`, `amount_mismatch`, …
    pub(crate) finding_type: &'static str,
    /// `INFO`, `WARN`, `ERROR` or `CRITICAL`
    pub(crate) severity: &'static str,
    /// `OPEN`, `ACKNOWLEDGED`, `RESOLVED` or `IGNORED`
    pub(crate) status: &'static str,
    pub(crate) currency: Option<String>,
    /// What the statement says, in major units.
    pub(crate) statement_amount: Option<String>,
    /// What the ledger says, in major units.
    pub(crate) ledger_amount: Option<String>,
    pub(crate) transaction_id: Option<Uuid>,
    /// Both rows, and why they do not agree.
    #[schema(value_type = Object)]
    pub(crate) details: Value,
    /// The run that found it first.
    pub(crate) run_id: Option<Uuid>,
    /// The run that found it last.
    pub(crate) last_run_id: Option<Uuid>,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) status_by: Option<String>,
    pub(crate) status_reason: Option<String>,
    /// The member of staff who works on it.
    pub(crate) assigned_to: Option<Uuid>,
    /// The transaction that settled it.
    pub(crate) settled_by: Option<Uuid>,
}

/// A finding with the correction that would settle it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingDetail)]
pub(crate) struct DetailView {
    #[serde(flatten)]
    finding: FindingView,
    /// What somebody may propose, where an amount would correct the ledger.
    suggested_adjustment: Option<SuggestionView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuggestedAdjustment)]
struct SuggestionView {
    /// The code of the account to debit.
    debit: String,
    credit: String,
    /// Major units.
    amount: String,
    currency: String,
}

impl From<StoredFinding> for DetailView {
    fn from(it: StoredFinding) -> Self {
        let suggested_adjustment = suggest(&it).map(|it| SuggestionView {
            debit: it.debit.as_str().to_owned(),
            credit: it.credit.as_str().to_owned(),
            amount: it.amount.major(),
            currency: it.amount.currency.to_string(),
        });
        Self {
            finding: it.into(),
            suggested_adjustment,
        }
    }
}

impl From<StoredFinding> for FindingView {
    fn from(it: StoredFinding) -> Self {
        // Without a currency the minor units are all there is.
        let show = |minor: i64| {
            it.currency
                .map_or_else(|| minor.to_string(), |at| Money::new(minor, at).major())
        };
        Self {
            id: it.id.0,
            provider: it.provider.to_string(),
            provider_event_id: it.provider_event_id,
            provider_ref: it.provider_ref,
            finding_type: it.finding_type.as_str(),
            severity: it.severity.as_str(),
            status: it.status.as_str(),
            currency: it.currency.map(|it| it.to_string()),
            statement_amount: it.statement_amount.map(show),
            ledger_amount: it.ledger_amount.map(show),
            transaction_id: it.transaction.map(|it| it.0),
            details: serde_json::from_str(&it.details).unwrap_or_default(),
            run_id: it.run.map(|it| it.0),
            last_run_id: it.last_run.map(|it| it.0),
            occurred_at: it.occurred_at,
            created_at: it.created_at,
            updated_at: it.updated_at,
            status_by: it.status_by,
            status_reason: it.status_reason,
            assigned_to: it.assigned_to.map(|it| it.0),
            settled_by: it.settled_by.map(|it| it.0),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    provider: Option<String>,
    finding_type: Option<String>,
    /// `INFO`, `WARN`, `ERROR` or `CRITICAL`
    severity: Option<String>,
    /// `OPEN`, `ACKNOWLEDGED`, `RESOLVED` or `IGNORED`
    status: Option<String>,
    /// Findings that this run found last.
    #[param(value_type = Option<Uuid>)]
    run_id: Option<String>,
    /// A member of staff, or `none` for what nobody works on.
    assigned_to: Option<String>,
    /// Exactly this event id.
    provider_event_id: Option<String>,
}

impl Filter {
    pub(crate) fn read(&self) -> Result<FindingFilter, ApiError> {
        Ok(FindingFilter {
            provider: word("provider", self.provider.as_deref())?,
            finding_type: word("finding_type", self.finding_type.as_deref())?,
            severity: word("severity", self.severity.as_deref())?,
            status: word("status", self.status.as_deref())?,
            run: word("run_id", self.run_id.as_deref())?,
            assigned_to: match self.assigned_to.as_deref() {
                Some("none") => Some(Assignee::Nobody),
                text => word("assigned_to", text)?.map(Assignee::Staff),
            },
            event_id: self.provider_event_id.clone(),
        })
    }
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FindingReason)]
pub(crate) struct Why {
    /// Needed to resolve, ignore or open again; at most 1 000 bytes.
    reason: Option<String>,
}

/// Lists findings, newest first.
#[utoipa::path(get, path = "/findings", tag = "findings", operation_id = "list_findings", params(PageParams, Filter), responses((status = 200, body = Listed<FindingView>)))]
pub(crate) async fn list(
    State(edge): State<Edge>,
    signed: Signed,
    listing: Listing<Filter>,
) -> Result<Json<Listed<FindingView>>, ApiError> {
    let (filter, page) = (listing.filter.read()?, listing.page.page()?);
    let found = findings::list(&edge.app, &signed.caller, &filter, &page).await?;
    Ok(Json(listing.page.listed(found, FindingView::from)))
}

/// Shows one finding: both rows side by side, why they do not agree, and what would settle it.
#[utoipa::path(get, path = "/findings/{id}", tag = "findings", operation_id = "get_finding", params(("id" = Uuid, Path)), responses((status = 200, body = DetailView)))]
pub(crate) async fn get(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
) -> Result<Json<DetailView>, ApiError> {
    Ok(Json(findings::get(&edge.app, &signed.caller, id).await?.into()))
}

/// Says that somebody looks at a finding.
#[utoipa::path(post, path = "/findings/{id}/acknowledge", tag = "findings", operation_id = "acknowledge_finding", request_body = Option<Why>, params(("id" = Uuid, Path)), responses((status = 200, body = FindingView)))]
pub(crate) async fn acknowledge(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: MaybeSent<Why>,
) -> Result<Json<FindingView>, ApiError> {
    let (to, reason) = (FindingStatus::Acknowledged, body.value.reason.as_deref());
    Ok(Json(
        findings::set_status(&edge.app, &signed.caller, id, to, reason)
            .await?
            .into(),
    ))
}

/// Says that a finding is settled, and how.
#[utoipa::path(post, path = "/findings/{id}/resolve", tag = "findings", operation_id = "resolve_finding", request_body = Why, params(("id" = Uuid, Path)), responses((status = 200, body = FindingView)))]
pub(crate) async fn resolve(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: MaybeSent<Why>,
) -> Result<Json<FindingView>, ApiError> {
    let (to, reason) = (FindingStatus::Resolved, body.value.reason.as_deref());
    Ok(Json(
        findings::set_status(&edge.app, &signed.caller, id, to, reason)
            .await?
            .into(),
    ))
}

/// Says that a finding is of no matter, and why.
#[utoipa::path(post, path = "/findings/{id}/ignore", tag = "findings", operation_id = "ignore_finding", request_body = Why, params(("id" = Uuid, Path)), responses((status = 200, body = FindingView)))]
pub(crate) async fn ignore(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: MaybeSent<Why>,
) -> Result<Json<FindingView>, ApiError> {
    let (to, reason) = (FindingStatus::Ignored, body.value.reason.as_deref());
    Ok(Json(
        findings::set_status(&edge.app, &signed.caller, id, to, reason)
            .await?
            .into(),
    ))
}

/// Opens a finding again that was closed by mistake.
#[utoipa::path(post, path = "/findings/{id}/reopen", tag = "findings", operation_id = "reopen_finding", request_body = Why, params(("id" = Uuid, Path)), responses((status = 200, body = FindingView)))]
pub(crate) async fn reopen(
    State(edge): State<Edge>,
    signed: Signed,
    Id(id): Id<FindingId>,
    body: MaybeSent<Why>,
) -> Result<Json<FindingView>, ApiError> {
    let (to, reason) = (FindingStatus::Open, body.value.reason.as_deref());
    Ok(Json(
        findings::set_status(&edge.app, &signed.caller, id, to, reason)
            .await?
            .into(),
    ))
}

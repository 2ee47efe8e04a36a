//! How complete the books are: the share of volume that was matched in time.

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use mizan_flows::completeness::{self, Complete, Share};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Signed;
use crate::error::ApiError;
use crate::paging::Listed;
use crate::params::{Params, word};
use crate::state::Edge;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    provider: Option<String>,
    /// The first day (UTC), as `2026-01-31`; 30 days before `until` if left out.
    #[param(value_type = Option<NaiveDate>)]
    from: Option<String>,
    /// The day after the last one; tomorrow if left out.
    #[param(value_type = Option<NaiveDate>)]
    until: Option<String>,
}

/// One provider in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Completeness)]
pub(crate) struct CompletenessView {
    provider: String,
    currency: String,
    /// Days that some run covered.
    days: u64,
    t_plus_1: ShareView,
    t_plus_2: ShareView,
    t_plus_4: ShareView,
}

/// What was matched so many days later, over the days that are that old.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompletenessShare)]
struct ShareView {
    /// Minor units, as text.
    volume_minor: String,
    matched_minor: String,
    /// Percent with two decimals, rounded down; missing where there is no volume.
    percent: Option<String>,
}

impl From<Share> for ShareView {
    fn from(it: Share) -> Self {
        let percent = |points: i128| format!("{}.{:02}", points / 100, points % 100);
        Self {
            volume_minor: it.volume.to_string(),
            matched_minor: it.matched.to_string(),
            percent: it.basis_points().map(percent),
        }
    }
}

impl From<Complete> for CompletenessView {
    fn from(it: Complete) -> Self {
        let [one, two, four] = it.at;
        Self {
            provider: it.provider.to_string(),
            currency: it.currency.to_string(),
            days: it.days,
            t_plus_1: one.into(),
            t_plus_2: two.into(),
            t_plus_4: four.into(),
        }
    }
}

/// The share of volume that was matched one, two and four days later, per provider and currency.
#[utoipa::path(get, path = "/completeness", tag = "reconciliation", operation_id = "completeness", params(Window), responses((status = 200, body = Listed<CompletenessView>)))]
pub(crate) async fn report(
    State(edge): State<Edge>,
    signed: Signed,
    Params(window): Params<Window>,
) -> Result<Json<Listed<CompletenessView>>, ApiError> {
    let provider = word("provider", window.provider.as_deref())?;
    let (from, until) = (day("from", window.from)?, day("until", window.until)?);
    let found = completeness::report(&edge.app, &signed.caller, provider.as_ref(), from, until).await?;
    Ok(Json(Listed::whole(
        found.into_iter().map(CompletenessView::from).collect(),
    )))
}

fn day(field: &str, text: Option<String>) -> Result<Option<NaiveDate>, ApiError> {
    let read = |it: String| {
        it.parse()
            .map_err(|_| ApiError::invalid(field, "use a day such as 2026-01-31"))
    };
    text.map(read).transpose()
}

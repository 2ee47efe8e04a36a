//! Findings as people work through them.

use mizan_core::FindingId;
use mizan_store::finding_events::FindingEventKind;
use mizan_store::findings::{FindingFilter, FindingStatus, StoredFinding};
use mizan_store::{Page, Paged};

use crate::audit::{self, Change};
use crate::finding_work::{self, Told};
use crate::{App, Caller, FlowError, Result};

pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &FindingFilter,
    page: &Page<FindingId>,
) -> Result<Paged<StoredFinding, FindingId>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.findings(filter, page).await?)
}

pub async fn get(app: &App, caller: &Caller, id: FindingId) -> Result<StoredFinding> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.finding(id).await?.ok_or(FlowError::NotFound("finding"))
}

/// Moves a finding on: acknowledge, resolve, ignore, or open it again. All but the first need a reason.
pub async fn set_status(
    app: &App,
    caller: &Caller,
    id: FindingId,
    to: FindingStatus,
    reason: Option<&str>,
) -> Result<StoredFinding> {
    let reason = reason.map(str::trim).filter(|it| !it.is_empty());
    if reason.is_some_and(|it| it.len() > 1_000) {
        return Err(FlowError::invalid("reason", "use at most 1000 bytes"));
    }
    if to != FindingStatus::Acknowledged && reason.is_none() {
        return Err(FlowError::invalid("reason", "say why"));
    }
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let mut finding = tx.lock_finding(id).await?.ok_or(FlowError::NotFound("finding"))?;
    let from = finding.status;
    if from == to {
        return Ok(finding);
    }
    if !allowed(from, to) {
        let state = from.to_string();
        return Err(FlowError::State {
            noun: "the finding",
            state,
            wanted: to.as_str(),
        });
    }
    finding.status = to;
    finding.settled_by = None;
    finding.status_by = Some(caller.actor.to_string());
    finding.status_reason = reason.map(str::to_owned);
    finding.updated_at = now;
    tx.update_finding(&finding).await?;
    let event = Told {
        kind: FindingEventKind::Status,
        from: Some(from.to_string()),
        to: Some(to.to_string()),
        text: reason.map(str::to_owned),
    };
    finding_work::tell(&mut *tx, caller, id, event, now).await?;
    let change = Change {
        action: "finding.status",
        subject_type: "finding",
        subject_id: id.to_string(),
        from: Some(from.to_string()),
        to: Some(to.to_string()),
        reason: reason.map(str::to_owned),
        details: None,
    };
    audit::write(&mut *tx, caller, now, change).await?;
    tx.commit().await?;
    Ok(finding)
}

/// `OPEN → ACKNOWLEDGED → RESOLVED | IGNORED`; acknowledging may be skipped, and what was closed by mistake may be
/// opened again.
fn allowed(from: FindingStatus, to: FindingStatus) -> bool {
    use FindingStatus as S;
    matches!(
        (from, to),
        (S::Open, S::Acknowledged | S::Resolved | S::Ignored)
            | (S::Acknowledged, S::Resolved | S::Ignored)
            | (S::Resolved | S::Ignored, S::Open)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_moves_forward_or_is_opened_again() {
        use FindingStatus::{Acknowledged, Ignored, Open, Resolved};
        for (from, to, expected) in [
            (Open, Acknowledged, true),
            (Open, Resolved, true),
            (Acknowledged, Ignored, true),
            (Acknowledged, Open, false),
            (Resolved, Ignored, false),
            (Ignored, Acknowledged, false),
            (Ignored, Open, true),
            (Resolved, Open, true),
        ] {
            assert_eq!(allowed(from, to), expected, "{from} → {to}");
        }
    }
}

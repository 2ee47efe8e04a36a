//! Working on a finding: who has it, what is said of it, and its timeline.

use mizan_core::{FindingId, StaffId, Timestamp};
use mizan_store::finding_events::{FindingEvent, FindingEventKind};
use mizan_store::findings::StoredFinding;
use mizan_store::{Page, Paged, StoreError, Tx};

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result};

/// One line of a timeline, before it has a time and a teller.
pub(crate) struct Told {
    pub kind: FindingEventKind,
    pub from: Option<String>,
    pub to: Option<String>,
    pub text: Option<String>,
}

/// Writes a line of a finding's timeline.
pub(crate) async fn tell(
    tx: &mut dyn Tx,
    caller: &Caller,
    finding: FindingId,
    told: Told,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.append_finding_event(&FindingEvent {
        id: 0,
        finding,
        kind: told.kind,
        actor: caller.actor.to_string(),
        from: told.from,
        to: told.to,
        text: told.text,
        at: now,
    })
    .await
}

/// Gives a finding to a member of staff, or to nobody.
pub async fn assign(app: &App, caller: &Caller, id: FindingId, to: Option<StaffId>) -> Result<StoredFinding> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let mut finding = tx.lock_finding(id).await?.ok_or(FlowError::NotFound("finding"))?;
    if finding.assigned_to == to {
        return Ok(finding);
    }
    if let Some(id) = to {
        let staff = tx.staff(id).await?.ok_or(FlowError::NotFound("staff member"))?;
        if staff.disabled_at.is_some() {
            return Err(FlowError::invalid("staff_id", "this member of staff is disabled"));
        }
    }
    let name = |it: Option<StaffId>| it.map(|it| format!("staff:{it}"));
    let (from, to_name) = (name(finding.assigned_to), name(to));
    finding.assigned_to = to;
    finding.updated_at = now;
    tx.update_finding(&finding).await?;
    let told = Told {
        kind: FindingEventKind::Assignment,
        from: from.clone(),
        to: to_name.clone(),
        text: None,
    };
    tell(&mut *tx, caller, id, told, now).await?;
    let change = Change {
        action: "finding.assign",
        subject_type: "finding",
        subject_id: id.to_string(),
        from,
        to: to_name,
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    tx.commit().await?;
    Ok(finding)
}

/// Says something about a finding. Comments are kept as they are.
pub async fn comment(app: &App, caller: &Caller, id: FindingId, text: &str) -> Result<()> {
    let text = text.trim();
    if text.is_empty() || text.len() > 4_000 {
        return Err(FlowError::invalid("text", "use 1 to 4000 bytes"));
    }
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    tx.finding(id).await?.ok_or(FlowError::NotFound("finding"))?;
    let told = Told {
        kind: FindingEventKind::Comment,
        from: None,
        to: None,
        text: Some(text.to_owned()),
    };
    tell(&mut *tx, caller, id, told, now).await?;
    Ok(tx.commit().await?)
}

/// What was said and done about a finding, newest first.
pub async fn timeline(
    app: &App,
    caller: &Caller,
    id: FindingId,
    page: &Page<i64>,
) -> Result<Paged<FindingEvent, i64>> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.finding(id).await?.ok_or(FlowError::NotFound("finding"))?;
    Ok(tx.finding_events(id, page).await?)
}

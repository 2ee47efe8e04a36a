//! The rollout flags as they hold for a tenant, with their source.

use mizan_payments::rollout::{self, Effective, Flag};
use mizan_store::flags::FlagOverride;

use crate::audit::{self, Change};
use crate::{App, Caller, FlowError, Result};

/// The effective value and source of every flag.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Effective>> {
    let mut tx = app.store.read(caller.tenant).await?;
    let overrides = tx.flag_overrides().await?;
    Ok(Flag::ALL
        .into_iter()
        .map(|flag| effective(app, flag, &overrides))
        .collect())
}

fn effective(app: &App, flag: Flag, overrides: &[FlagOverride]) -> Effective {
    let tenant = overrides.iter().find(|it| it.flag == flag).map(|it| it.value);
    rollout::effective(app.settings.flag(flag), tenant)
}

/// Overrides a flag for the tenant.
pub async fn set(app: &App, caller: &Caller, flag: Flag, value: bool, reason: &str) -> Result<Effective> {
    let reason = reason.trim();
    if !(3..=500).contains(&reason.len()) {
        return Err(FlowError::invalid("reason", "say why, in 3 to 500 bytes"));
    }
    rollout::check_override(app.settings.flag(flag), value)?;
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let before = effective(app, flag, &tx.flag_overrides().await?);
    let row = FlagOverride {
        flag,
        value,
        reason: reason.to_owned(),
        set_by: caller.actor.to_string(),
        set_at: now,
    };
    tx.set_flag_override(&row).await?;
    let change = Change {
        action: "flag.set",
        subject_type: "flag",
        subject_id: flag.to_string(),
        from: Some(before.value.to_string()),
        to: Some(value.to_string()),
        reason: Some(reason.to_owned()),
        details: None,
    };
    audit::write(&mut *tx, caller, now, change).await?;
    let after = effective(app, flag, &tx.flag_overrides().await?);
    tx.commit().await?;
    Ok(after)
}

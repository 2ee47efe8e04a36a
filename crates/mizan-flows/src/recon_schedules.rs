//! Schedules: runs that are made by the clock. Every worker looks; the first one makes the run.

mod calendar;

use chrono::TimeDelta;
use mizan_core::{ProviderKey, TenantId};
use mizan_store::recon_schedules::ReconSchedule;

use self::calendar::Calendar;
use crate::audit::{self, Change};
use crate::recon_runs::{self, Executor, NewRun};
use crate::retry::retrying;
use crate::{App, Caller, FlowError, Result};

/// The longest settlement lag, in seconds: 30 days.
const LONGEST_LAG: i32 = 30 * 86_400;
/// The most windows that are caught up.
const MOST_CATCH_UP: i32 = 100;
/// A schedule that cannot be followed is looked at again after this long.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    pub provider: ProviderKey,
    pub cron: String,
    pub time_zone: String,
    pub settlement_lag_s: i32,
    pub catch_up: i32,
}

/// By provider.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<ReconSchedule>> {
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.schedules().await?)
}

/// Sets the schedule of a provider. The first window is the one that is open now; what was before is for runs
/// that people ask for. A schedule whose cron and time zone stay goes on where it is.
pub async fn put(app: &App, caller: &Caller, new: &NewSchedule) -> Result<ReconSchedule> {
    if !(0..=LONGEST_LAG).contains(&new.settlement_lag_s) {
        return Err(FlowError::invalid(
            "settlement_lag_s",
            format!("use 0 to {LONGEST_LAG} seconds"),
        ));
    }
    if !(1..=MOST_CATCH_UP).contains(&new.catch_up) {
        return Err(FlowError::invalid(
            "catch_up",
            format!("use 1 to {MOST_CATCH_UP} windows"),
        ));
    }
    let calendar = Calendar::parse(&new.cron, &new.time_zone)?;
    retrying("recon_schedule.put", || put_once(app, caller, new, &calendar)).await
}

async fn put_once(
    app: &App,
    caller: &Caller,
    new: &NewSchedule,
    calendar: &Calendar,
) -> Result<ReconSchedule> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    app.provider(&mut *tx, &new.provider).await?;
    let before = tx.lock_schedule(&new.provider).await?;
    let same = |it: &&ReconSchedule| it.cron == new.cron && it.time_zone == new.time_zone;
    let done_until = match before.as_ref().filter(same) {
        Some(known) => known.done_until,
        None => calendar.last(now)?,
    };
    let lag = TimeDelta::seconds(i64::from(new.settlement_lag_s));
    let schedule = ReconSchedule {
        provider: new.provider.clone(),
        cron: new.cron.clone(),
        time_zone: new.time_zone.clone(),
        settlement_lag_s: new.settlement_lag_s,
        catch_up: new.catch_up,
        done_until,
        next_due_at: calendar.next(done_until)? + lag.max(app.recon.settlement_lag(&new.provider)),
        created_by: before
            .as_ref()
            .map_or_else(|| caller.actor.to_string(), |it| it.created_by.clone()),
        created_at: before.as_ref().map_or(now, |it| it.created_at),
        updated_at: now,
    };
    tx.put_schedule(&schedule).await?;
    let change = Change {
        action: "recon_schedule.put",
        subject_type: "recon_schedule",
        subject_id: new.provider.to_string(),
        from: before.as_ref().map(described),
        to: Some(described(&schedule)),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    tx.commit().await?;
    Ok(schedule)
}

fn described(it: &ReconSchedule) -> String {
    format!("{} {} lag {} s", it.cron, it.time_zone, it.settlement_lag_s)
}

pub async fn delete(app: &App, caller: &Caller, provider: &ProviderKey) -> Result<()> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let before = tx
        .lock_schedule(provider)
        .await?
        .ok_or(FlowError::NotFound("schedule"))?;
    tx.delete_schedule(provider).await?;
    let change = Change {
        action: "recon_schedule.delete",
        subject_type: "recon_schedule",
        subject_id: provider.to_string(),
        from: Some(described(&before)),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    Ok(tx.commit().await?)
}

/// Makes the runs that are due, of all tenants; returns how many. Any number of processes may do this: the row
/// of the schedule is locked, and a run's key is its window.
pub async fn make_due(app: &App) -> Result<usize> {
    let mut platform = app.store.platform().await?;
    let due = platform.due_schedules(app.now()).await?;
    platform.rollback().await?;
    let mut made = 0;
    for (tenant, provider) in due {
        match retrying("recon_schedule.make", || make_one(app, tenant, &provider)).await {
            Ok(count) => made += count,
            Err(error @ FlowError::Store(_)) => return Err(error),
            Err(error) => {
                metrics::counter!("mizan_recon_schedule_failed_total").increment(1);
                tracing::error!(provider = %provider, error = &error as &dyn std::error::Error,
                    "a schedule cannot be followed; it is tried again in {} minutes", AGAIN.num_minutes());
                put_off(app, tenant, &provider).await?;
            }
        }
    }
    if made > 0 {
        app.job_bell.notify_one();
    }
    Ok(made)
}

async fn make_one(app: &App, tenant: TenantId, provider: &ProviderKey) -> Result<usize> {
    let (now, caller) = (app.now(), Caller::system(tenant, "schedule", None));
    let mut tx = app.store.begin(tenant).await?;
    let Some(mut schedule) = tx
        .lock_schedule(provider)
        .await?
        .filter(|it| it.next_due_at <= now)
    else {
        return Ok(0); // another was first
    };
    let calendar = Calendar::parse(&schedule.cron, &schedule.time_zone)?;
    // The provider's rules may say that its statement is complete only later.
    let lag =
        TimeDelta::seconds(i64::from(schedule.settlement_lag_s)).max(app.recon.settlement_lag(provider));
    let catch_up = usize::try_from(schedule.catch_up).unwrap_or(1);
    let due = calendar.due(schedule.done_until, now, lag, catch_up)?;
    if let (Some(first), Some(last)) = (due.skipped.first(), due.skipped.last()) {
        metrics::counter!("mizan_recon_windows_skipped_total").increment(due.skipped.len() as u64);
        tracing::error!(event = "recon.windows_skipped", %provider, windows = due.skipped.len(),
            from = %first.start(), to = %last.end(), catch_up,
            "windows were missed and get no run; ask for them by hand");
    }
    for window in &due.windows {
        let new = NewRun {
            provider: provider.clone(),
            window: *window,
            dry_run: false,
            idempotency_key: Some(format!(
                "schedule:{}/{}",
                window.start().timestamp(),
                window.end().timestamp()
            )),
            statement: None,
            bank_statement: None,
        };
        let run = recon_runs::insert(app, &mut *tx, &caller, &new, Executor::Worker).await?;
        tracing::info!(event = "recon.scheduled", run_id = %run.id, %provider, window = %window, "a run was made by schedule");
    }
    (schedule.done_until, schedule.next_due_at) = (due.done_until, due.next_due_at);
    schedule.updated_at = now;
    tx.put_schedule(&schedule).await?;
    tx.commit().await?;
    Ok(due.windows.len())
}

async fn put_off(app: &App, tenant: TenantId, provider: &ProviderKey) -> Result<()> {
    let mut tx = app.store.begin(tenant).await?;
    if let Some(mut schedule) = tx.lock_schedule(provider).await? {
        schedule.next_due_at = app.now() + AGAIN;
        tx.put_schedule(&schedule).await?;
        tx.commit().await?;
    }
    Ok(())
}

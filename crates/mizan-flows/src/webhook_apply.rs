//! Applying a stored event: translate, decide, write. Right under any order and any repetition.
//!
//! An event that is ahead of what it depends on is parked: it is tried again when its subject moves, and now
//! and then in between. An event that can never be applied is kept with its reason, counted, and where money
//! is concerned it becomes a finding.

mod deposit;
mod payout;
pub mod together;

use chrono::TimeDelta;
use mizan_core::{Timestamp, TransactionId, WebhookEventId};
use mizan_ledger::{Account, NewTransaction};
use mizan_payments::event::{EventKind, ProviderEvent};
use mizan_payments::provider::RawEvent;
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::Tx;
use mizan_store::findings::{StoredFinding, Subject};
use mizan_store::webhooks::{EventState, Signature, WebhookEvent};

use crate::jobs::JobOutcome;
use crate::posting::post_one;
use crate::retry::retrying;
use crate::{App, Caller, FlowError, Result, webhook_intake};

/// How long a parked event is tried again before it is given up.
const PATIENCE: TimeDelta = TimeDelta::days(7);

/// The money of an event, posted when everything else is written.
pub(crate) struct Posting {
    pub accounts: Vec<Account>,
    pub transaction: NewTransaction,
}

/// What an event did.
#[derive(Debug)]
pub(crate) enum Applied {
    Done,
    /// Nothing is to be done, and why.
    Ignored(&'static str),
    /// Waits for this subject.
    Parked(String),
    /// Can never be applied, and why.
    Failed(String),
}

/// The job: applies one stored event.
pub async fn apply(app: &App, caller: &Caller, id: WebhookEventId, attempt: i32) -> Result<JobOutcome> {
    retrying("webhook.apply", || once(app, caller, id, attempt)).await
}

async fn once(app: &App, caller: &Caller, id: WebhookEventId, attempt: i32) -> Result<JobOutcome> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let mut row = tx
        .lock_webhook(id)
        .await?
        .ok_or(FlowError::NotFound("webhook event"))?;
    if matches!(
        row.state,
        EventState::Applied | EventState::Ignored | EventState::Failed
    ) {
        return Ok(JobOutcome::Done);
    }
    row.attempts = row.attempts.saturating_add(1);
    let mut posting = None;
    let applied = translate_and_apply(app, &mut *tx, caller, &row, now, &mut posting).await?;
    let outcome = record(&mut row, &applied, now, attempt);
    if let (Applied::Failed(_), EventState::Failed) = (&applied, row.state) {
        tracing::error!(provider = %row.provider, event = row.provider_event_id, error = row.error, "event failed");
    }
    tx.update_webhook(&row).await?;
    // Last: from here on every other deposit of the provider waits for the clearing account.
    if let Some(Posting {
        accounts,
        transaction,
    }) = posting
    {
        let accounts: Vec<_> = accounts.iter().collect();
        post_one(&mut *tx, &accounts, transaction, now).await?;
    }
    tx.commit().await?;
    metrics::counter!("mizan_webhook_applied_total", "provider" => row.provider.to_string(), "state" => row.state.as_str())
        .increment(1);
    app.job_bell.notify_one();
    Ok(outcome)
}

fn record(row: &mut WebhookEvent, applied: &Applied, now: Timestamp, attempt: i32) -> JobOutcome {
    row.parked_on = None;
    row.error = None;
    match applied {
        Applied::Done => {
            row.state = EventState::Applied;
            row.applied_at = Some(now);
        }
        Applied::Ignored(why) => {
            row.state = EventState::Ignored;
            row.error = Some((*why).to_owned());
        }
        Applied::Failed(why) => {
            row.state = EventState::Failed;
            row.error = Some(why.clone());
        }
        Applied::Parked(on) if now - row.received_at > PATIENCE => {
            row.state = EventState::Failed;
            row.error = Some(format!("{on} never came"));
        }
        Applied::Parked(on) => {
            row.state = EventState::Parked;
            row.parked_on = Some(on.clone());
            return JobOutcome::Again {
                after: pause(attempt),
            };
        }
    }
    JobOutcome::Done
}

/// One second, doubling, ten minutes at the most.
fn pause(attempt: i32) -> TimeDelta {
    TimeDelta::seconds(1_i64 << attempt.clamp(1, 10).saturating_sub(1)).min(TimeDelta::minutes(10))
}

async fn translate_and_apply(
    app: &App,
    tx: &mut dyn Tx,
    caller: &Caller,
    row: &WebhookEvent,
    now: Timestamp,
    posting: &mut Option<Posting>,
) -> Result<Applied> {
    let (connection, adapter) = app.provider(tx, &row.provider).await?;
    if row.signature == Signature::Unverified && !webhook_intake::may_go_unverified(app, &connection) {
        return Ok(Applied::Ignored("the event was never verified"));
    }
    let raw = RawEvent {
        event_id: row.provider_event_id.clone(),
        event_type: row.event_type.clone(),
        body: row.body.clone(),
    };
    let event = match adapter.translate(&raw, row.received_at) {
        Ok(event) => event,
        Err(error) => return Ok(Applied::Failed(error.to_string())),
    };
    if let Some(tenant) = &event.tenant
        && *tenant != tx.own_tenant().await?.key
    {
        return Ok(Applied::Failed(
            "the event names another tenant than the connection's".into(),
        ));
    }
    if tx.effect(&row.provider, &event.event_id).await?.is_some() {
        return Ok(Applied::Ignored("the event had its effect already"));
    }
    match event.kind {
        EventKind::DepositAuthorized
        | EventKind::DepositCaptured
        | EventKind::DepositFailed
        | EventKind::DepositRefunded
        | EventKind::DepositChargedBack => deposit::apply(tx, caller, row, &event, now, posting).await,
        EventKind::WithdrawPaid | EventKind::WithdrawFailed => {
            payout::apply(tx, caller, row, &event, now).await
        }
        EventKind::SettlementAvailable => Ok(Applied::Ignored("settlements are read by reconciliation")),
        EventKind::Unknown => Ok(Applied::Ignored("events of this kind are not acted on")),
    }
}

/// A disagreement that an event brought to light, for people to work on.
pub(crate) struct Concern<'a> {
    pub finding_type: FindingType,
    pub severity: Severity,
    pub why: &'a str,
    pub ledger_amount: Option<i64>,
    pub transaction: Option<TransactionId>,
}

/// Keeps a finding that no run has found: the event itself is the proof.
pub(crate) async fn raise(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    concern: Concern<'_>,
    now: Timestamp,
) -> Result<()> {
    let details = serde_json::json!({
        "why": { "rule": "webhook", "detail": concern.why },
        "event": {
            "id": event.event_id, "kind": event.kind.as_str(), "provider_ref": event.provider_ref,
            "amount": event.amount.major(), "currency": event.amount.currency.code(),
            "withdrawal_id": event.withdrawal, "player_id": event.player,
        },
        "webhook_event_id": row.id,
    });
    let subject = Subject {
        provider: row.provider.clone(),
        provider_event_id: event.event_id.clone(),
        provider_ref: Some(event.provider_ref.clone()),
        finding_type: concern.finding_type,
        severity: concern.severity,
        run: None,
    };
    let finding = StoredFinding {
        currency: Some(event.amount.currency),
        statement_amount: Some(event.amount.minor),
        ledger_amount: concern.ledger_amount,
        transaction: concern.transaction,
        occurred_at: Some(event.occurred_at),
        ..StoredFinding::open(subject, details.to_string(), now)
    };
    tx.upsert_findings(&[finding]).await?;
    metrics::counter!("mizan_webhook_findings_total", "provider" => row.provider.to_string(),
        "finding_type" => concern.finding_type.as_str())
    .increment(1);
    tracing::warn!(provider = %row.provider, event = event.event_id, why = concern.why, "event became a finding");
    Ok(())
}

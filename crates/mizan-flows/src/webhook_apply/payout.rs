//! Events about a payout. A success that comes too late becomes a finding, never a silent double spend.

use mizan_core::Timestamp;
use mizan_payments::event::{EventKind, ProviderEvent};
use mizan_payments::payout::{Attempt, AttemptState};
use mizan_payments::withdrawal::{Withdrawal, WithdrawalState, may_still_be_paid_out};
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::Tx;
use mizan_store::webhooks::WebhookEvent;

use super::{Applied, Concern, raise};
use crate::{Caller, Result, payouts, withdrawals};

pub(super) async fn apply(
    tx: &mut dyn Tx,
    caller: &Caller,
    row: &WebhookEvent,
    event: &ProviderEvent,
    now: Timestamp,
) -> Result<Applied> {
    let Some(id) = event.withdrawal else {
        return Ok(Applied::Failed("tx_id: the event names no withdrawal".into()));
    };
    let Some(mut withdrawal) = tx.lock_withdrawal(id).await? else {
        return Ok(Applied::Failed("tx_id: there is no such withdrawal".into()));
    };
    if event.amount != withdrawal.amount {
        let finding_type = if event.amount.currency == withdrawal.amount.currency {
            FindingType::AmountMismatch
        } else {
            FindingType::CurrencyMismatch
        };
        let why = format!(
            "the payout is {}, the withdrawal {}",
            event.amount, withdrawal.amount
        );
        concern(tx, row, event, &withdrawal, finding_type, &why, now).await?;
        return Ok(Applied::Failed(why));
    }
    let attempts = tx.attempts(id).await?;
    let meant = attempts
        .iter()
        .find(|it| it.provider_ref.as_deref() == Some(event.provider_ref.as_str()));
    let open = attempts.iter().find(|it| it.state == AttemptState::Open);
    let attempt = meant.or(open.filter(|it| it.provider_ref.is_none()));
    match attempt {
        Some(attempt) if attempt.state == AttemptState::Open && attempt.provider == row.provider => {
            settle(tx, caller, &mut withdrawal, attempt.clone(), event, now).await
        }
        Some(attempt) if attempt.state == AttemptState::Open => Ok(Applied::Failed(
            "the open attempt is with another provider".into(),
        )),
        closed => too_late(tx, row, event, &withdrawal, closed, attempts.is_empty(), now).await,
    }
}

async fn settle(
    tx: &mut dyn Tx,
    caller: &Caller,
    withdrawal: &mut Withdrawal,
    mut attempt: Attempt,
    event: &ProviderEvent,
    now: Timestamp,
) -> Result<Applied> {
    attempt.provider_ref = Some(event.provider_ref.clone());
    if event.kind == EventKind::WithdrawPaid {
        let at = event.occurred_at;
        payouts::confirm_paid(tx, caller, withdrawal, attempt, &event.event_id, at, now).await?;
    } else {
        payouts::confirm_failed(tx, caller, withdrawal, attempt, "the provider said so", now).await?;
    }
    Ok(Applied::Done)
}

/// No open attempt is meant: a repetition, an event that came before its payout, or one that contradicts
/// what was settled.
async fn too_late(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    withdrawal: &Withdrawal,
    closed: Option<&Attempt>,
    never_tried: bool,
    now: Timestamp,
) -> Result<Applied> {
    let paid = event.kind == EventKind::WithdrawPaid;
    let agrees = match closed.map(|it| it.state) {
        Some(AttemptState::Paid) => paid,
        Some(AttemptState::Failed) => !paid,
        Some(AttemptState::Open) | None => false,
    };
    if agrees {
        return Ok(Applied::Ignored("the attempt was settled like this already"));
    }
    if never_tried && may_still_be_paid_out(withdrawal.state) {
        return Ok(Applied::Parked(withdrawals::parked_on(withdrawal.id)));
    }
    if !paid && withdrawal.state != WithdrawalState::Paid {
        return Ok(Applied::Ignored("nothing was paid and nothing is under way"));
    }
    let why = format!(
        "the provider says {} of a withdrawal that is {}{}",
        event.kind,
        withdrawal.state,
        closed.map_or(String::new(), |it| format!(
            "; attempt {} is {}",
            it.number, it.state
        )),
    );
    concern(tx, row, event, withdrawal, FindingType::StatusMismatch, &why, now).await?;
    Ok(Applied::Failed(why))
}

async fn concern(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    withdrawal: &Withdrawal,
    finding_type: FindingType,
    why: &str,
    now: Timestamp,
) -> Result<()> {
    let concern = Concern {
        finding_type,
        severity: Severity::Critical,
        why,
        ledger_amount: Some(withdrawal.amount.minor),
        transaction: None,
    };
    raise(tx, row, event, concern, now).await
}

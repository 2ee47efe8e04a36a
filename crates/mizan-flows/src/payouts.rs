//! Payouts through a provider: store the attempt and its key, then ask; what comes back settles it.
//!
//! The provider is asked by a job, never inside a transaction. An answer that was lost is no answer: the hold
//! stays, and a status query with the same key finds out.

use chrono::TimeDelta;
use mizan_core::{AttemptId, Job, ProviderKey, Timestamp, WithdrawalId};
use mizan_payments::payout::{Attempt, AttemptState};
use mizan_payments::provider::{PayoutReply, PayoutRequest, Provider};
use mizan_payments::withdrawal::{self, Command, Step, Withdrawal, WithdrawalState};
use mizan_store::Tx;
use mizan_store::effects::{EffectKind, ProviderEffect};
use mizan_store::outbox::NewJob;

use crate::jobs::JobOutcome;
use crate::retry::retrying;
use crate::views::WithdrawalView;
use crate::{App, Caller, FlowError, Keyed, Reply, Result, withdrawals};

/// How long until a payout that was taken is asked after, if no event came.
const ACCEPTED_PAUSE: TimeDelta = TimeDelta::seconds(60);
/// How long until a payout whose answer was lost is asked after.
const UNKNOWN_PAUSE: TimeDelta = TimeDelta::milliseconds(500);

/// Starts a payout: the first one, or a new attempt after a failure. Without a provider, the withdrawal's
/// own or the tenant's only one is used.
pub async fn start(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    id: WithdrawalId,
    provider: Option<&ProviderKey>,
) -> Result<Reply> {
    retrying("payout.start", || start_once(app, caller, key, id, provider)).await
}

async fn start_once(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    id: WithdrawalId,
    provider: Option<&ProviderKey>,
) -> Result<Reply> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    if let Some(reply) = key.claim(&mut *tx, now).await? {
        return Ok(reply);
    }
    let mut withdrawal = withdrawals::lock(&mut *tx, caller, id).await?;
    if let Step::Move { to, effect } = withdrawal::decide(withdrawal.state, Command::StartPayout)? {
        let provider = choose(app, &mut *tx, &withdrawal, provider).await?;
        let number = i32::try_from(tx.attempts(id).await?.len())
            .unwrap_or(i32::MAX)
            .saturating_add(1);
        let attempt_id = AttemptId::new();
        let attempt = Attempt {
            id: attempt_id,
            withdrawal: id,
            number,
            provider: provider.clone(),
            provider_key: attempt_id.provider_key(),
            provider_ref: None,
            state: AttemptState::Open,
            error: None,
            created_at: now,
            updated_at: now,
        };
        if !tx.insert_attempt(&attempt).await? {
            return Err(FlowError::Taken("payout attempt"));
        }
        withdrawal.provider = Some(provider);
        withdrawals::apply(&mut *tx, caller, &mut withdrawal, to, effect, None, now).await?;
        let job = Job::ExecutePayout { withdrawal: id };
        let request_id = caller.request_id.clone();
        tx.enqueue(&NewJob {
            job,
            run_at: now,
            request_id,
            created_at: now,
        })
        .await?;
    }
    let reply = key
        .keep(&mut *tx, Reply::made(200, &WithdrawalView::from(&withdrawal)))
        .await?;
    tx.commit().await?;
    app.job_bell.notify_one();
    Ok(reply)
}

async fn choose(
    app: &App,
    tx: &mut dyn Tx,
    withdrawal: &Withdrawal,
    wanted: Option<&ProviderKey>,
) -> Result<ProviderKey> {
    if let Some(wanted) = wanted.or(withdrawal.provider.as_ref()) {
        let (connection, _) = app.provider(tx, wanted).await?;
        return Ok(connection.provider);
    }
    let mut all = tx.connections().await?;
    match all.len() {
        1 => Ok(all.remove(0).provider),
        _ => Err(FlowError::invalid(
            "provider",
            "several providers are set up: name one",
        )),
    }
}

/// The attempts of a withdrawal.
pub async fn attempts(app: &App, caller: &Caller, id: WithdrawalId) -> Result<Vec<Attempt>> {
    let mut tx = app.store.read(caller.tenant).await?;
    tx.withdrawal(id)
        .await?
        .ok_or(FlowError::NotFound("withdrawal"))?;
    Ok(tx.attempts(id).await?)
}

/// The job: asks the provider to pay the open attempt, or what became of it, and settles the answer.
pub async fn execute(app: &App, caller: &Caller, id: WithdrawalId) -> Result<JobOutcome> {
    let mut tx = app.store.read(caller.tenant).await?;
    let withdrawal = tx
        .withdrawal(id)
        .await?
        .ok_or(FlowError::NotFound("withdrawal"))?;
    let Some(attempt) = tx.open_attempt(id).await? else {
        return Ok(JobOutcome::Done);
    };
    let (_, provider) = app.provider(&mut *tx, &attempt.provider).await?;
    let tenant = tx.own_tenant().await?.key.to_string();
    tx.rollback().await?;

    let request = PayoutRequest {
        key: attempt.provider_key.clone(),
        amount: withdrawal.amount,
        method: withdrawal.method.clone(),
        address: withdrawal.address.clone(),
        withdrawal: withdrawal.id.to_string(),
        player: withdrawal.player.to_string(),
        tenant,
    };
    let reply = ask(&*provider, &withdrawal, &attempt, &request).await?;
    let outcome = retrying("payout.settle", || settle(app, caller, &attempt, &reply)).await?;
    Ok(outcome)
}

/// Asks after a payout that may be under way; pays only what was never asked, or what the provider swears it
/// has never heard of.
async fn ask(
    provider: &dyn Provider,
    withdrawal: &Withdrawal,
    attempt: &Attempt,
    request: &PayoutRequest,
) -> Result<PayoutReply> {
    let asked_before = withdrawal.state == WithdrawalState::PayoutUnknown || attempt.provider_ref.is_some();
    if asked_before {
        match provider.payout_status(&attempt.provider_key).await? {
            PayoutReply::NotFound => {}
            reply => return Ok(reply),
        }
    }
    Ok(provider.pay(request).await)
}

async fn settle(app: &App, caller: &Caller, asked: &Attempt, reply: &PayoutReply) -> Result<JobOutcome> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    let mut withdrawal = withdrawals::lock(&mut *tx, caller, asked.withdrawal).await?;
    let open = tx
        .open_attempt(asked.withdrawal)
        .await?
        .filter(|it| it.id == asked.id);
    let Some(mut attempt) = open else {
        return Ok(JobOutcome::Done); // an event or another worker settled it meanwhile
    };
    attempt.updated_at = now;
    let outcome = match reply {
        PayoutReply::Accepted { provider_ref } => {
            attempt.provider_ref = Some(provider_ref.clone());
            tx.update_attempt(&attempt).await?;
            JobOutcome::Again {
                after: ACCEPTED_PAUSE,
            }
        }
        PayoutReply::Paid {
            provider_ref,
            event_id,
            at,
        } => {
            attempt.provider_ref = Some(provider_ref.clone());
            confirm_paid(&mut *tx, caller, &mut withdrawal, attempt, event_id, *at, now).await?;
            JobOutcome::Done
        }
        PayoutReply::Failed { provider_ref, reason } => {
            attempt.provider_ref.clone_from(provider_ref);
            confirm_failed(&mut *tx, caller, &mut withdrawal, attempt, reason, now).await?;
            JobOutcome::Done
        }
        PayoutReply::Unknown { reason } => {
            lose_sight(&mut *tx, caller, &mut withdrawal, attempt, reason, now).await?;
            JobOutcome::Again { after: UNKNOWN_PAUSE }
        }
        PayoutReply::NotFound => JobOutcome::Again { after: UNKNOWN_PAUSE },
    };
    tx.commit().await?;
    Ok(outcome)
}

/// Ends an attempt and its withdrawal as paid, with the provider's event as the one effect.
/// The withdrawal is locked and the attempt is its open one.
pub(crate) async fn confirm_paid(
    tx: &mut dyn Tx,
    caller: &Caller,
    withdrawal: &mut Withdrawal,
    mut attempt: Attempt,
    event_id: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let Step::Move { to, effect } = withdrawal::decide(withdrawal.state, Command::ConfirmPaid)? else {
        return Ok(());
    };
    let record = ProviderEffect {
        provider: attempt.provider.clone(),
        provider_event_id: event_id.to_owned(),
        provider_ref: attempt.provider_ref.clone(),
        kind: EffectKind::Withdraw,
        amount: withdrawal.amount,
        occurred_at: at,
        transaction: mizan_core::TransactionId::of_effect(
            withdrawal.id.0,
            withdrawal::Effect::PaidByProvider.name(),
        ),
        created_at: now,
    };
    if !tx.insert_effect(&record).await? {
        return Err(FlowError::Taken("provider event"));
    }
    attempt.state = AttemptState::Paid;
    attempt.error = None;
    attempt.updated_at = now;
    tx.update_attempt(&attempt).await?;
    withdrawals::apply(tx, caller, withdrawal, to, effect, None, now).await
}

/// Ends an attempt as failed for certain. The hold stays until people decide.
pub(crate) async fn confirm_failed(
    tx: &mut dyn Tx,
    caller: &Caller,
    withdrawal: &mut Withdrawal,
    mut attempt: Attempt,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let Step::Move { to, effect } = withdrawal::decide(withdrawal.state, Command::ConfirmFailed)? else {
        return Ok(());
    };
    attempt.state = AttemptState::Failed;
    let reason = cut(reason);
    attempt.error = Some(reason.clone());
    attempt.updated_at = now;
    tx.update_attempt(&attempt).await?;
    withdrawals::apply(tx, caller, withdrawal, to, effect, Some(&reason), now).await
}

async fn lose_sight(
    tx: &mut dyn Tx,
    caller: &Caller,
    withdrawal: &mut Withdrawal,
    mut attempt: Attempt,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let reason = cut(reason);
    attempt.error = Some(reason.clone());
    tx.update_attempt(&attempt).await?;
    if let Step::Move { to, effect } = withdrawal::decide(withdrawal.state, Command::LoseSight)? {
        metrics::counter!("mizan_payouts_unknown_total", "provider" => attempt.provider.to_string())
            .increment(1);
        tracing::warn!(withdrawal = %withdrawal.id, provider = %attempt.provider, reason, "payout unknown");
        withdrawals::apply(tx, caller, withdrawal, to, effect, Some(&reason), now).await?;
    }
    Ok(())
}

fn cut(reason: &str) -> String {
    reason.chars().take(300).collect()
}

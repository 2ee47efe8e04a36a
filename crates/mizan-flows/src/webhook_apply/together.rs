//! Many stored events in one database transaction.
//!
//! Only what is straightforward is done together: a deposit is authorized, fails or is captured, and nothing about
//! it is in dispute. Everything else is left for the story of one event, which decides the same things with the
//! same functions and takes all the care there is: what has to wait, what failed, what becomes a finding, and the
//! second event about a deposit in the same batch. So a bad event never harms its neighbours, and the number of
//! round trips does not grow with the number of events.

mod plan;
mod wallet;

use std::collections::{HashMap, HashSet};

use mizan_core::{Job, Timestamp, WebhookEventId};
use mizan_ledger::{NewTransaction, Verdict, posting::Group};
use mizan_store::outbox::{ClaimedJob, Held, NewJob};
use mizan_store::{StoreError, Tx};

use self::plan::Plan;
use super::{Applied, deposit, record};
use crate::posting::{self, Reads};
use crate::retry::retrying;
use crate::{App, Result};

/// What became of the jobs of a batch.
#[derive(Debug, Default)]
pub struct Together {
    /// How many were done, and ended.
    pub done: usize,
    /// How many of those had been taken over by another worker meanwhile: what it does finds nothing left to do.
    pub fenced: usize,
    /// Those that want the story of one event.
    pub left: Vec<ClaimedJob>,
}

/// Applies the events of jobs of one tenant and ends those jobs. Jobs of other kinds are left.
pub async fn apply(app: &App, jobs: Vec<ClaimedJob>) -> Together {
    let story = retrying("webhook.apply_together", || once(app, &jobs));
    match story.await {
        Ok((done, fenced)) => Together {
            done: done.len(),
            fenced,
            left: jobs.into_iter().filter(|it| !done.contains(&it.id)).collect(),
        },
        Err(error) => {
            metrics::counter!("mizan_webhook_batches_taken_apart_total", "step" => "apply").increment(1);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                jobs = jobs.len(),
                "a batch of events was not applied, each is applied alone"
            );
            Together {
                left: jobs,
                ..Together::default()
            }
        }
    }
}

/// The ids of the jobs that were done, and how many of them were held no more.
async fn once(app: &App, jobs: &[ClaimedJob]) -> Result<(HashSet<i64>, usize)> {
    let now = app.now();
    let wanted: HashMap<WebhookEventId, &ClaimedJob> = jobs
        .iter()
        .filter_map(|it| match it.job {
            Job::ApplyWebhook { event } => Some((event, it)),
            _ => None,
        })
        .collect();
    let Some(tenant) = wanted.values().next().map(|it| it.tenant) else {
        return Ok(Default::default());
    };
    let mut tx = app.store.begin(tenant).await?;
    let mut plans = plan::straightforward(app, &mut *tx, &wanted, now).await?;
    if plans.is_empty() {
        tx.rollback().await?;
        return Ok(Default::default());
    }
    let postings = capture(&mut *tx, &mut plans, now).await?;
    write(&mut *tx, &mut plans, &postings.effects, now).await?;
    let held: Vec<Held> = plans.iter().map(Plan::held).collect();
    if !postings.transactions.is_empty() {
        // Last: from here on every other deposit of the provider waits for the clearing account.
        post(&mut *tx, &postings, now).await?;
    }
    let ended = tx.end_done(&held, now).await?;
    tx.commit().await?;
    metrics::histogram!("mizan_webhook_apply_batch_size")
        .record(u32::try_from(plans.len()).unwrap_or(u32::MAX));
    for plan in &plans {
        metrics::counter!("mizan_webhook_applied_total", "provider" => plan.row.provider.to_string(), "state" => plan.row.state.as_str())
            .increment(1);
    }
    app.job_bell.notify_one();
    let fenced = held
        .len()
        .saturating_sub(usize::try_from(ended).unwrap_or(usize::MAX));
    Ok((held.iter().map(|it| it.id).collect(), fenced))
}

/// What the captures of a batch post.
#[derive(Default)]
struct Postings {
    accounts: posting::Accounts,
    transactions: Vec<NewTransaction>,
    effects: Vec<mizan_store::effects::ProviderEffect>,
}

/// Moves the deposits that are captured.
async fn capture(tx: &mut dyn Tx, plans: &mut [Plan<'_>], now: Timestamp) -> Result<Postings> {
    let mut postings = Postings::default();
    let wallets = wallet::of_captures(tx, plans, now).await?;
    for plan in plans.iter_mut().filter(|it| it.captures) {
        let (clearing, available) = wallets.of(plan)?;
        let transaction = deposit::captured(&plan.event, &mut plan.deposit, clearing, available, now);
        let kind = mizan_store::effects::EffectKind::Deposit;
        let effect = deposit::effect(&plan.row, &plan.event, kind, transaction.id, now);
        postings.effects.push(effect);
        for account in [clearing, available] {
            postings.accounts.insert(account.id, account.clone());
        }
        postings.transactions.push(transaction);
    }
    Ok(postings)
}

/// Writes everything but the money and the ends of the jobs.
async fn write(
    tx: &mut dyn Tx,
    plans: &mut [Plan<'_>],
    effects: &[mizan_store::effects::ProviderEffect],
    now: Timestamp,
) -> Result<()> {
    for plan in plans.iter_mut() {
        plan.deposit.updated_at = now;
        plan.row.attempts = plan.row.attempts.saturating_add(1);
        record(&mut plan.row, &Applied::Done, now, 1);
    }
    let (new, known): (Vec<_>, Vec<_>) = plans.iter().partition(|it| it.new);
    let mut new: Vec<_> = new.iter().map(|it| &it.deposit).collect();
    // Two batches that make the same deposits wait for each other in one order.
    new.sort_by(|a, b| (&a.provider, &a.provider_ref).cmp(&(&b.provider, &b.provider_ref)));
    if !new.is_empty() && tx.insert_deposits(&new).await? != new.len() as u64 {
        // A rival made one between the look and the insert: tell the story again.
        return Err(collision("deposit of the same reference"));
    }
    let known: Vec<_> = known.iter().map(|it| &it.deposit).collect();
    if !known.is_empty() {
        tx.update_deposits(&known).await?;
    }
    if !effects.is_empty() && tx.insert_effects(effects).await? != effects.len() as u64 {
        return Err(collision("effect of the same event"));
    }
    let audits: Vec<_> = plans
        .iter()
        .map(|it| deposit::moved(&it.caller(), &it.event, &it.deposit, it.from, now))
        .collect();
    tx.append_audits(&audits).await?;
    let rows: Vec<_> = plans.iter().map(|it| &it.row).collect();
    tx.update_webhooks(&rows).await?;
    wake(tx, plans, now).await
}

/// Queues the events that waited for the deposits of a batch.
async fn wake(tx: &mut dyn Tx, plans: &[Plan<'_>], now: Timestamp) -> Result<()> {
    let on: Vec<_> = plans.iter().map(|it| deposit::parked_on(&it.event)).collect();
    let jobs: Vec<_> = tx
        .parked_webhooks(&on)
        .await?
        .into_iter()
        .map(|event| NewJob {
            job: Job::ApplyWebhook { event },
            run_at: now,
            request_id: None,
            created_at: now,
        })
        .collect();
    if !jobs.is_empty() {
        tx.enqueue_all(&jobs).await?;
    }
    Ok(())
}

/// Posts all captures. One that is not posted now undoes the batch: its story alone finds out why.
async fn post(tx: &mut dyn Tx, postings: &Postings, now: Timestamp) -> Result<()> {
    let groups: Vec<_> = postings
        .transactions
        .iter()
        .map(|it| Group {
            transactions: vec![it.clone()],
            atomic: true,
        })
        .collect();
    let verdicts = posting::post(tx, &postings.accounts, &groups, Reads::Needed, now).await?;
    for verdict in verdicts.into_iter().flatten() {
        match verdict {
            Verdict::Posted(_) => {}
            Verdict::Refused(refusal) => return Err(refusal.into()),
            Verdict::Replayed => return Err(mizan_ledger::Refusal::IdConflict.into()),
        }
    }
    Ok(())
}

fn collision(what: &str) -> crate::FlowError {
    StoreError::Collision { what: what.into() }.into()
}

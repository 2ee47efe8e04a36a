//! Which events of a batch are straightforward, and what each does to its deposit.

use std::collections::{HashMap, HashSet};

use mizan_core::{Timestamp, WebhookEventId};
use mizan_payments::deposit::{self as rules, Deposit, DepositState, Step};
use mizan_payments::event::{EventKind, ProviderEvent};
use mizan_payments::provider::RawEvent;
use mizan_store::Tx;
use mizan_store::outbox::{ClaimedJob, Held};
use mizan_store::webhooks::{EventState, Signature, WebhookEvent};

use super::super::deposit;
use crate::{App, Caller, FlowError, Result};

/// One event and what it does.
pub(super) struct Plan<'a> {
    job: &'a ClaimedJob,
    pub row: WebhookEvent,
    pub event: ProviderEvent,
    pub deposit: Deposit,
    pub from: DepositState,
    /// Whether nobody had heard of the deposit before.
    pub new: bool,
    pub captures: bool,
}

impl Plan<'_> {
    pub fn held(&self) -> Held {
        Held {
            id: self.job.id,
            token: self.job.token,
        }
    }

    pub fn caller(&self) -> Caller {
        Caller::system(self.job.tenant, "worker", self.job.request_id.clone())
    }
}

/// An event that was read, and is not looked at closely yet.
struct Read<'a> {
    job: &'a ClaimedJob,
    row: WebhookEvent,
    event: ProviderEvent,
}

/// Locks the events and their deposits and answers what is straightforward, in order of arrival. The statements
/// are as many for one event as for a thousand.
pub(super) async fn straightforward<'a>(
    app: &App,
    tx: &mut dyn Tx,
    wanted: &HashMap<WebhookEventId, &'a ClaimedJob>,
    now: Timestamp,
) -> Result<Vec<Plan<'a>>> {
    let mut ids: Vec<_> = wanted.keys().copied().collect();
    ids.sort_unstable();
    let rows = tx.lock_webhooks(&ids).await?;
    let mut read = read(app, tx, wanted, rows).await?;
    if read.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<_> = read
        .iter()
        .map(|it| (it.row.provider.clone(), it.event.event_id.clone()))
        .collect();
    let had = tx.with_effect(&keys).await?;
    read.retain(|it| !had.contains(&(it.row.provider.clone(), it.event.event_id.clone())));

    let references: Vec<_> = read
        .iter()
        .map(|it| (it.row.provider.clone(), it.event.provider_ref.clone()))
        .collect();
    let mut known: HashMap<_, _> = tx
        .lock_deposits_by_ref(&references)
        .await?
        .into_iter()
        .map(|it| ((it.provider.clone(), it.provider_ref.clone()), it))
        .collect();
    let players: HashSet<_> = read.iter().filter_map(|it| it.event.player).collect();
    let players = tx.known_players(&players.into_iter().collect::<Vec<_>>()).await?;

    let mut plans = Vec::with_capacity(read.len());
    for it in read {
        let subject = (Some(it.row.provider.clone()), Some(it.event.provider_ref.clone()));
        let (found, new) = match known.remove(&subject) {
            Some(found) => (found, false),
            None => match it.event.player.filter(|it| players.contains(it)) {
                Some(player) => (deposit::first_heard_of(&it.row, &it.event, player, now), true),
                None => continue,
            },
        };
        plans.extend(decide(it, found, new));
    }
    Ok(plans)
}

/// What an event does, if it does something and nothing is in dispute.
fn decide(it: Read<'_>, mut found: Deposit, new: bool) -> Option<Plan<'_>> {
    if it.event.player.is_some_and(|player| player != found.player) {
        return None;
    }
    let from = found.state;
    let captures = match rules::decide(&found, it.event.kind, it.event.amount).ok()? {
        Step::Move(state) => {
            found.state = state;
            false
        }
        Step::Capture => true,
        Step::GiveBack { .. } | Step::Nothing | Step::Wait => return None,
    };
    Some(Plan {
        job: it.job,
        row: it.row,
        event: it.event,
        deposit: found,
        from,
        new,
        captures,
    })
}

/// Translates what may be done together. Of several events about one deposit the first is taken; the others are
/// told one by one after it.
async fn read<'a>(
    app: &App,
    tx: &mut dyn Tx,
    wanted: &HashMap<WebhookEventId, &'a ClaimedJob>,
    rows: Vec<WebhookEvent>,
) -> Result<Vec<Read<'a>>> {
    let mut adapters = HashMap::new();
    let own = tx.own_tenant().await?.key;
    let mut subjects = HashSet::new();
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        if row.state != EventState::Received || row.signature != Signature::Valid {
            continue;
        }
        let Some(job) = wanted.get(&row.id) else { continue };
        if !adapters.contains_key(&row.provider) {
            match app.provider(tx, &row.provider).await {
                Ok((_, adapter)) => adapters.insert(row.provider.clone(), adapter),
                // The event's own story says so; those of other providers are applied.
                Err(FlowError::UnsupportedProvider(_)) => continue,
                Err(error) => return Err(error),
            };
        }
        let Some(adapter) = adapters.get(&row.provider) else {
            continue;
        };
        let raw = RawEvent {
            event_id: row.provider_event_id.clone(),
            event_type: row.event_type.clone(),
            body: row.body.clone(),
        };
        let Ok(event) = adapter.translate(&raw, row.received_at) else {
            continue;
        };
        let first = subjects.insert((row.provider.clone(), event.provider_ref.clone()));
        let plain = matches!(
            event.kind,
            EventKind::DepositAuthorized | EventKind::DepositFailed | EventKind::DepositCaptured
        );
        let ours = event.tenant.as_ref().is_none_or(|it| *it == own);
        if first && plain && ours && event.amount.minor > 0 {
            taken.push(Read { job, row, event });
        }
    }
    Ok(taken)
}

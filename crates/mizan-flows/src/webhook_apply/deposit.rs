//! Events about a deposit: capture credits the wallet, refund and chargeback take back what is there.

use mizan_core::{DepositId, Job, Money, PlayerId, Timestamp, TransactionId};
use mizan_ledger::{Account, AccountKind, NewTransaction, PostingKind, Transfer};
use mizan_payments::deposit::{self, Deposit, DepositState, Step};
use mizan_payments::event::{EventKind, ProviderEvent};
use mizan_recon::finding::{FindingType, Severity};
use mizan_store::audit::AuditRow;
use mizan_store::effects::{EffectKind, ProviderEffect};
use mizan_store::outbox::NewJob;
use mizan_store::webhooks::WebhookEvent;
use mizan_store::{StoreError, Tx};

use super::{Applied, Concern, Posting, raise};
use crate::audit::{self, Change};
use crate::{Caller, Result, wallets};

/// What refunds wait for that came before their capture.
pub(super) fn parked_on(event: &ProviderEvent) -> String {
    format!("deposit:{}", event.provider_ref)
}

pub(super) async fn apply(
    tx: &mut dyn Tx,
    caller: &Caller,
    row: &WebhookEvent,
    event: &ProviderEvent,
    now: Timestamp,
    posting: &mut Option<Posting>,
) -> Result<Applied> {
    if event.amount.minor <= 0 {
        return Ok(Applied::Failed("amount: it must be positive".into()));
    }
    let mut deposit = match find_or_make(tx, row, event, now).await? {
        Ok(deposit) => deposit,
        Err(applied) => return Ok(applied),
    };
    if event.player.is_some_and(|it| it != deposit.player) {
        return Ok(Applied::Failed(deposit::Conflict::Player.to_string()));
    }
    let step = match deposit::decide(&deposit, event.kind, event.amount) {
        Ok(step) => step,
        Err(conflict) => {
            let why = conflict.to_string();
            let finding_type = match conflict {
                deposit::Conflict::Currency => FindingType::CurrencyMismatch,
                _ => FindingType::AmountMismatch,
            };
            let ledger_amount = Some(deposit.amount.minor);
            let severity = Severity::Error;
            let concern = Concern {
                finding_type,
                severity,
                why: &why,
                ledger_amount,
                transaction: None,
            };
            raise(tx, row, event, concern, now).await?;
            return Ok(Applied::Failed(why));
        }
    };
    let from = deposit.state;
    match step {
        Step::Nothing => return Ok(Applied::Ignored("the deposit is past this event")),
        Step::Wait => return Ok(Applied::Parked(parked_on(event))),
        Step::Move(state) => deposit.state = state,
        Step::Capture => *posting = Some(capture(tx, row, event, &mut deposit, now).await?),
        Step::GiveBack { state, amount } => {
            *posting = Some(give_back(tx, row, event, &mut deposit, state, amount, now).await?);
        }
    }
    deposit.updated_at = now;
    tx.update_deposit(&deposit).await?;
    finish(tx, caller, event, &deposit, from, now).await?;
    Ok(Applied::Done)
}

/// The deposit that the event is about. A provider may tell of one that was started there.
async fn find_or_make(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    now: Timestamp,
) -> Result<Result<Deposit, Applied>> {
    if let Some(found) = tx.lock_deposit_by_ref(&row.provider, &event.provider_ref).await? {
        return Ok(Ok(found));
    }
    if matches!(
        event.kind,
        EventKind::DepositRefunded | EventKind::DepositChargedBack
    ) {
        return Ok(Err(Applied::Parked(parked_on(event))));
    }
    let Some(player) = event.player else {
        return Ok(Err(Applied::Failed(
            "player_id: the event names no player".into(),
        )));
    };
    if tx.player(player).await?.is_none() {
        return Ok(Err(Applied::Failed("player_id: there is no such player".into())));
    }
    let deposit = first_heard_of(row, event, player, now);
    if !tx.insert_deposit(&deposit).await? {
        // A rival made it between the look and the insert: tell the story again.
        return Err(StoreError::Collision {
            what: "deposit of the same reference".into(),
        }
        .into());
    }
    Ok(Ok(deposit))
}

/// A deposit that was started at the provider.
pub(super) fn first_heard_of(
    row: &WebhookEvent,
    event: &ProviderEvent,
    player: PlayerId,
    now: Timestamp,
) -> Deposit {
    Deposit {
        id: DepositId::new(),
        player,
        amount: event.amount,
        method: "psp".into(),
        provider: Some(row.provider.clone()),
        provider_ref: Some(event.provider_ref.clone()),
        state: DepositState::Initiated,
        refunded: 0,
        charged_back: 0,
        created_at: now,
        captured_at: None,
        updated_at: now,
    }
}

async fn capture(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    deposit: &mut Deposit,
    now: Timestamp,
) -> Result<Posting> {
    let currency = deposit.amount.currency;
    let available = wallets::of_player(tx, deposit.player, AccountKind::Available, currency, now).await?;
    let clearing = wallets::psp_clearing(tx, &row.provider, currency, now).await?;
    let transaction = captured(event, deposit, &clearing, &available, now);
    record(tx, row, event, EffectKind::Deposit, transaction.id, now).await?;
    Ok(Posting {
        accounts: vec![clearing, available],
        transaction,
    })
}

/// Moves a deposit to captured; answers the money of it.
pub(super) fn captured(
    event: &ProviderEvent,
    deposit: &mut Deposit,
    clearing: &Account,
    available: &Account,
    now: Timestamp,
) -> NewTransaction {
    deposit.state = DepositState::Captured;
    deposit.captured_at = Some(now);
    NewTransaction {
        id: TransactionId::of_effect(deposit.id.0, "capture"),
        kind: PostingKind::DEPOSIT_CAPTURE,
        legs: vec![Transfer {
            debit: clearing.id,
            credit: available.id,
            amount: deposit.amount,
        }],
        reverses: None,
        reference: Some(reference(event)),
        metadata: None,
    }
}

/// Takes the amount back from the wallet. What the wallet does not have becomes a receivable and a finding;
/// a wallet is never negative.
async fn give_back(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    deposit: &mut Deposit,
    state: DepositState,
    amount: Money,
    now: Timestamp,
) -> Result<Posting> {
    let currency = amount.currency;
    let available = wallets::of_player(tx, deposit.player, AccountKind::Available, currency, now).await?;
    let clearing = wallets::psp_clearing(tx, &row.provider, currency, now).await?;
    let owed = wallets::of_player(tx, deposit.player, AccountKind::Receivable, currency, now).await?;
    let locked = tx.lock_balances(&[available.id]).await?;
    let there = locked
        .first()
        .map_or(0, |(_, posted)| *posted)
        .clamp(0, amount.minor);
    let short = amount.minor - there;
    let leg = |debit, minor| Transfer {
        debit,
        credit: clearing.id,
        amount: Money::new(minor, currency),
    };
    let legs = [(available.id, there), (owed.id, short)];
    let legs = legs
        .into_iter()
        .filter(|(_, minor)| *minor > 0)
        .map(|(debit, minor)| leg(debit, minor));
    let (effect, kind) = match event.kind {
        EventKind::DepositRefunded => (EffectKind::Refund, PostingKind::DEPOSIT_REFUND),
        _ => (EffectKind::Chargeback, PostingKind::DEPOSIT_CHARGEBACK),
    };
    let id = TransactionId::of_effect(deposit.id.0, &format!("give_back:{}", event.event_id));
    record(tx, row, event, effect, id, now).await?;
    let transaction = NewTransaction {
        id,
        kind,
        legs: legs.collect(),
        reverses: None,
        reference: Some(reference(event)),
        metadata: None,
    };
    if short > 0 {
        let why = format!(
            "the wallet had {} of the {} that were given back; the player owes the rest",
            Money::new(there, currency).major(),
            amount.major()
        );
        let concern = Concern {
            finding_type: FindingType::AmountMismatch,
            severity: Severity::Error,
            why: &why,
            ledger_amount: Some(there),
            transaction: Some(id),
        };
        raise(tx, row, event, concern, now).await?;
    }
    deposit.state = state;
    match effect {
        EffectKind::Refund => deposit.refunded += amount.minor,
        _ => deposit.charged_back += amount.minor,
    }
    Ok(Posting {
        accounts: vec![available, clearing, owed],
        transaction,
    })
}

fn reference(event: &ProviderEvent) -> String {
    event.provider_ref.chars().take(128).collect()
}

/// The one effect of an event.
pub(super) fn effect(
    row: &WebhookEvent,
    event: &ProviderEvent,
    kind: EffectKind,
    transaction: TransactionId,
    now: Timestamp,
) -> ProviderEffect {
    ProviderEffect {
        provider: row.provider.clone(),
        provider_event_id: event.event_id.clone(),
        provider_ref: Some(event.provider_ref.clone()),
        kind,
        amount: event.amount,
        occurred_at: event.occurred_at,
        transaction,
        created_at: now,
    }
}

/// Records the event's one effect. It cannot be there: it was looked for under the event's lock.
async fn record(
    tx: &mut dyn Tx,
    row: &WebhookEvent,
    event: &ProviderEvent,
    kind: EffectKind,
    transaction: TransactionId,
    now: Timestamp,
) -> Result<()> {
    if tx
        .insert_effect(&effect(row, event, kind, transaction, now))
        .await?
    {
        return Ok(());
    }
    Err(StoreError::Collision {
        what: "effect of the same event".into(),
    }
    .into())
}

/// The audit row, and the events that waited for this deposit.
async fn finish(
    tx: &mut dyn Tx,
    caller: &Caller,
    event: &ProviderEvent,
    deposit: &Deposit,
    from: DepositState,
    now: Timestamp,
) -> Result<()> {
    tx.append_audit(&moved(caller, event, deposit, from, now)).await?;
    for waiting in tx.parked_webhooks(&[parked_on(event)]).await? {
        let job = Job::ApplyWebhook { event: waiting };
        let request_id = caller.request_id.clone();
        tx.enqueue(&NewJob {
            job,
            run_at: now,
            request_id,
            created_at: now,
        })
        .await?;
    }
    Ok(())
}

/// The audit row of a deposit that an event moved.
pub(super) fn moved(
    caller: &Caller,
    event: &ProviderEvent,
    deposit: &Deposit,
    from: DepositState,
    now: Timestamp,
) -> AuditRow {
    let change = Change {
        action: event.kind.as_str(),
        subject_type: "deposit",
        subject_id: deposit.id.to_string(),
        from: Some(from.to_string()),
        to: Some(deposit.state.to_string()),
        details: Some(serde_json::json!({ "provider_event_id": event.event_id })),
        ..Change::default()
    };
    audit::row(caller, now, change)
}

//! Withdrawals: asking, reviewing, cancelling, paying by hand. Paying through a provider is in `payouts`.
//!
//! A withdrawal is always locked before any balance, so every story takes its locks in one order.

use mizan_core::{Job, Money, PlayerId, Timestamp, TransactionId, WithdrawalId};
use mizan_ledger::{Account, AccountCode, AccountKind, NewTransaction, PostingKind, Transfer};
use mizan_payments::kyc::KycStatus;
use mizan_payments::withdrawal::{self, Command, Effect, Step, Withdrawal, WithdrawalState};
use mizan_payments::{Actor, Role};
use mizan_store::outbox::NewJob;
use mizan_store::withdrawals::WithdrawalFilter;
use mizan_store::{Page, Paged, Tx};

use crate::audit::{self, Change};
use crate::posting::post_one;
use crate::retry::retrying;
use crate::views::{BalanceView, PaymentReply, PaymentView, WithdrawalView};
use crate::{App, Caller, FlowError, Keyed, Reply, Result, wallets};

/// What a player asks for.
#[derive(Debug, Clone)]
pub struct NewWithdrawal {
    pub player: PlayerId,
    pub amount: Money,
    pub method: String,
    /// An IBAN or a wallet address, 4 to 128 characters.
    pub address: String,
}

/// Holds the amount and queues the withdrawal for review.
pub async fn request(app: &App, caller: &Caller, key: &Keyed, new: &NewWithdrawal) -> Result<Reply> {
    if new.amount.minor <= 0 {
        return Err(FlowError::invalid("amount", "an amount must be positive"));
    }
    if !(1..=32).contains(&new.method.len()) || !new.method.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(FlowError::invalid(
            "method",
            "use 1 to 32 visible ASCII characters",
        ));
    }
    if !(4..=128).contains(&new.address.chars().count()) || new.address.contains(char::is_control) {
        return Err(FlowError::invalid("address", "use 4 to 128 printable characters"));
    }
    retrying("withdrawal.request", || request_once(app, caller, key, new)).await
}

async fn request_once(app: &App, caller: &Caller, key: &Keyed, new: &NewWithdrawal) -> Result<Reply> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    if let Some(reply) = key.claim(&mut *tx, now).await? {
        return Ok(reply);
    }
    let player = tx
        .player(new.player)
        .await?
        .ok_or(FlowError::NotFound("player"))?;
    if tx.own_tenant().await?.kyc_required && player.kyc != KycStatus::Approved {
        return Err(FlowError::KycRequired);
    }
    let mut withdrawal = Withdrawal {
        id: WithdrawalId::new(),
        player: new.player,
        amount: new.amount,
        method: new.method.clone(),
        address: new.address.clone(),
        state: WithdrawalState::Requested,
        provider: None,
        balance_after: 0,
        requested_by: caller.actor.to_string(),
        reviewed_by: None,
        reviewed_at: None,
        reason: None,
        paid_at: None,
        created_at: now,
        updated_at: now,
    };
    let after = move_money(&mut *tx, &withdrawal, Effect::Hold, now).await?;
    withdrawal.balance_after = after.unwrap_or_default();
    tx.insert_withdrawal(&withdrawal).await?;
    write_audit(
        &mut *tx,
        caller,
        &withdrawal,
        None,
        "withdrawal.request",
        None,
        now,
    )
    .await?;
    let balance = wallets::balance(&mut *tx, new.player, new.amount.currency).await?;
    let body = PaymentReply {
        transaction: PaymentView::from(&withdrawal),
        balance: BalanceView::of(&balance),
    };
    let reply = key.keep(&mut *tx, Reply::made(200, &body)).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Approves, rejects, cancels or marks as paid.
pub async fn command(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    id: WithdrawalId,
    command: Command,
    reason: Option<&str>,
) -> Result<Reply> {
    if command == Command::Reject && reason.is_none_or(|it| it.trim().is_empty()) {
        return Err(FlowError::invalid("reason", "a rejection needs a reason"));
    }
    if reason.is_some_and(|it| it.len() > 500) {
        return Err(FlowError::invalid("reason", "use at most 500 bytes"));
    }
    retrying("withdrawal.command", || {
        command_once(app, caller, key, id, command, reason)
    })
    .await
}

async fn command_once(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    id: WithdrawalId,
    command: Command,
    reason: Option<&str>,
) -> Result<Reply> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    if let Some(reply) = key.claim(&mut *tx, now).await? {
        return Ok(reply);
    }
    let mut withdrawal = lock(&mut *tx, caller, id).await?;
    if command == Command::Approve {
        check_not_requester(&mut *tx, caller, &withdrawal).await?;
    }
    if let Step::Move { to, effect } = withdrawal::decide(withdrawal.state, command)? {
        if matches!(command, Command::Approve | Command::Reject) {
            withdrawal.reviewed_by = Some(caller.actor.to_string());
            withdrawal.reviewed_at = Some(now);
        }
        if let Some(reason) = reason {
            withdrawal.reason = Some(reason.trim().to_owned());
        }
        let reason = reason.map(str::trim).filter(|it| !it.is_empty());
        apply(&mut *tx, caller, &mut withdrawal, to, effect, reason, now).await?;
        app.job_bell.notify_one();
    }
    let reply = key
        .keep(&mut *tx, Reply::made(200, &WithdrawalView::from(&withdrawal)))
        .await?;
    tx.commit().await?;
    Ok(reply)
}

/// Locks a withdrawal. A player sees the own ones only.
pub(crate) async fn lock(tx: &mut dyn Tx, caller: &Caller, id: WithdrawalId) -> Result<Withdrawal> {
    let found = tx
        .lock_withdrawal(id)
        .await?
        .ok_or(FlowError::NotFound("withdrawal"))?;
    match caller.actor {
        Actor::Player(player) if player != found.player => Err(FlowError::NotFound("withdrawal")),
        _ => Ok(found),
    }
}

/// Two pairs of eyes: neither the same account nor the same person with two accounts.
async fn check_not_requester(tx: &mut dyn Tx, caller: &Caller, withdrawal: &Withdrawal) -> Result<()> {
    if caller.actor.to_string() == withdrawal.requested_by {
        return Err(FlowError::ApproverIsRequester);
    }
    if let Actor::Staff { id, .. } = caller.actor {
        let staff = tx.staff(id).await?.map(|it| it.email);
        let player = tx.player(withdrawal.player).await?.map(|it| it.email);
        if staff.is_some() && staff == player {
            return Err(FlowError::ApproverIsRequester);
        }
    }
    Ok(())
}

/// Moves a locked withdrawal: its money, its row, its audit, and whatever waited for it. `reason` is why this
/// move is made; the withdrawal may keep one of an earlier move.
pub(crate) async fn apply(
    tx: &mut dyn Tx,
    caller: &Caller,
    withdrawal: &mut Withdrawal,
    to: WithdrawalState,
    effect: Option<Effect>,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let from = withdrawal.state;
    if let Some(effect) = effect {
        move_money(tx, withdrawal, effect, now).await?;
    }
    withdrawal.state = to;
    withdrawal.updated_at = now;
    if to == WithdrawalState::Paid {
        withdrawal.paid_at = Some(now);
    }
    tx.update_withdrawal(withdrawal).await?;
    write_audit(tx, caller, withdrawal, Some(from), action(to), reason, now).await?;
    for event in tx.parked_webhooks(&[parked_on(withdrawal.id)]).await? {
        let job = Job::ApplyWebhook { event };
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

/// What events wait for that are about a withdrawal and came too early.
pub(crate) fn parked_on(id: WithdrawalId) -> String {
    format!("withdrawal:{id}")
}

fn action(to: WithdrawalState) -> &'static str {
    match to {
        WithdrawalState::Requested => "withdrawal.request",
        WithdrawalState::Approved => "withdrawal.approve",
        WithdrawalState::Rejected => "withdrawal.reject",
        WithdrawalState::Cancelled => "withdrawal.cancel",
        WithdrawalState::PayoutPending => "withdrawal.start_payout",
        WithdrawalState::PayoutUnknown => "withdrawal.payout_unknown",
        WithdrawalState::PayoutFailed => "withdrawal.payout_failed",
        WithdrawalState::Paid => "withdrawal.paid",
    }
}

async fn write_audit(
    tx: &mut dyn Tx,
    caller: &Caller,
    withdrawal: &Withdrawal,
    from: Option<WithdrawalState>,
    action: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let change = Change {
        action,
        subject_type: "withdrawal",
        subject_id: withdrawal.id.to_string(),
        from: from.map(|it| it.to_string()),
        to: Some(withdrawal.state.to_string()),
        reason: reason.map(str::to_owned),
        details: None,
    };
    Ok(audit::write(tx, caller, now, change).await?)
}

/// Posts an effect's transfer. The effect's own transaction id makes it happen once; returns what is available
/// after a hold.
async fn move_money(
    tx: &mut dyn Tx,
    withdrawal: &Withdrawal,
    effect: Effect,
    now: Timestamp,
) -> Result<Option<i64>> {
    let currency = withdrawal.amount.currency;
    let held = wallets::of_player(tx, withdrawal.player, AccountKind::Held, currency, now).await?;
    let (debit, credit, kind) = match effect {
        Effect::Hold => (
            available(tx, withdrawal, now).await?,
            held,
            PostingKind::WITHDRAWAL_HOLD,
        ),
        Effect::Release => (
            held,
            available(tx, withdrawal, now).await?,
            PostingKind::WITHDRAWAL_RELEASE,
        ),
        Effect::PaidByProvider => {
            let provider = withdrawal
                .provider
                .as_ref()
                .ok_or(FlowError::NotFound("provider"))?;
            let clearing = wallets::psp_clearing(tx, provider, currency, now).await?;
            (held, clearing, PostingKind::WITHDRAWAL_PAID)
        }
        Effect::PaidByHand => {
            let code = AccountCode::payouts_in_transit(withdrawal.provider.as_ref());
            let kind = AccountKind::PayoutsInTransit;
            (
                held,
                wallets::of_tenant(tx, code, kind, currency, now).await?,
                PostingKind::WITHDRAWAL_PAID,
            )
        }
    };
    let transaction = NewTransaction {
        id: TransactionId::of_effect(withdrawal.id.0, effect.name()),
        kind,
        legs: vec![Transfer {
            debit: debit.id,
            credit: credit.id,
            amount: withdrawal.amount,
        }],
        reverses: None,
        reference: Some(withdrawal.id.to_string()),
        metadata: None,
    };
    let posted = post_one(tx, &[&debit, &credit], transaction, now).await?;
    Ok(posted.and_then(|it| it.legs.first().and_then(|leg| leg.debit_after)))
}

async fn available(tx: &mut dyn Tx, withdrawal: &Withdrawal, now: Timestamp) -> Result<Account> {
    let currency = withdrawal.amount.currency;
    Ok(wallets::of_player(tx, withdrawal.player, AccountKind::Available, currency, now).await?)
}

pub async fn get(app: &App, caller: &Caller, id: WithdrawalId) -> Result<Withdrawal> {
    let mut tx = app.store.read(caller.tenant).await?;
    let found = tx
        .withdrawal(id)
        .await?
        .ok_or(FlowError::NotFound("withdrawal"))?;
    match caller.actor {
        Actor::Player(player) if player != found.player => Err(FlowError::NotFound("withdrawal")),
        _ => Ok(found),
    }
}

/// Lists withdrawals; a player sees the own ones only.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: &WithdrawalFilter,
    page: &Page<WithdrawalId>,
) -> Result<Paged<Withdrawal, WithdrawalId>> {
    let mut filter = filter.clone();
    if let Actor::Player(player) = caller.actor {
        filter.player = Some(player);
    }
    debug_assert!(caller.role() != Some(Role::Player) || filter.player.is_some());
    let mut tx = app.store.read(caller.tenant).await?;
    Ok(tx.withdrawals(&filter, page).await?)
}

//! Deposits. This way in is the `test` method, for environments without a provider; real money comes in by
//! a provider's event (`webhook_apply`).

use mizan_core::{DepositId, Money, PlayerId, Timestamp, TransactionId};
use mizan_ledger::{AccountCode, AccountKind, NewTransaction, PostingKind, Transfer};
use mizan_payments::deposit::{Deposit, DepositState};
use mizan_store::Tx;

use crate::audit::{self, Change};
use crate::posting::post_one;
use crate::retry::retrying;
use crate::views::{BalanceView, PaymentReply, PaymentView};
use crate::{App, Caller, FlowError, Keyed, Reply, Result, wallets};

/// What a player asks for.
#[derive(Debug, Clone)]
pub struct NewDeposit {
    pub player: PlayerId,
    pub amount: Money,
    pub method: String,
}

/// Credits a test deposit: `world → available`. Outside production only.
pub async fn deposit(app: &App, caller: &Caller, key: &Keyed, new: &NewDeposit) -> Result<Reply> {
    if new.method != "test" || app.settings.production {
        return Err(FlowError::UnsupportedMethod(new.method.clone()));
    }
    if new.amount.minor <= 0 {
        return Err(FlowError::invalid("amount", "an amount must be positive"));
    }
    retrying("deposit", || once(app, caller, key, new)).await
}

async fn once(app: &App, caller: &Caller, key: &Keyed, new: &NewDeposit) -> Result<Reply> {
    let now = app.now();
    let mut tx = app.store.begin(caller.tenant).await?;
    if let Some(reply) = key.claim(&mut *tx, now).await? {
        return Ok(reply);
    }
    tx.player(new.player)
        .await?
        .ok_or(FlowError::NotFound("player"))?;
    let deposit = Deposit {
        id: DepositId::new(),
        player: new.player,
        amount: new.amount,
        method: new.method.clone(),
        provider: None,
        provider_ref: None,
        state: DepositState::Captured,
        refunded: 0,
        charged_back: 0,
        created_at: now,
        captured_at: Some(now),
        updated_at: now,
    };
    tx.insert_deposit(&deposit).await?;
    credit_from_world(&mut *tx, &deposit, now).await?;
    let change = Change {
        action: "deposit.capture",
        subject_type: "deposit",
        subject_id: deposit.id.to_string(),
        to: Some(deposit.state.to_string()),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    let balance = wallets::balance(&mut *tx, new.player, new.amount.currency).await?;
    let body = PaymentReply {
        transaction: PaymentView::from(&deposit),
        balance: BalanceView::of(&balance),
    };
    let reply = key.keep(&mut *tx, Reply::made(200, &body)).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn credit_from_world(tx: &mut dyn Tx, deposit: &Deposit, now: Timestamp) -> Result<()> {
    let currency = deposit.amount.currency;
    let available = wallets::of_player(tx, deposit.player, AccountKind::Available, currency, now).await?;
    let code = AccountCode::of_tenant(AccountKind::World);
    let world = wallets::of_tenant(tx, code, AccountKind::World, currency, now).await?;
    let transaction = NewTransaction {
        id: TransactionId::of_effect(deposit.id.0, "capture"),
        kind: PostingKind::DEPOSIT_CAPTURE,
        legs: vec![Transfer {
            debit: world.id,
            credit: available.id,
            amount: deposit.amount,
        }],
        reverses: None,
        reference: Some(deposit.id.to_string()),
        metadata: None,
    };
    post_one(tx, &[&world, &available], transaction, now).await?;
    Ok(())
}

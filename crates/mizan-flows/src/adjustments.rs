//! Adjustments: finance corrects a wallet, with a reason, against the tenant's `adjustments` account.

use mizan_core::{Money, PlayerId, TransactionId};
use mizan_ledger::{AccountCode, AccountKind, NewTransaction, PostingKind, Transfer};
use serde::Serialize;

use crate::audit::{self, Change};
use crate::posting::post_one;
use crate::retry::retrying;
use crate::views::BalanceView;
use crate::{App, Caller, FlowError, Keyed, Reply, Result, wallets};

/// The reply to an adjustment.
#[derive(Debug, Clone, Serialize)]
pub struct AdjustmentView {
    pub transaction_id: TransactionId,
    pub player_id: PlayerId,
    /// Signed, in major units.
    pub delta: String,
    pub currency: String,
    pub reason: String,
    pub balance: BalanceView,
}

/// Adds `delta` to what a player has available, or takes it away. A wallet never goes below zero.
pub async fn adjust(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    player: PlayerId,
    delta: Money,
    reason: &str,
) -> Result<Reply> {
    let reason = reason.trim();
    if !(3..=500).contains(&reason.len()) {
        return Err(FlowError::invalid("reason", "say why, in 3 to 500 bytes"));
    }
    if delta.minor == 0 || delta.minor == i64::MIN {
        return Err(FlowError::invalid("delta", "use an amount other than zero"));
    }
    retrying("adjustment", || once(app, caller, key, player, delta, reason)).await
}

async fn once(
    app: &App,
    caller: &Caller,
    key: &Keyed,
    player: PlayerId,
    delta: Money,
    reason: &str,
) -> Result<Reply> {
    let (now, currency) = (app.now(), delta.currency);
    let mut tx = app.store.begin(caller.tenant).await?;
    if let Some(reply) = key.claim(&mut *tx, now).await? {
        return Ok(reply);
    }
    tx.player(player).await?.ok_or(FlowError::NotFound("player"))?;
    let available = wallets::of_player(&mut *tx, player, AccountKind::Available, currency, now).await?;
    let code = AccountCode::of_tenant(AccountKind::Adjustments);
    let other = wallets::of_tenant(&mut *tx, code, AccountKind::Adjustments, currency, now).await?;
    let (debit, credit) = if delta.minor > 0 {
        (&other, &available)
    } else {
        (&available, &other)
    };
    let amount = Money::new(delta.minor.abs(), currency);
    let transaction = NewTransaction {
        id: TransactionId::new(),
        kind: PostingKind::ADJUSTMENT,
        legs: vec![Transfer {
            debit: debit.id,
            credit: credit.id,
            amount,
        }],
        reverses: None,
        reference: None,
        metadata: Some(serde_json::json!({ "reason": reason, "by": caller.actor.to_string() }).to_string()),
    };
    let transaction_id = transaction.id;
    post_one(&mut *tx, &[debit, credit], transaction, now).await?;
    let change = Change {
        action: "ledger.adjust",
        subject_type: "player",
        subject_id: player.to_string(),
        reason: Some(reason.to_owned()),
        details: Some(serde_json::json!({
            "transaction_id": transaction_id, "delta": delta.major(), "currency": currency.code(),
        })),
        ..Change::default()
    };
    audit::write(&mut *tx, caller, now, change).await?;
    let balance = wallets::balance(&mut *tx, player, currency).await?;
    let body = AdjustmentView {
        transaction_id,
        player_id: player,
        delta: delta.major(),
        currency: currency.to_string(),
        reason: reason.to_owned(),
        balance: BalanceView::of(&balance),
    };
    let reply = key.keep(&mut *tx, Reply::made(200, &body)).await?;
    tx.commit().await?;
    Ok(reply)
}

//! Deposits, withdrawals, payout attempts, webhooks, effects and jobs: every method once.

use mizan_core::{
    AttemptId, Currency, DepositId, Money, TimeWindow, TransactionId, WebhookEventId, WithdrawalId,
};
use mizan_payments::deposit::{Deposit, DepositState};
use mizan_payments::payout::{Attempt, AttemptState};
use mizan_payments::withdrawal::{Withdrawal, WithdrawalState};
use mizan_store::effects::{EffectKind, ProviderEffect};
use mizan_store::webhooks::{EventState, Signature, WebhookEvent, WebhookFilter};
use mizan_store::withdrawals::WithdrawalFilter;

use crate::harness::{Bench, at, bench, counted};

fn withdrawal(bench: &Bench) -> Withdrawal {
    Withdrawal {
        id: WithdrawalId::new(),
        player: bench.player,
        amount: Money::new(1050, Currency::TRY),
        method: "bank".into(),
        address: "TR00".into(),
        state: WithdrawalState::Requested,
        provider: None,
        balance_after: 0,
        requested_by: "player:1".into(),
        reviewed_by: None,
        reviewed_at: None,
        reason: None,
        paid_at: None,
        created_at: at(4),
        updated_at: at(4),
    }
}

#[tokio::test]
async fn a_deposit_is_kept_once_by_its_reference() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let mut deposit = Deposit {
        id: DepositId::new(),
        player: bench.player,
        amount: Money::new(500, Currency::KWD),
        method: "card".into(),
        provider: Some(bench.provider.clone()),
        provider_ref: Some("p1".into()),
        state: DepositState::Initiated,
        refunded: 0,
        charged_back: 0,
        created_at: at(1),
        captured_at: None,
        updated_at: at(1),
    };
    assert!(tx.insert_deposit(&deposit).await.unwrap());
    let twin = Deposit {
        id: DepositId::new(),
        ..deposit.clone()
    };
    assert!(!tx.insert_deposit(&twin).await.unwrap());
    (deposit.state, deposit.captured_at, deposit.refunded) = (DepositState::Captured, Some(at(2)), 20);
    tx.update_deposit(&deposit).await.unwrap();
    assert_eq!(
        tx.lock_deposit_by_ref(&bench.provider, "p1").await.unwrap(),
        Some(deposit.clone())
    );
    assert_eq!(tx.deposit(deposit.id).await.unwrap(), Some(deposit.clone()));
    for player in [None, Some(bench.player)] {
        assert_eq!(
            tx.deposits(player, &counted(5)).await.unwrap().items,
            std::slice::from_ref(&deposit)
        );
    }
}

#[tokio::test]
async fn withdrawals_are_kept_locked_and_listed() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let mut first = withdrawal(&bench);
    tx.insert_withdrawal(&first).await.unwrap();
    (first.state, first.provider) = (WithdrawalState::PayoutPending, Some(bench.provider.clone()));
    (first.reviewed_by, first.reviewed_at, first.reason) =
        (Some("staff:1".into()), Some(at(5)), Some("ok".into()));
    tx.update_withdrawal(&first).await.unwrap();
    assert_eq!(tx.lock_withdrawal(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(tx.withdrawal(WithdrawalId::new()).await.unwrap(), None);
    let filter = WithdrawalFilter {
        state: Some(WithdrawalState::PayoutPending),
        provider: Some(bench.provider.clone()),
        player: Some(bench.player),
        from: Some(at(4)),
        to: Some(at(5)),
    };
    let page = tx.withdrawals(&filter, &counted(5)).await.unwrap();
    assert_eq!((page.items, page.total), (vec![first.clone()], Some(1)));
    let late = WithdrawalFilter {
        from: Some(at(5)),
        ..WithdrawalFilter::default()
    };
    assert_eq!(tx.withdrawals(&late, &counted(5)).await.unwrap().total, Some(0));
}

#[tokio::test]
async fn one_payout_attempt_of_a_withdrawal_is_open() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let first = withdrawal(&bench);
    tx.insert_withdrawal(&first).await.unwrap();
    let mut attempt = Attempt {
        id: AttemptId::new(),
        withdrawal: first.id,
        number: 1,
        provider: bench.provider.clone(),
        provider_key: "k1".into(),
        provider_ref: None,
        state: AttemptState::Open,
        error: None,
        created_at: at(6),
        updated_at: at(6),
    };
    assert!(tx.insert_attempt(&attempt).await.unwrap());
    let second = Attempt {
        id: AttemptId::new(),
        number: 2,
        provider_key: "k2".into(),
        ..attempt.clone()
    };
    assert!(!tx.insert_attempt(&second).await.unwrap(), "one is open");
    assert_eq!(tx.open_attempt(first.id).await.unwrap(), Some(attempt.clone()));
    (attempt.state, attempt.error) = (AttemptState::Failed, Some("no".into()));
    tx.update_attempt(&attempt).await.unwrap();
    assert!(tx.insert_attempt(&second).await.unwrap());
    assert_eq!(tx.attempts(first.id).await.unwrap(), [attempt, second]);
}

#[tokio::test]
async fn an_authentic_event_is_kept_once() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let mut event = WebhookEvent {
        id: WebhookEventId::new(),
        provider: bench.provider.clone(),
        provider_event_id: "e1".into(),
        event_type: "deposit_captured".into(),
        headers: "{}".into(),
        body: vec![0, 255],
        signature: Signature::Valid,
        state: EventState::Received,
        parked_on: None,
        error: None,
        attempts: 0,
        request_id: Some("r".into()),
        received_at: at(1),
        applied_at: None,
    };
    let kept = tx.insert_webhooks(&[&event]).await.unwrap();
    assert_eq!(kept, [event.id].into());
    let twin = WebhookEvent {
        id: WebhookEventId::new(),
        ..event.clone()
    };
    assert!(tx.insert_webhooks(&[&twin]).await.unwrap().is_empty());
    let forged = WebhookEvent {
        signature: Signature::Unverified,
        ..twin
    };
    let kept = tx.insert_webhooks(&[&forged]).await.unwrap();
    assert_eq!(kept, [forged.id].into());
    (event.state, event.parked_on, event.attempts) = (EventState::Parked, Some("deposit:p1".into()), 1);
    tx.update_webhook(&event).await.unwrap();
    assert_eq!(
        tx.parked_webhooks(&["deposit:p1".to_owned()]).await.unwrap(),
        [event.id]
    );
    assert_eq!(tx.lock_webhook(event.id).await.unwrap(), Some(event.clone()));
    assert_eq!(tx.webhook(event.id).await.unwrap(), Some(event.clone()));
    let filter = WebhookFilter {
        provider: Some(bench.provider.clone()),
        signature: Some(Signature::Valid),
        state: Some(EventState::Parked),
    };
    let page = tx.webhooks(&filter, &counted(5)).await.unwrap();
    assert_eq!((page.items, page.total), (vec![event], Some(1)));
}

#[tokio::test]
async fn an_effect_is_kept_once_and_scanned_in_order_of_time() {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let effects: Vec<_> = (0..3).map(|n| effect(&bench, n)).collect();
    for effect in effects.iter().rev() {
        assert!(tx.insert_effect(effect).await.unwrap());
        assert!(!tx.insert_effect(effect).await.unwrap());
    }
    assert_eq!(
        tx.effect(&bench.provider, "effect-1").await.unwrap().as_ref(),
        Some(&effects[1])
    );
    let window = TimeWindow::new(at(0), at(2)).unwrap();
    let (first, cursor) = tx.effects_in(&bench.provider, window, None, 1).await.unwrap();
    let (rest, end) = tx.effects_in(&bench.provider, window, cursor, 9).await.unwrap();
    assert_eq!(
        (first, rest, end),
        (vec![effects[0].clone()], vec![effects[1].clone()], None)
    );
}

fn effect(bench: &Bench, second: i64) -> ProviderEffect {
    ProviderEffect {
        provider: bench.provider.clone(),
        provider_event_id: format!("effect-{second}"),
        provider_ref: Some("p1".into()),
        kind: EffectKind::Refund,
        amount: Money::new(7, Currency::JPY),
        occurred_at: at(second),
        transaction: TransactionId::new(),
        created_at: at(9),
    }
}

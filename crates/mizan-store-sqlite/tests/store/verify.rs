//! Each invariant, broken by hand: the answer names the row.

use mizan_core::{Currency, Money, TransactionId, WithdrawalId};
use mizan_ledger::{AccountCode, AccountKind};
use mizan_payments::withdrawal::{Withdrawal, WithdrawalState};
use mizan_store::Store;
use mizan_store::effects::{EffectKind, ProviderEffect};
use mizan_store::verify::{Broken, Verify};

use crate::harness::{Bench, account, at, bench, open, post, transaction};

/// A deposit of 100 that is an effect of a provider's event, of which 40 are held for an open withdrawal.
async fn populated() -> (Bench, TransactionId) {
    let bench = bench().await;
    let mut tx = bench.begin().await;
    let wallet = account(&mut *tx, AccountKind::Available, Some(bench.player)).await;
    let held = account(&mut *tx, AccountKind::Held, Some(bench.player)).await;
    let code = AccountCode::psp_clearing(&bench.provider);
    let clearing = open(&mut *tx, code, AccountKind::PspClearing, None).await;
    let deposit = transaction(TransactionId::new(), clearing, wallet, 100);
    post(&mut *tx, &deposit, at(3)).await.unwrap();
    let hold = transaction(TransactionId::new(), wallet, held, 40);
    post(&mut *tx, &hold, at(4)).await.unwrap();
    let effect = ProviderEffect {
        provider: bench.provider.clone(),
        provider_event_id: "e1".into(),
        provider_ref: None,
        kind: EffectKind::Deposit,
        amount: Money::new(100, Currency::TRY),
        occurred_at: at(3),
        transaction: deposit.id,
        created_at: at(3),
    };
    assert!(tx.insert_effect(&effect).await.unwrap());
    tx.insert_withdrawal(&withdrawal(&bench)).await.unwrap();
    tx.commit().await.unwrap();
    (bench, deposit.id)
}

fn withdrawal(bench: &Bench) -> Withdrawal {
    Withdrawal {
        id: WithdrawalId::new(),
        player: bench.player,
        amount: Money::new(40, Currency::TRY),
        method: "bank".into(),
        address: "TR00".into(),
        state: WithdrawalState::Requested,
        provider: None,
        balance_after: 60,
        requested_by: "player".into(),
        reviewed_by: None,
        reviewed_at: None,
        reason: None,
        paid_at: None,
        created_at: at(4),
        updated_at: at(4),
    }
}

async fn everything(bench: &Bench) -> Vec<Broken> {
    let store = &bench.store;
    let mut all = store.broken_balances().await.unwrap();
    all.extend(store.broken_sums().await.unwrap());
    all.extend(store.negative_wallets().await.unwrap());
    all.extend(store.broken_holds().await.unwrap());
    all.extend(store.broken_effects().await.unwrap());
    all.extend(store.broken_running_balances().await.unwrap());
    all
}

async fn check(tampering: &str, invariant: &str, what: &str, expected: &str, found: &str) {
    let (bench, deposit) = populated().await;
    assert_eq!(everything(&bench).await, []);
    bench.tamper(tampering);
    let what = what.replace("{deposit}", &deposit.to_string());
    let broken = everything(&bench).await;
    let named = broken.iter().any(|it| {
        it.invariant == invariant && it.what.contains(&what) && it.expected == expected && it.found == found
    });
    assert!(named, "{tampering}: {broken:#?}");
}

#[tokio::test]
async fn a_balance_that_was_changed_is_named() {
    check(
        "UPDATE balances SET posted = 61 WHERE account_id = 1",
        "balance_equals_entries",
        "account 1 (wallet:",
        "60",
        "61",
    )
    .await;
    check(
        "UPDATE balances SET posted = 61 WHERE account_id = 1",
        "sums_to_zero",
        "all TRY balances of tenant default",
        "0",
        "1",
    )
    .await;
    check(
        "UPDATE balances SET posted = -5 WHERE account_id = 2",
        "wallet_not_negative",
        ":held TRY) of tenant default",
        "at least 0",
        "-5",
    )
    .await;
}

#[tokio::test]
async fn a_journal_row_that_was_changed_is_named() {
    check(
        "UPDATE journal SET currency = 'EUR' WHERE seq = 1",
        "sums_to_zero",
        "journal row 1 (transaction {deposit})",
        "both accounts of tenant 1 EUR",
        "debit tenant 1 TRY, credit tenant 1 TRY",
    )
    .await;
    check(
        "UPDATE journal SET amount = 90 WHERE seq = 1",
        "running_balance",
        "journal row 1 (transaction {deposit}) on account 1 (wallet:",
        "90",
        "100",
    )
    .await;
}

#[tokio::test]
async fn a_hold_or_an_effect_without_its_money_is_named() {
    check(
        "UPDATE withdrawals SET state = 'paid'",
        "held_equals_open_withdrawals",
        "TRY wallet of player",
        "0",
        "40",
    )
    .await;
    check(
        "UPDATE withdrawals SET currency = 'EUR'",
        "held_equals_open_withdrawals",
        "EUR wallet of player",
        "40",
        "0",
    )
    .await;
    check(
        "UPDATE provider_effects SET amount = 99",
        "one_effect_per_event",
        "of event e1 of mockpsp (transaction {deposit})",
        "-99 on psp_clearing:mockpsp TRY",
        "-100",
    )
    .await;
    check(
        "INSERT INTO provider_effects (tenant_id, provider, provider_event_id, kind, amount, currency, occurred_at,
                                       transaction_id, created_at)
         SELECT tenant_id, provider, 'e2', kind, amount, currency, occurred_at, transaction_id, created_at
         FROM provider_effects",
        "one_effect_per_event",
        "transaction {deposit} of tenant default",
        "1 effect",
        "2 effects",
    )
    .await;
}

#[tokio::test]
async fn a_journal_row_that_is_gone_shows_in_balances_and_in_what_follows_it() {
    check(
        "DELETE FROM journal WHERE seq = 1",
        "balance_equals_entries",
        "account 1 (wallet:",
        "-40",
        "60",
    )
    .await;
    check(
        "DELETE FROM journal WHERE seq = 1",
        "running_balance",
        "journal row 2",
        "-40",
        "60",
    )
    .await;
    let (bench, _) = populated().await;
    assert_eq!(bench.store.count_journal().await.unwrap(), 2);
    assert!(!bench.store.journal_is_append_only().await.unwrap());
}

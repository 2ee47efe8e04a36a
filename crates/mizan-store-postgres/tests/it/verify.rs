//! Every invariant names what a hand in the database has broken.

use mizan_ledger::AccountKind;
use mizan_store::verify::{Broken, Verify};

use crate::tester::Tester;

async fn all(it: &Tester) -> anyhow::Result<Vec<Broken>> {
    let mut all = it.store.broken_balances().await?;
    all.extend(it.store.broken_sums().await?);
    all.extend(it.store.negative_wallets().await?);
    all.extend(it.store.broken_holds().await?);
    all.extend(it.store.broken_effects().await?);
    all.extend(it.store.broken_running_balances().await?);
    Ok(all)
}

/// Breaks a sound ledger with `sql`, and expects these invariants to say so, in words with `part`.
async fn check(sql: &str, invariants: &[&str], part: &str) -> anyhow::Result<()> {
    let it = Tester::new().await?;
    let (from, to) = (
        it.account("from").await?,
        it.wallet(AccountKind::Available).await?,
    );
    it.post(&from, &to, 100, 3).await?;
    assert_eq!(all(&it).await?, []);
    it.owner.batch_execute(sql).await?;
    let broken = all(&it).await?;
    let mut names: Vec<_> = broken.iter().map(|it| it.invariant).collect();
    names.dedup();
    assert_eq!(names, invariants, "{sql}: {broken:?}");
    assert!(
        broken.iter().any(|it| it.what.contains(part)),
        "{part}: {broken:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_balance_is_named() -> anyhow::Result<()> {
    check(
        "UPDATE balances SET posted = posted + 1 WHERE posted > 0",
        &["balance_equals_entries", "sums_to_zero"],
        "TRY) of tenant default",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_journal_row_is_named() -> anyhow::Result<()> {
    check(
        "UPDATE journal SET amount = 99 WHERE seq = 2",
        &["balance_equals_entries", "running_balance"],
        "journal row 2 (transaction ",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_row_in_another_currency_than_its_accounts_is_named() -> anyhow::Result<()> {
    check(
        "UPDATE journal SET currency = 'EUR' WHERE seq = 3",
        &["sums_to_zero"],
        "journal row 3",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_negative_wallet_is_named_even_where_the_constraint_is_gone() -> anyhow::Result<()> {
    check(
        "ALTER TABLE balances DROP CONSTRAINT ck_balances_not_negative;
         UPDATE balances SET posted = -posted",
        &["balance_equals_entries", "wallet_not_negative"],
        ":available TRY)",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_withdrawal_without_its_hold_is_named() -> anyhow::Result<()> {
    check(
        "INSERT INTO withdrawals (id, tenant_id, player_id, amount, currency, method, address, state, balance_after,
                                  requested_by, created_at, updated_at)
         SELECT gen_random_uuid(), tenant_id, id, 40, 'TRY', 'iban', 'x', 'requested', 0, 'x', now(), now() FROM players",
        &["held_equals_open_withdrawals"],
        "TRY wallet of player ",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_that_moved_nothing_or_shares_its_transaction_is_named() -> anyhow::Result<()> {
    let effects = "INSERT INTO provider_connections (provider, tenant_id, kind, created_at)
         SELECT 'mockpsp', id, 'mockpsp', now() FROM tenants;
         INSERT INTO provider_effects (tenant_id, provider, provider_event_id, kind, amount, currency, occurred_at,
                                       transaction_id, created_at)
         SELECT tenant_id, 'mockpsp', event, 'deposit', 100, 'TRY', now(), transaction_id, now()
         FROM journal, (VALUES ('evt_1'), ('evt_2')) AS events (event) WHERE seq = 1;";
    check(
        effects,
        &["one_effect_per_event"],
        "effect of event evt_1 of mockpsp",
    )
    .await?;
    // Moved the right way on the clearing account, an effect is sound; named twice it is not.
    let clearing =
        "UPDATE accounts SET kind = 'psp_clearing', code = 'psp_clearing:mockpsp' WHERE code = 'from';";
    check(
        &format!("{effects}{clearing}"),
        &["one_effect_per_event"],
        "transaction ",
    )
    .await
}

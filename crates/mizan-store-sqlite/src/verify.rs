//! The invariants, each one question to the whole database; the answers name the rows that break it.
//!
//! What people hold and what providers were told is asked here, what the journal says in [`movements`].
//! Sums are kept as two halves of 32 bits, because a sum of 64 bits can overflow on its way.

pub(crate) mod movements;

use async_trait::async_trait;
use mizan_store::Result;
use mizan_store::verify::{Broken, Verify};

use crate::accounts::history::wide;
use crate::statement::{all, count, statements};
use crate::store::SqliteStore;

statements! {
    COUNT_JOURNAL = "SELECT count(*) FROM journal";

    NEGATIVE_WALLETS = "
        SELECT a.id, a.code, a.currency, t.key, b.posted
        FROM accounts a
        JOIN balances b ON b.account_id = a.id
        JOIN tenants t ON t.id = a.tenant_id
        WHERE a.kind IN ('available', 'held', 'bonus') AND b.posted < 0
        ORDER BY a.id LIMIT 1000";

    /// Wallets that hold another sum than they promised, and promises without a wallet that holds them.
    BROKEN_HOLDS = "
        WITH promised AS (
            SELECT tenant_id, player_id, currency,
                   sum(amount >> 32) AS upper, sum(amount & 4294967295) AS lower
            FROM withdrawals
            WHERE state NOT IN ('rejected', 'cancelled', 'paid')
            GROUP BY tenant_id, player_id, currency),
        held AS (
            SELECT a.tenant_id, a.player_id, a.currency, sum(b.posted) AS posted
            FROM accounts a JOIN balances b ON b.account_id = a.id
            WHERE a.kind = 'held'
            GROUP BY a.tenant_id, a.player_id, a.currency)
        SELECT h.player_id, h.currency, t.key, h.posted, coalesce(p.upper, 0), coalesce(p.lower, 0)
        FROM held h
        JOIN tenants t ON t.id = h.tenant_id
        LEFT JOIN promised p ON p.tenant_id = h.tenant_id AND p.player_id = h.player_id AND p.currency = h.currency
        WHERE h.posted <> coalesce(p.upper * 4294967296 + p.lower, 0)
        UNION ALL
        SELECT p.player_id, p.currency, t.key, 0, p.upper, p.lower
        FROM promised p
        JOIN tenants t ON t.id = p.tenant_id
        LEFT JOIN held h ON h.tenant_id = p.tenant_id AND h.player_id = p.player_id AND h.currency = p.currency
        WHERE h.player_id IS NULL
        LIMIT 1000";

    /// Money that comes in debits the provider's clearing account; money that goes back or out credits it.
    BROKEN_EFFECTS = "
        SELECT e.id, e.provider, e.provider_event_id, t.key, e.transaction_id, e.currency, e.owed, e.moved
        FROM (SELECT x.*, CASE x.kind WHEN 'deposit' THEN -x.amount ELSE x.amount END AS owed,
                     (SELECT sum(CASE WHEN j.credit_account_id = c.id THEN j.amount ELSE -j.amount END)
                      FROM journal j
                      WHERE j.tenant_id = x.tenant_id AND j.transaction_id = x.transaction_id
                        AND c.id IN (j.debit_account_id, j.credit_account_id)) AS moved
              FROM provider_effects x
              LEFT JOIN accounts c ON c.tenant_id = x.tenant_id AND c.code = 'psp_clearing:' || x.provider
                                  AND c.currency = x.currency) e
        JOIN tenants t ON t.id = e.tenant_id
        WHERE e.moved IS NOT e.owed
        ORDER BY e.id LIMIT 1000";

    SHARED_EFFECTS = "
        SELECT min(e.id), e.transaction_id, t.key, count(*)
        FROM provider_effects e JOIN tenants t ON t.id = e.tenant_id
        GROUP BY e.tenant_id, e.transaction_id
        HAVING count(*) > 1
        ORDER BY 1 LIMIT 1000";
}

#[async_trait]
impl Verify for SqliteStore {
    async fn count_journal(&self) -> Result<u64> {
        self.look(|db| count(db, &COUNT_JOURNAL, [])).await
    }

    async fn broken_balances(&self) -> Result<Vec<Broken>> {
        self.look(movements::broken_balances).await
    }

    async fn broken_sums(&self) -> Result<Vec<Broken>> {
        self.look(|db| {
            let mut broken = movements::sums_that_are_not_zero(db)?;
            broken.extend(movements::rows_out_of_place(db)?);
            Ok(broken)
        })
        .await
    }

    async fn negative_wallets(&self) -> Result<Vec<Broken>> {
        self.look(|db| {
            all(db, &NEGATIVE_WALLETS, [], "balances", |row| {
                Ok(Broken {
                    invariant: "wallet_not_negative",
                    what: account(
                        row.get("id")?,
                        &[row.get("code")?, row.get("currency")?, row.get("key")?],
                    ),
                    expected: "at least 0".into(),
                    found: row.get::<i64>("posted")?.to_string(),
                })
            })
        })
        .await
    }

    async fn broken_holds(&self) -> Result<Vec<Broken>> {
        self.look(|db| {
            all(db, &BROKEN_HOLDS, [], "balances", |row| {
                let [player, currency, tenant]: [String; 3] =
                    [row.get("player_id")?, row.get("currency")?, row.get("key")?];
                let held: i64 = row.get("posted")?;
                Ok(Broken {
                    invariant: "held_equals_open_withdrawals",
                    what: format!("{currency} wallet of player {player} of tenant {tenant}"),
                    expected: wide(row.get("amount")?, row.get("amount")?).to_string(),
                    found: held.to_string(),
                })
            })
        })
        .await
    }

    async fn broken_effects(&self) -> Result<Vec<Broken>> {
        self.look(|db| {
            let mut broken = effects_without_movement(db)?;
            broken.extend(transactions_named_twice(db)?);
            Ok(broken)
        })
        .await
    }

    /// The journal's own key keeps transaction ids unique here, so there is nothing that could differ.
    async fn broken_transactions(&self) -> Result<Vec<Broken>> {
        Ok(Vec::new())
    }

    async fn broken_running_balances(&self) -> Result<Vec<Broken>> {
        self.look(movements::broken_running_balances).await
    }
}

/// `account 17 (wallet:…:available TRY) of tenant default`
pub(crate) fn account(id: i64, [code, currency, tenant]: &[String; 3]) -> String {
    format!("account {id} ({code} {currency}) of tenant {tenant}")
}

fn effects_without_movement(db: &rusqlite::Connection) -> Result<Vec<Broken>> {
    all(db, &BROKEN_EFFECTS, [], "provider_effects", |row| {
        let id: i64 = row.get("id")?;
        let [provider, event, tenant]: [String; 3] = [
            row.get("provider")?,
            row.get("provider_event_id")?,
            row.get("key")?,
        ];
        let transaction: String = row.get("transaction_id")?;
        let currency: String = row.get("currency")?;
        let owed: i64 = row.get("amount")?;
        let moved: Option<i64> = row.get("moved")?;
        Ok(Broken {
            invariant: "one_effect_per_event",
            what: format!(
                "effect {id} of event {event} of {provider} (transaction {transaction}) of tenant {tenant}"
            ),
            expected: format!("{owed} on psp_clearing:{provider} {currency}"),
            found: moved.map_or_else(|| "nothing moved there".into(), |it| it.to_string()),
        })
    })
}

fn transactions_named_twice(db: &rusqlite::Connection) -> Result<Vec<Broken>> {
    all(db, &SHARED_EFFECTS, [], "provider_effects", |row| {
        let id: i64 = row.get("id")?;
        let [transaction, tenant]: [String; 2] = [row.get("transaction_id")?, row.get("key")?];
        Ok(Broken {
            invariant: "one_effect_per_event",
            what: format!("transaction {transaction} of tenant {tenant} (effect {id} and others)"),
            expected: "1 effect".into(),
            found: format!("{} effects", row.get::<i64>("count")?),
        })
    })
}

//! The invariants that a database can be asked about. Each question answers with what breaks it.

use async_trait::async_trait;

use crate::Result;

/// One row that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The stable name of the invariant: `balance_equals_entries`.
    pub invariant: &'static str,
    /// Which row, in words: `account 17 (wallet:…:available TRY) of tenant default`.
    pub what: String,
    pub expected: String,
    pub found: String,
}

/// The invariants, each asked of all tenants at once. At most 1 000 rows each; the count says how many there are.
#[async_trait]
pub trait Verify {
    /// How many journal rows there are.
    async fn count_journal(&self) -> Result<u64>;

    /// `balance_equals_entries`: every stored balance is the sum of the account's entries.
    async fn broken_balances(&self) -> Result<Vec<Broken>>;

    /// `sums_to_zero`: all balances of a tenant and currency sum to 0, and both accounts of a journal row are in
    /// its tenant and currency.
    async fn broken_sums(&self) -> Result<Vec<Broken>>;

    /// `wallet_not_negative`: available and held are at or above 0.
    async fn negative_wallets(&self) -> Result<Vec<Broken>>;

    /// `held_equals_open_withdrawals`: what a wallet holds is the sum of its open withdrawals.
    async fn broken_holds(&self) -> Result<Vec<Broken>>;

    /// `one_effect_per_event`: every provider effect names a transaction of the journal that moved as much on the
    /// provider's clearing account, and no transaction is named twice.
    async fn broken_effects(&self) -> Result<Vec<Broken>>;

    /// `transactions_match_rows`: where transactions have a row of their own, it tells their journal rows.
    async fn broken_transactions(&self) -> Result<Vec<Broken>>;

    /// `running_balance`: the balances that journal rows carry follow from row to row
    /// (names the first row of an account that does not).
    async fn broken_running_balances(&self) -> Result<Vec<Broken>>;
}

//! Balances as a decision sees them.

use std::collections::HashMap;

use mizan_core::{AccountId, Currency, Minor};

/// The state of one account, locked by the transaction that is going to change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    pub account: AccountId,
    pub currency: Currency,
    /// Credits less debits. `None` for an account that cannot fail a check and was not read.
    pub posted: Option<Minor>,
    pub may_go_negative: bool,
}

/// The balances that one batch works on. Decisions change it as they are made, so the next one sees them.
#[derive(Debug, Default)]
pub struct Book {
    balances: HashMap<AccountId, Balance>,
    deltas: HashMap<AccountId, i128>,
}

impl Book {
    pub fn new(balances: impl IntoIterator<Item = Balance>) -> Self {
        Self {
            balances: balances.into_iter().map(|it| (it.account, it)).collect(),
            deltas: HashMap::new(),
        }
    }

    pub fn get(&self, account: AccountId) -> Option<&Balance> {
        self.balances.get(&account)
    }

    pub(crate) fn set(&mut self, account: AccountId, posted: Option<Minor>, delta: i128) {
        if let Some(balance) = self.balances.get_mut(&account) {
            balance.posted = posted;
        }
        *self.deltas.entry(account).or_default() += delta;
    }

    /// What the batch has changed, by account, sorted: one lock order for everyone.
    pub fn deltas(&self) -> Vec<(AccountId, i128)> {
        let mut all: Vec<_> = self
            .deltas
            .iter()
            .filter(|(_, delta)| **delta != 0)
            .map(|(id, delta)| (*id, *delta))
            .collect();
        all.sort_unstable();
        all
    }
}

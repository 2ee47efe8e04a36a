//! The accounts that the captures of a batch move money between, opened where they are missing.

use std::collections::{BTreeMap, HashMap};

use mizan_core::{Currency, Timestamp};
use mizan_ledger::{Account, AccountCode, AccountKind};
use mizan_store::{StoreError, Tx};

use super::plan::Plan;
use crate::{Result, wallets};

type Key = (AccountCode, Currency);

/// Accounts by code.
pub(super) struct Wallets(HashMap<Key, Account>);

impl Wallets {
    /// The clearing account and the player's available one.
    pub fn of(&self, plan: &Plan<'_>) -> Result<(&Account, &Account)> {
        let (clearing, available) = keys(plan);
        let find = |key| {
            self.0.get(key).ok_or_else(|| StoreError::Collision {
                what: "an account that was opened is gone".into(),
            })
        };
        Ok((find(&clearing)?, find(&available)?))
    }
}

fn keys(plan: &Plan<'_>) -> (Key, Key) {
    let currency = plan.deposit.amount.currency;
    (
        (AccountCode::psp_clearing(&plan.row.provider), currency),
        (
            AccountCode::wallet(plan.deposit.player, AccountKind::Available),
            currency,
        ),
    )
}

fn sorted((code, currency): &Key) -> (String, String) {
    (code.as_str().to_owned(), currency.code().to_owned())
}

/// The accounts of all captures, by one look; only a first deposit opens one.
pub(super) async fn of_captures(tx: &mut dyn Tx, plans: &[Plan<'_>], now: Timestamp) -> Result<Wallets> {
    // In order of code, so that two batches that open the same accounts wait for each other in one order.
    let mut wanted = BTreeMap::new();
    for plan in plans.iter().filter(|it| it.captures) {
        let (clearing, available) = keys(plan);
        wanted.insert(sorted(&clearing), (clearing, plan, true));
        wanted.insert(sorted(&available), (available, plan, false));
    }
    let codes: Vec<_> = wanted.values().map(|(key, ..)| key.clone()).collect();
    let mut found: HashMap<Key, Account> = if codes.is_empty() {
        HashMap::new()
    } else {
        let found = tx.accounts_by_code(&codes).await?;
        found
            .into_iter()
            .map(|it| ((it.code.clone(), it.currency), it))
            .collect()
    };
    for (key, plan, clearing) in wanted.into_values() {
        if found.contains_key(&key) {
            continue;
        }
        let account = if clearing {
            wallets::psp_clearing(tx, &plan.row.provider, key.1, now).await?
        } else {
            wallets::of_player(tx, plan.deposit.player, AccountKind::Available, key.1, now).await?
        };
        found.insert(key, account);
    }
    Ok(Wallets(found))
}

//! Accounts by code, kept in memory. Nothing of an account ever changes, so nothing here goes stale.

use std::collections::HashMap;
use std::sync::RwLock;

use mizan_core::{Currency, TenantId};
use mizan_ledger::{Account, AccountCode};
use mizan_store::{Store, StoreError};

/// More than this are not kept; the book is emptied and fills again.
const MOST: usize = 500_000;

type Codes = HashMap<(AccountCode, Currency), Account>;

#[derive(Debug, Default)]
pub struct AccountBook(RwLock<HashMap<TenantId, Codes>>);

impl AccountBook {
    /// The accounts that exist among these.
    pub async fn find(
        &self,
        store: &dyn Store,
        tenant: TenantId,
        wanted: &[(AccountCode, Currency)],
    ) -> Result<HashMap<(AccountCode, Currency), Account>, StoreError> {
        let (mut found, missing) = self.look_up(tenant, wanted);
        if !missing.is_empty() {
            let mut tx = store.read(tenant).await?;
            let read = tx.accounts_by_code(&missing).await?;
            tx.rollback().await?;
            let read = read.into_iter().map(|it| ((it.code.clone(), it.currency), it));
            let read: Vec<_> = read.collect();
            self.keep(tenant, &read);
            found.extend(read);
        }
        Ok(found)
    }

    fn look_up(
        &self,
        tenant: TenantId,
        wanted: &[(AccountCode, Currency)],
    ) -> (Codes, Vec<(AccountCode, Currency)>) {
        let book = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(known) = book.get(&tenant) else {
            return (HashMap::new(), wanted.to_vec());
        };
        let mut found = HashMap::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for key in wanted {
            match known.get(key) {
                Some(account) => {
                    found.insert(key.clone(), account.clone());
                }
                None => missing.push(key.clone()),
            }
        }
        (found, missing)
    }

    fn keep(&self, tenant: TenantId, read: &[((AccountCode, Currency), Account)]) {
        let mut book = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if book.values().map(HashMap::len).sum::<usize>() + read.len() > MOST {
            book.clear();
        }
        book.entry(tenant).or_default().extend(read.iter().cloned());
    }
}

//! Ledger accounts and their balances.

use async_trait::async_trait;
use mizan_core::{AccountId, Currency, Minor, PlayerId, Timestamp, TransactionId};
use mizan_ledger::{Account, AccountCode, AccountKind, PostingKind};

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    pub code: AccountCode,
    pub kind: AccountKind,
    pub currency: Currency,
    pub player: Option<PlayerId>,
    pub may_go_negative: bool,
    pub created_at: Timestamp,
}

/// An account with its balance now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountWithBalance {
    pub account: Account,
    /// Credits less debits.
    pub posted: Minor,
    /// Grows with every batch that changed the balance.
    pub version: i64,
}

#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    pub kind: Option<AccountKind>,
    pub currency: Option<Currency>,
    pub player: Option<PlayerId>,
    /// Codes that begin so; `%` and `_` mean themselves.
    pub code_prefix: Option<String>,
}

/// A wallet of a player in one currency, the way `wallet_balances` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletBalance {
    pub currency: Currency,
    pub available: Minor,
    pub held: Minor,
    pub version: i64,
}

/// One journal row as one of its accounts sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key of keyset paging.
    pub seq: i64,
    pub transaction: TransactionId,
    pub leg: i16,
    pub kind: PostingKind,
    /// Negative when the account was debited.
    pub amount: Minor,
    pub currency: Currency,
    /// What the account held after it, where that was known.
    pub balance_after: Option<Minor>,
    /// The other account.
    pub counterpart: AccountId,
    pub reference: Option<String>,
    pub posted_at: Timestamp,
}

#[async_trait]
pub trait Accounts {
    /// Opens an account with a balance of 0, or finds the one that has the code and currency already.
    /// Two callers at once get the same account. The flag says whether it was opened now.
    async fn open_account(&mut self, account: &NewAccount) -> Result<(Account, bool)>;

    async fn account(&mut self, id: AccountId) -> Result<Option<AccountWithBalance>>;

    async fn account_by_code(
        &mut self,
        code: &AccountCode,
        currency: Currency,
    ) -> Result<Option<AccountWithBalance>>;

    /// The accounts that exist among these, in any order.
    async fn accounts_by_code(&mut self, codes: &[(AccountCode, Currency)]) -> Result<Vec<Account>>;

    /// Newest first.
    async fn accounts(
        &mut self,
        filter: &AccountFilter,
        page: &Page<AccountId>,
    ) -> Result<Paged<AccountWithBalance, AccountId>>;

    /// All wallets of a player, by currency.
    async fn wallet(&mut self, player: PlayerId) -> Result<Vec<WalletBalance>>;

    /// The balance of an account with everything that was posted up to and at `at`.
    /// [`crate::StoreError::Archived`] where that is a time of which rows are in an archive.
    async fn balance_at(&mut self, account: AccountId, at: Timestamp) -> Result<Minor>;

    /// The entries of an account, newest first, keyed by `seq`. [`crate::Start::Offset`] is allowed. A page that ends
    /// where the archive begins has a next one, and that one is [`crate::StoreError::Archived`]; so is every page
    /// that would have archived entries alone.
    async fn entries(&mut self, account: AccountId, page: &Page<i64>) -> Result<Paged<Entry, i64>>;
}

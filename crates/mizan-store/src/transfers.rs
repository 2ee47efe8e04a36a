//! The journal: locking balances, appending rows, reading transactions back.

use async_trait::async_trait;
use mizan_core::{AccountId, Minor, Timestamp, TransactionId};
use mizan_ledger::posting::PostedLeg;
use mizan_ledger::{Known, NewTransaction, PostingKind, Transfer};

use crate::Result;

/// What one batch writes.
#[derive(Debug)]
pub struct PostingBatch<'a> {
    /// The transactions that post, in order, with their legs.
    pub transactions: Vec<(&'a NewTransaction, &'a [PostedLeg])>,
    /// The change of every touched account, sorted by account; none is 0.
    pub deltas: Vec<(AccountId, i128)>,
    pub posted_at: Timestamp,
}

/// A transaction as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTransaction {
    pub id: TransactionId,
    pub kind: PostingKind,
    pub legs: Vec<Transfer>,
    pub reverses: Option<TransactionId>,
    pub reversed_by: Option<TransactionId>,
    pub reference: Option<String>,
    pub metadata: Option<String>,
    pub fingerprint: [u8; 16],
    pub posted_at: Timestamp,
}

#[async_trait]
pub trait Transfers {
    /// Locks the balances of these accounts until the transaction ends, with one plain scan in order of id,
    /// and reads them. The ids are sorted and unique. Accounts of other tenants and unknown ones are left out.
    ///
    /// On PostgreSQL it also takes the shared lock that lets the sealer see which rows are complete.
    async fn lock_balances(&mut self, accounts: &[AccountId]) -> Result<Vec<(AccountId, Minor)>>;

    /// The fingerprints of those transactions that were posted, also where their rows are in an archive. Call it
    /// after [`Self::lock_balances`]. `rows` is how many journal rows may be written for them: a store that numbers
    /// them itself draws the numbers on the same way.
    async fn known_transactions(&mut self, ids: &[TransactionId], rows: usize) -> Result<Known>;

    /// Appends the journal rows and changes the balances. A transaction id that another process posted since
    /// [`Self::known_transactions`] is a [`crate::StoreError::Collision`].
    async fn write_postings(&mut self, batch: &PostingBatch<'_>) -> Result<()>;

    /// [`crate::StoreError::Archived`] where it was posted and its rows are in an archive.
    async fn transaction(&mut self, id: TransactionId) -> Result<Option<StoredTransaction>>;

    /// Takes the right to reverse `original`; `false` if it was reversed before. A rival waits until the
    /// first one commits.
    async fn claim_reversal(&mut self, original: TransactionId, reversal: TransactionId) -> Result<bool>;
}

//! Statements that were uploaded: what they are, where their bytes are, and what was read of them.

use async_trait::async_trait;
use mizan_core::{ProviderKey, StatementId, TimeWindow, Timestamp};

use crate::{Page, Paged, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStatement {
    pub id: StatementId,
    pub provider: ProviderKey,
    /// The file's own name.
    pub name: String,
    /// 1 for the first file of that name, 2 for the next that differs.
    pub version: i32,
    /// `generic`, `stripe`, `camt053`, …
    pub format: String,
    /// Lower-case hex.
    pub sha256: String,
    pub bytes: i64,
    /// Where the object store has it.
    pub object_key: String,
    /// Where the object store has its rows that could not be read, as CSV.
    pub quarantine_key: Option<String>,
    /// The map of columns that it is read with, as it was sent (TOML).
    pub map: Option<String>,
    pub period: Option<TimeWindow>,
    pub rows_read: i64,
    pub rows_quarantined: i64,
    /// What the file says of itself against what was read: a JSON array.
    pub checks: String,
    pub uploaded_by: String,
    pub created_at: Timestamp,
}

/// What became of a new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is kept, as this version of its name.
    As(i32),
    /// The provider has the same bytes already.
    Known(Box<StoredStatement>),
}

#[async_trait]
pub trait Statements {
    /// Keeps a statement; its `version` is given by the store. The same bytes are kept once per provider.
    async fn insert_statement(&mut self, statement: &StoredStatement) -> Result<Inserted>;

    async fn statement(&mut self, id: StatementId) -> Result<Option<StoredStatement>>;

    async fn statement_by_sha256(
        &mut self,
        provider: &ProviderKey,
        sha256: &str,
    ) -> Result<Option<StoredStatement>>;

    /// Newest first.
    async fn statements(
        &mut self,
        provider: Option<&ProviderKey>,
        page: &Page<StatementId>,
    ) -> Result<Paged<StoredStatement, StatementId>>;
}

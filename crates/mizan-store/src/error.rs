//! What can go wrong in a store, in words that a flow can act on.

/// An error of a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or the pool gave no connection in time. Nothing was committed, or it is
    /// not known whether it was: callers with a key may ask again.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another transaction came first (serialization failure, deadlock, a unique key taken meanwhile).
    /// The whole transaction may be tried again.
    #[error("another transaction came first ({what})")]
    Collision { what: String },
    /// A balance would leave the range of a 64-bit integer.
    #[error("a balance would be larger than can be kept")]
    Overflow,
    /// A constraint of the database refused the write: a bug in the caller, or a hand in the database.
    #[error("constraint {constraint} refused a write to {table}")]
    Constraint { table: String, constraint: String },
    /// A stored value that cannot be read.
    #[error("{table}.{column} of row {id} cannot be read: {problem}")]
    Corrupt {
        table: &'static str,
        column: &'static str,
        id: String,
        problem: String,
    },
    /// A write that must touch a known number of rows touched another number.
    #[error("{statement} touched {touched} rows instead of {expected}")]
    RowCount {
        statement: &'static str,
        expected: u64,
        touched: u64,
    },
    /// The rows were moved to an archive; the database answers for the rest.
    #[error("journal rows up to {up_to} are in the archive")]
    Archived { up_to: i64 },
    /// The database lacks tables or columns of this version.
    #[error("the database is not migrated to this version")]
    NotMigrated(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database refused a statement")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same transaction may succeed if it is tried again at once.
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Collision { .. })
    }

    pub fn corrupt(
        table: &'static str,
        column: &'static str,
        id: impl ToString,
        problem: impl ToString,
    ) -> Self {
        Self::Corrupt {
            table,
            column,
            id: id.to_string(),
            problem: problem.to_string(),
        }
    }

    /// Checks that a write touched as many rows as it must.
    pub fn expect_rows(statement: &'static str, expected: u64, touched: u64) -> Result<(), Self> {
        if touched == expected {
            Ok(())
        } else {
            Err(Self::RowCount {
                statement,
                expected,
                touched,
            })
        }
    }
}

//! Journal rows in Parquet files: every column of the journal with its own type, so that any reader of Parquet can
//! use the archive without Mizan.
//!
//! Times are microseconds in UTC, ids are of the type UUID, amounts are minor units as 64-bit integers.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

/// The columns, in the order of [`mizan_ledger::chain::JournalRow`].
const SCHEMA: &str = "message journal {
    required int64 seq;
    required int32 tenant;
    required fixed_len_byte_array(16) transaction_id (UUID);
    required int32 leg (INTEGER(16, true));
    required binary kind (UTF8);
    required int64 debit_account_id;
    required int64 credit_account_id;
    required int64 amount;
    required binary currency (UTF8);
    optional int64 debit_after;
    optional int64 credit_after;
    optional fixed_len_byte_array(16) reverses (UUID);
    optional binary reference (UTF8);
    optional binary metadata (UTF8);
    required binary fingerprint;
    required int64 posted_at (TIMESTAMP(MICROS, true));
}";

/// Why a file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("column {column} of row {row}: {problem}")]
    Column {
        column: &'static str,
        /// From 0, within its row group.
        row: usize,
        problem: String,
    },
    #[error("it is no journal: its columns are not those that Mizan writes")]
    Schema,
}

#[cfg(test)]
mod tests;

//! The ledger: postings, their verdicts and replies, history, races, and what happens to those who tamper.

mod amounts;
#[cfg(feature = "parquet")]
mod archive;
mod bulk;
mod checks;
mod export;
mod fairness;
mod history;
mod interrupted;
mod posting;
mod races;
mod reversal;
mod tamper;

pub use crate::postings::{TRANSACTIONS, leg, post, transaction, transfer};

//! Double-entry rules: accounts, balances, postings, reversals and the chain of sealed blocks.
//!
//! Everything here is pure. A caller loads what a decision needs, asks for the decision and writes it down;
//! both stores run the very same decisions.

pub mod account;
pub mod balance;
pub mod chain;
pub mod posting;
pub mod reversal;
pub mod transaction;

pub use account::{Account, AccountCode, AccountKind, InvalidAccountCode};
pub use balance::{Balance, Book};
pub use posting::{Group, Known, Posted, Refusal, Verdict};
pub use transaction::{NewTransaction, PostingKind, Transfer};

//! Use cases: one function tells one story, from `begin` to `commit`.
//!
//! An edge extracts, calls one function of here and renders. A story loads what a decision needs, asks the
//! pure crates for it, writes what was decided, and puts follow-up work into the outbox of the same
//! transaction. Stories that may collide with a rival are run again by [`retry`].

pub mod accounts;
pub mod adjustments;
pub mod app;
pub mod audit;
pub mod bootstrap;
pub mod completeness;
pub mod connections;
pub mod deposits;
pub mod error;
pub mod finding_adjustments;
pub mod finding_work;
pub mod findings;
pub mod flags;
pub mod idempotency;
pub mod jobs;
pub mod ledger_archive;
pub mod ledger_verify;
pub mod login;
pub mod objects;
pub mod passwords;
pub mod payouts;
pub mod players;
pub mod posting;
pub mod queued_jobs;
mod recent;
pub mod recon_execute;
pub mod recon_files;
pub mod recon_runs;
pub mod recon_schedules;
pub mod retry;
pub mod seal;
pub mod sessions;
pub mod shares;
pub mod staff;
pub mod statements;
pub mod tenants;
pub mod transfers;
pub mod views;
pub mod wallets;
pub mod webhook_apply;
pub mod webhook_inbox;
pub mod webhook_intake;
pub mod withdrawals;
pub mod writer;

pub use app::{App, Caller};
pub use error::FlowError;
pub use idempotency::{Keyed, Reply};

/// What a story answers.
pub type Result<T, E = FlowError> = std::result::Result<T, E>;

//! Journeys over HTTP and the command line, against the real binary, on every store.

mod finance;
mod gate;
mod harness;
mod postings;
mod psp;
mod sql;
mod verbs;

mod access;
mod cli;
mod idempotency;
mod killed;
mod late_payouts;
mod ledger;
mod money_path;
mod payouts;
mod probes;
mod queue;
mod recon;
mod secrecy;
mod webhook_batches;
mod webhook_effects;
mod webhook_limits;
mod webhook_orders;
mod webhook_signatures;
mod withdrawal_races;
mod withdrawal_review;
mod withdrawal_states;

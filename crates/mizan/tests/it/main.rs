//! Journeys over HTTP and the command line, against the real binary, on every store.

mod finance;
mod harness;
mod psp;
mod verbs;

mod late_payouts;
mod money_path;
mod payouts;
mod withdrawal_races;
mod withdrawal_review;
mod withdrawal_states;

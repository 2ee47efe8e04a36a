//! What is particular to SQLite, and every method of the contract once. The suite that both stores share is with
//! the binary.

mod harness;
mod ledger;
mod migrations;
mod payments;
mod people;
mod platform;
mod recon;
mod statements;
mod transactions;
mod verify;

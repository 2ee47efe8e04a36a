//! The storage contract on SQLite: one file, nothing to install.
//!
//! One thread owns the connection that writes, so writers of this process queue up in order; readers have
//! connections of their own and see one moment of the write-ahead log. Other processes may use the same file.

mod accounts;
mod api_keys;
mod audit;
mod cells;
mod chain;
mod completeness;
mod connections;
mod deposits;
mod effects;
mod error;
mod finding_adjustments;
mod finding_events;
mod findings;
mod flags;
mod idempotency;
mod lane;
pub mod migrate;
mod open;
mod outbox;
mod paging;
mod partitions;
mod payouts;
mod platform;
mod players;
mod recon_runs;
mod recon_schedules;
mod session;
mod staff;
mod statement;
mod statement_files;
mod store;
mod tenants;
mod transfers;
mod tx;
mod verify;
mod webhooks;
mod withdrawals;

pub use open::SqliteConfig;
pub use store::SqliteStore;

/// Every statement that the store runs, as (name, SQL): what a test prepares on a migrated database.
pub fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        accounts::STATEMENTS,
        accounts::history::STATEMENTS,
        api_keys::STATEMENTS,
        audit::STATEMENTS,
        chain::STATEMENTS,
        completeness::STATEMENTS,
        connections::STATEMENTS,
        deposits::STATEMENTS,
        effects::STATEMENTS,
        finding_adjustments::STATEMENTS,
        finding_events::STATEMENTS,
        findings::STATEMENTS,
        findings::UPSERTS,
        flags::STATEMENTS,
        idempotency::STATEMENTS,
        outbox::STATEMENTS,
        payouts::STATEMENTS,
        platform::STATEMENTS,
        platform::jobs::STATEMENTS,
        platform::relay::STATEMENTS,
        platform::queued_jobs::STATEMENTS,
        platform::signing_keys::STATEMENTS,
        players::STATEMENTS,
        recon_runs::STATEMENTS,
        recon_schedules::STATEMENTS,
        session::STATEMENTS,
        staff::STATEMENTS,
        statement_files::STATEMENTS,
        store::STATEMENTS,
        tenants::STATEMENTS,
        transfers::STATEMENTS,
        verify::STATEMENTS,
        verify::movements::STATEMENTS,
        webhooks::STATEMENTS,
        withdrawals::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .map(|it| (it.name, it.sql))
}

//! Every SQL statement of this crate, by name, so that one test can prepare them all on a migrated database.

/// Names SQL statements and registers them, so that none can be forgotten by the test that prepares them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)+

        pub(crate) const STATEMENTS: &[(&str, &str)] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+];
    };
}
pub(crate) use statements;

/// The name and the text of every statement that this crate runs on tables, each ready to be pasted into psql.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        crate::accounts::STATEMENTS,
        crate::api_keys::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::chain::STATEMENTS,
        crate::completeness::STATEMENTS,
        crate::connections::STATEMENTS,
        crate::deposits::STATEMENTS,
        crate::effects::STATEMENTS,
        crate::finding_adjustments::STATEMENTS,
        crate::finding_events::STATEMENTS,
        crate::findings::STATEMENTS,
        crate::flags::STATEMENTS,
        crate::idempotency::STATEMENTS,
        crate::journal::STATEMENTS,
        crate::outbox::STATEMENTS,
        crate::outbox::relay::STATEMENTS,
        crate::outbox::shown::STATEMENTS,
        crate::partitions::STATEMENTS,
        crate::payouts::STATEMENTS,
        crate::players::STATEMENTS,
        crate::recon_runs::STATEMENTS,
        crate::recon_schedules::STATEMENTS,
        crate::revisions::STATEMENTS,
        crate::signing_keys::STATEMENTS,
        crate::staff::STATEMENTS,
        crate::statement_files::STATEMENTS,
        crate::tenants::STATEMENTS,
        crate::transfers::STATEMENTS,
        crate::verify::STATEMENTS,
        crate::webhooks::STATEMENTS,
        crate::withdrawals::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

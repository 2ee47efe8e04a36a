//! The revisions for PostgreSQL, embedded. A new one is two files and one line here.

use mizan_store::migrate::Revision;

macro_rules! revision {
    ($id:literal, $name:literal, $stem:literal) => {
        Revision {
            id: $id,
            name: $name,
            up: include_str!(concat!("../../migrations/", $stem, ".up.sql")),
            down: include_str!(concat!("../../migrations/", $stem, ".down.sql")),
        }
    };
}

/// All revisions of this binary, oldest first.
pub const REVISIONS: &[Revision] = &[
    revision!("0001", "application role", "0001_application_role"),
    revision!("0002", "tenants and people", "0002_tenants_and_people"),
    revision!("0003", "ledger", "0003_ledger"),
    revision!(
        "0004",
        "deposits and withdrawals",
        "0004_deposits_and_withdrawals"
    ),
    revision!("0005", "webhooks and jobs", "0005_webhooks_and_jobs"),
    revision!("0006", "audit and flags", "0006_audit_and_flags"),
    revision!("0007", "reconciliation runs", "0007_reconciliation_runs"),
    revision!("0008", "reconciliation findings", "0008_reconciliation_findings"),
    revision!("0009", "findings work", "0009_findings_work"),
    revision!("0010", "queue and schedules", "0010_queue_and_schedules"),
    revision!("0011", "statements", "0011_statements"),
    revision!("0012", "journal partitions", "0012_journal_partitions"),
    revision!("0013", "bank statements of runs", "0013_bank_statements_of_runs"),
];

#[cfg(test)]
mod tests {
    use super::REVISIONS;
    use std::collections::BTreeSet;

    #[test]
    fn every_migration_file_belongs_to_a_revision_and_is_numbered_in_line() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files: BTreeSet<_> = std::fs::read_dir(directory)
            .expect("the migrations")
            .map(|it| it.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        let mut named = BTreeSet::new();
        for (index, revision) in REVISIONS.iter().enumerate() {
            assert_eq!(revision.id, format!("{:04}", index + 1));
            let stem = format!("{}_{}", revision.id, revision.name.replace(' ', "_"));
            named.extend([format!("{stem}.up.sql"), format!("{stem}.down.sql")]);
        }
        assert_eq!(files, named);
    }
}

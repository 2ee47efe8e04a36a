//! A step as SQL text: what a store runs, and what `--sql` prints for somebody else to run.

use super::{Direction, Revision, Step};

/// A first line like this makes a file run statement by statement, outside a transaction.
const NO_TRANSACTION: &str = "-- mizan: no-transaction";

/// The SQL of a store around a migration.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Before a transaction; may be empty.
    pub prepare: &'static str,
    pub begin: &'static str,
    /// Before the commit, for checks of the whole; may be empty.
    pub verify: &'static str,
    pub commit: &'static str,
    /// Makes `mizan_migrations` if it is not there.
    pub ensure_table: &'static str,
    /// Records `:revision`, `:name` and `:checksum` as applied now.
    pub record: &'static str,
    /// The same, unless the revision is recorded.
    pub record_if_absent: &'static str,
    /// Forgets `:revision`.
    pub forget: &'static str,
    /// Forgets what is not among `:rows`, each `(revision, checksum)`.
    pub forget_others: &'static str,
    pub forget_all: &'static str,
}

impl Dialect {
    /// Records what the step did. To run in its transaction, after its SQL: the rights that the first
    /// migration gives then cover the table.
    pub fn record(&self, step: &Step) -> String {
        match step.direction {
            Direction::Up => format!("{}\n{}", self.ensure_table, filled(self.record, &step.revision)),
            Direction::Down => filled(self.forget, &step.revision),
        }
    }

    /// Makes these revisions the ones that are recorded; those that are recorded as they are keep their time.
    pub fn stamp(&self, revisions: &[Revision]) -> String {
        let mut parts = vec![self.ensure_table.to_owned()];
        if revisions.is_empty() {
            parts.push(self.forget_all.to_owned());
        } else {
            let rows: Vec<_> = revisions
                .iter()
                .map(|it| format!("({}, {})", literal(it.id), literal(&it.checksum())))
                .collect();
            parts.push(self.forget_others.replace(":rows", &rows.join(", ")));
        }
        parts.extend(revisions.iter().map(|it| filled(self.record_if_absent, it)));
        parts.join("\n")
    }

    /// The whole of `--sql` for one step.
    pub fn script(&self, step: &Step) -> String {
        let sql = step.sql().trim_end();
        let record = self.record(step);
        if runs_outside_transaction(sql) {
            return format!("-- {step}\n{sql}\n{record}\n");
        }
        self.in_transaction(&format!("-- {step}"), &format!("{sql}\n{record}"))
    }

    /// `sql` between begin and commit, below a line of comment.
    pub fn in_transaction(&self, title: &str, sql: &str) -> String {
        let parts = [
            title,
            self.prepare,
            self.begin,
            sql.trim_end(),
            self.verify,
            self.commit,
        ];
        let mut text = String::new();
        for part in parts.into_iter().filter(|it| !it.is_empty()) {
            text.push_str(part);
            text.push('\n');
        }
        text
    }
}

fn filled(template: &str, revision: &Revision) -> String {
    template
        .replace(":revision", &literal(revision.id))
        .replace(":name", &literal(revision.name))
        .replace(":checksum", &literal(&revision.checksum()))
}

/// Whether a file asks to run statement by statement, outside a transaction.
pub fn runs_outside_transaction(sql: &str) -> bool {
    sql.trim_start().starts_with(NO_TRANSACTION)
}

/// A string of SQL; ids, names and checksums are our own and hold no backslash.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{Dialect, runs_outside_transaction};
    use crate::migrate::plan::tests::ALL;
    use crate::migrate::{Direction, Step};

    const DIALECT: Dialect = Dialect {
        prepare: "",
        begin: "BEGIN;",
        verify: "",
        commit: "COMMIT;",
        ensure_table: "MAKE;",
        record: "ADD (:revision, :name, :checksum);",
        record_if_absent: "ADD? (:revision, :name, :checksum);",
        forget: "DROP :revision;",
        forget_others: "KEEP :rows;",
        forget_all: "CLEAR;",
    };

    #[test]
    fn a_step_is_recorded_in_its_own_transaction_and_after_its_sql() {
        let step = Step {
            direction: Direction::Up,
            revision: ALL[0],
            previous: None,
        };
        let expected = format!(
            "-- Running upgrade  -> 0001, roles\nBEGIN;\nCREATE ROLE\nMAKE;\nADD ('0001', 'roles', '{}');\nCOMMIT;\n",
            ALL[0].checksum()
        );
        assert_eq!(DIALECT.script(&step), expected);
        let back = Step {
            direction: Direction::Down,
            ..step
        };
        assert_eq!(
            DIALECT.script(&back),
            "-- Running downgrade 0001 -> , roles\nBEGIN;\nDROP\n\
             DROP '0001';\nCOMMIT;\n"
        );
    }

    #[test]
    fn a_stamp_forgets_the_others_and_keeps_what_is_as_it_should_be() {
        let sum = ALL[0].checksum();
        assert_eq!(
            DIALECT.stamp(&ALL[..1]),
            format!("MAKE;\nKEEP ('0001', '{sum}');\nADD? ('0001', 'roles', '{sum}');")
        );
        assert_eq!(DIALECT.stamp(&[]), "MAKE;\nCLEAR;");
    }

    #[test]
    fn a_file_that_asks_for_it_gets_no_transaction() {
        assert!(runs_outside_transaction(
            "\n-- mizan: no-transaction\nCREATE INDEX CONCURRENTLY"
        ));
        assert!(!runs_outside_transaction("-- not -- mizan: no-transaction"));
        let mut revision = ALL[0];
        revision.up = "-- mizan: no-transaction\nVACUUM;";
        let step = Step {
            direction: Direction::Up,
            revision,
            previous: None,
        };
        assert!(!DIALECT.script(&step).contains("BEGIN"));
    }
}

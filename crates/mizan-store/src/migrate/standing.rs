//! How a database stands against this binary: for `/api/ready`, `migrate current` and every plan.

use super::{Applied, Revision};

/// How a database stands against the revisions of this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// All that this binary knows is applied, and nothing else.
    Head,
    /// These are not applied yet.
    Behind { missing: Vec<&'static str> },
    /// All is applied, and then revisions that only a newer binary knows.
    Ahead { unknown: Vec<String> },
    /// The histories differ at this revision.
    Diverged { revision: String, why: String },
    /// The database could not be asked, or what it said cannot be read.
    Unknown,
}

impl Standing {
    /// The word of `/api/ready` and of the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Behind { .. } => "behind",
            Self::Ahead { .. } => "ahead",
            Self::Diverged { .. } => "diverged",
            Self::Unknown => "unknown",
        }
    }

    /// Exit status of `mizan migrate current --check-heads`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Head => 0,
            Self::Behind { .. } => 1,
            Self::Ahead { .. } => 2,
            Self::Diverged { .. } => 3,
            Self::Unknown => 4,
        }
    }
}

/// Judges by ids alone; `applied` is oldest first, `all` are the revisions of this binary.
pub fn standing(applied: &[String], all: &'static [Revision]) -> Standing {
    for (have, known) in applied.iter().zip(all) {
        if have != known.id {
            return Standing::Diverged {
                revision: known.id.to_owned(),
                why: format!("{have} is applied where {} is expected", known.id),
            };
        }
    }
    if applied.len() > all.len() {
        return Standing::Ahead {
            unknown: applied[all.len()..].to_vec(),
        };
    }
    let missing: Vec<_> = all[applied.len()..].iter().map(|it| it.id).collect();
    if missing.is_empty() {
        Standing::Head
    } else {
        Standing::Behind { missing }
    }
}

/// As [`standing`], and an applied revision whose file has been edited since is `Diverged` too.
pub fn standing_of(applied: &[Applied], all: &'static [Revision]) -> Standing {
    let ids: Vec<_> = applied.iter().map(|it| it.revision.clone()).collect();
    let by_ids = standing(&ids, all);
    if matches!(by_ids, Standing::Diverged { .. }) {
        return by_ids;
    }
    let edited = applied
        .iter()
        .zip(all)
        .find(|(have, known)| have.checksum != known.checksum());
    match edited {
        None => by_ids,
        Some((have, known)) => Standing::Diverged {
            revision: known.id.to_owned(),
            why: format!(
                "what was applied as {} has the checksum {}, this version's file has {}",
                known.id,
                shortened(&have.checksum),
                shortened(&known.checksum())
            ),
        },
    }
}

fn shortened(checksum: &str) -> String {
    checksum.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::{Standing, standing, standing_of};
    use crate::migrate::plan::tests::{ALL, applied};

    #[track_caller]
    fn check(applied: &[&str], expected: &str) {
        let applied: Vec<_> = applied.iter().map(|it| (*it).to_owned()).collect();
        let found = match standing(&applied, ALL) {
            Standing::Behind { missing } => format!("behind by {}", missing.join(" ")),
            Standing::Ahead { unknown } => format!("ahead by {}", unknown.join(" ")),
            Standing::Diverged { revision, .. } => format!("diverged at {revision}"),
            other => other.word().to_owned(),
        };
        assert_eq!(found, expected, "{applied:?}");
    }

    #[test]
    fn a_database_stands_where_its_history_says() {
        check(&["0001", "0002", "0003"], "head");
        check(&[], "behind by 0001 0002 0003");
        check(&["0001", "0002"], "behind by 0003");
        check(&["0001", "0002", "0003", "0004", "0005"], "ahead by 0004 0005");
        check(&["0001", "0003"], "diverged at 0002");
        check(&["0002"], "diverged at 0001");
        check(&["0001", "0002", "0004"], "diverged at 0003");
        check(&["a1b2c3"], "diverged at 0001");
    }

    #[test]
    fn an_edited_migration_that_is_applied_is_named() {
        let mut rows = applied(2);
        assert_eq!(standing_of(&rows, ALL).word(), "behind");
        rows[1].checksum = "0".repeat(64);
        match standing_of(&rows, ALL) {
            Standing::Diverged { revision, why } => {
                assert_eq!(revision, "0002");
                assert!(why.contains("000000000000,"), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let diverged = Standing::Diverged {
            revision: String::new(),
            why: String::new(),
        };
        let codes = [
            Standing::Head,
            Standing::Behind { missing: vec![] },
            Standing::Ahead { unknown: vec![] },
            diverged,
            Standing::Unknown,
        ];
        assert_eq!(codes.map(|it| it.exit_code()), [0, 1, 2, 3, 4]);
    }
}

//! "Already exists" is classified, never papered over: may a step run on the schema that is there?

use super::{Difference, Expected, Snapshot, Step};

/// What a step meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// None of what it creates is there: it may run.
    Apply,
    /// All that it creates is there, exactly as it would be: somebody ran it without recording it.
    Stamp,
    /// A name is taken by something else, or only a part is there.
    Conflict {
        /// The names that are taken.
        taken: Vec<String>,
        /// Never empty.
        differences: Vec<Difference>,
    },
}

/// Compares what `step` (upwards) would create with what is there.
pub fn classify(step: &Step, expected: &Expected, live: &Snapshot) -> Class {
    let created = expected.created_by(step.revision.id, step.previous);
    let taken: Vec<_> = created
        .objects
        .keys()
        .filter(|it| live.objects.contains_key(*it))
        .cloned()
        .collect();
    if taken.is_empty() {
        return Class::Apply;
    }
    let mut differences = created.differences(live);
    if differences.is_empty() {
        return Class::Stamp;
    }
    // What is in the way comes before what is merely not there yet.
    differences.sort_by_key(|it| !taken.contains(&it.object));
    Class::Conflict { taken, differences }
}

#[cfg(test)]
mod tests {
    use super::{Class, classify};
    use crate::migrate::plan::tests::ALL;
    use crate::migrate::snapshot::tests::snapshot;
    use crate::migrate::{Direction, Expected, Step};

    #[track_caller]
    fn check(live: &str, expected: &str) {
        let series = [
            ("0001", snapshot("")),
            ("0002", snapshot("people: x=1")),
            ("0003", snapshot("people: x=2\njournal: x=1\nview totals: x=1")),
        ];
        let schema = Expected::from_series(series.map(|(id, it)| (id.to_owned(), it)));
        let step = Step {
            direction: Direction::Up,
            revision: ALL[2],
            previous: Some("0002"),
        };
        let found = match classify(&step, &schema, &snapshot(live)) {
            Class::Apply => "apply".to_owned(),
            Class::Stamp => "stamp".to_owned(),
            Class::Conflict { taken, differences } => {
                format!("{} taken; {}", taken.join(" "), differences[0])
            }
        };
        assert_eq!(found, expected, "{live}");
    }

    #[test]
    fn a_step_runs_only_where_nothing_is_in_its_way() {
        check("people: x=1", "apply");
        check("people: x=1\nforeign: x=9", "apply");
        check("people: x=1\njournal: x=1\nview totals: x=1", "stamp");
        check(
            "people: x=1\njournal: x=1",
            "journal taken; totals is missing (view)",
        );
        check(
            "people: x=1\nview totals: y=3",
            "totals taken; totals: x is missing (1)",
        );
        check(
            "people: x=1\nview journal: x=1\nview totals: x=1",
            "journal totals taken; journal is view, expected table",
        );
    }
}

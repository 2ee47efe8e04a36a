//! Which steps lead from what is applied to a target. Pure.

use std::fmt;

use super::{Applied, Revision, Standing, Target, standing_of};

/// Which way a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

impl Direction {
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "upgrade",
            Self::Down => "downgrade",
        }
    }
}

/// One revision, applied or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub direction: Direction,
    pub revision: Revision,
    /// The revision before this one; `None` before the first.
    pub previous: Option<&'static str>,
}

impl Step {
    /// Where the database stands before the step.
    pub fn from(&self) -> Option<&'static str> {
        match self.direction {
            Direction::Up => self.previous,
            Direction::Down => Some(self.revision.id),
        }
    }

    /// Where it stands after it.
    pub fn to(&self) -> Option<&'static str> {
        match self.direction {
            Direction::Up => Some(self.revision.id),
            Direction::Down => self.previous,
        }
    }

    /// The file that runs.
    pub fn sql(&self) -> &'static str {
        match self.direction {
            Direction::Up => self.revision.up,
            Direction::Down => self.revision.down,
        }
    }
}

/// `Running upgrade 0003 -> 0004, deposits and withdrawals`; nothing stands for "before the first".
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Running {} {} -> {}, {}",
            self.direction.word(),
            self.from().unwrap_or_default(),
            self.to().unwrap_or_default(),
            self.revision.name
        )
    }
}

/// Why there is no way to a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("there is no revision {0}")]
    NoSuchRevision(String),
    #[error("{0} is the beginning of several revisions: {1}")]
    Ambiguous(String, String),
    #[error("{target} goes beyond the {end}: {applied} of {known} revisions are applied")]
    OutOfRange {
        target: String,
        end: &'static str,
        applied: usize,
        known: usize,
    },
    #[error("{0} is not applied, so there is nothing to go back to")]
    NotApplied(String),
    #[error("{command} cannot go to {target}")]
    WrongDirection { command: &'static str, target: String },
    #[error("the database is ahead of this version of Mizan: it does not know {0}")]
    Ahead(String),
    #[error("the database has diverged at {revision}: {why}")]
    Diverged { revision: String, why: String },
}

impl PlanError {
    /// Whether the command line was wrong, and not the database.
    pub fn is_wrong_use(&self) -> bool {
        !matches!(self, Self::Ahead(_) | Self::Diverged { .. })
    }
}

/// The steps to `target`, in the order in which they run; none when the database is there.
///
/// Going up to a revision that is applied already asks for nothing. A database that is ahead or has diverged
/// gets no plan in either direction.
pub fn plan(
    direction: Direction,
    applied: &[Applied],
    all: &'static [Revision],
    target: &Target,
) -> Result<Vec<Step>, PlanError> {
    match standing_of(applied, all) {
        Standing::Ahead { unknown } => return Err(PlanError::Ahead(unknown.join(", "))),
        Standing::Diverged { revision, why } => return Err(PlanError::Diverged { revision, why }),
        Standing::Head | Standing::Behind { .. } | Standing::Unknown => {}
    }
    let now = applied.len();
    let goal = goal(direction, now, all, target)?;
    let step = |index: usize| Step {
        direction,
        revision: all[index],
        previous: index.checked_sub(1).map(|it| all[it].id),
    };
    match direction {
        Direction::Up => Ok((now..goal).map(step).collect()),
        Direction::Down if goal > now => Err(PlanError::NotApplied(target.to_string())),
        Direction::Down => Ok((goal..now).rev().map(step).collect()),
    }
}

/// How many revisions are applied when the target is reached.
fn goal(
    direction: Direction,
    now: usize,
    all: &'static [Revision],
    target: &Target,
) -> Result<usize, PlanError> {
    let out_of_range = |end| PlanError::OutOfRange {
        target: target.to_string(),
        end,
        applied: now,
        known: all.len(),
    };
    match (direction, target) {
        (_, Target::Rev(id)) => resolve(id, all).map(|index| index + 1),
        (Direction::Up, Target::Head) => Ok(all.len()),
        (Direction::Up, Target::Plus(count)) => now
            .checked_add(*count)
            .filter(|it| *it <= all.len())
            .ok_or_else(|| out_of_range("head")),
        (Direction::Down, Target::Base) => Ok(0),
        (Direction::Down, Target::Minus(count)) => {
            now.checked_sub(*count).ok_or_else(|| out_of_range("base"))
        }
        (Direction::Up, Target::Base | Target::Minus(_))
        | (Direction::Down, Target::Head | Target::Plus(_)) => Err(PlanError::WrongDirection {
            command: direction.word(),
            target: target.to_string(),
        }),
    }
}

/// Index of the revision that has this id, or the only one that begins with it.
pub fn resolve(id: &str, all: &[Revision]) -> Result<usize, PlanError> {
    if let Some(index) = all.iter().position(|it| it.id == id) {
        return Ok(index);
    }
    let mut matching = all.iter().enumerate().filter(|(_, it)| it.id.starts_with(id));
    match (matching.next(), matching.next()) {
        (Some((index, _)), None) => Ok(index),
        (None, _) => Err(PlanError::NoSuchRevision(id.to_owned())),
        (Some((_, one)), Some((_, other))) => {
            let mut ids = vec![one.id, other.id];
            ids.extend(matching.map(|(_, it)| it.id));
            Err(PlanError::Ambiguous(id.to_owned(), ids.join(", ")))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Applied, Direction, Direction::Down, Direction::Up, PlanError, Revision, plan};
    use mizan_core::Timestamp;

    const fn revision(id: &'static str, name: &'static str, up: &'static str) -> Revision {
        Revision {
            id,
            name,
            up,
            down: "DROP",
        }
    }

    pub(in super::super) const ALL: &[Revision] = &[
        revision("0001", "roles", "CREATE ROLE"),
        revision("0002", "people", "CREATE TABLE people"),
        revision("0003", "ledger", "CREATE TABLE journal"),
    ];

    pub(in super::super) fn applied(count: usize) -> Vec<Applied> {
        ALL[..count]
            .iter()
            .map(|it| Applied::of(it, Timestamp::UNIX_EPOCH))
            .collect()
    }

    #[track_caller]
    fn check(direction: Direction, count: usize, target: &str, expected: &[&str]) {
        let target = target.parse().expect("a target");
        let steps = plan(direction, &applied(count), ALL, &target).expect("a plan");
        let lines: Vec<_> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected, "{direction:?} {count} {target}");
    }

    #[test]
    fn steps_read_as_alembic_prints_them() {
        let (one, two, three) = (
            "Running upgrade  -> 0001, roles",
            "Running upgrade 0001 -> 0002, people",
            "Running upgrade 0002 -> 0003, ledger",
        );
        check(Up, 0, "head", &[one, two, three]);
        check(Up, 0, "+1", &[one]);
        check(Up, 1, "+2", &[two, three]);
        check(Up, 1, "0002", &[two]);
        check(Up, 3, "head", &[]);
        check(Up, 3, "0001", &[]);
        let (back_three, back_two, back_one) = (
            "Running downgrade 0003 -> 0002, ledger",
            "Running downgrade 0002 -> 0001, people",
            "Running downgrade 0001 -> , roles",
        );
        check(Down, 3, "-1", &[back_three]);
        check(Down, 3, "base", &[back_three, back_two, back_one]);
        check(Down, 3, "0001", &[back_three, back_two]);
        check(Down, 1, "-1", &[back_one]);
        check(Down, 0, "base", &[]);
    }

    #[track_caller]
    fn refused(direction: Direction, rows: &[Applied], target: &str, expected: &str, wrong_use: bool) {
        let target = target.parse().expect("a target");
        let error = plan(direction, rows, ALL, &target).expect_err("no way there");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.is_wrong_use(), wrong_use, "{expected}");
    }

    #[test]
    fn what_cannot_be_reached_is_refused_with_its_reason() {
        let none = applied(0);
        let two = applied(2);
        refused(Up, &two, "0009", "there is no revision 0009", true);
        refused(
            Up,
            &two,
            "00",
            "00 is the beginning of several revisions: 0001, 0002, 0003",
            true,
        );
        refused(
            Up,
            &two,
            "+2",
            "+2 goes beyond the head: 2 of 3 revisions are applied",
            true,
        );
        refused(
            Down,
            &two,
            "-3",
            "-3 goes beyond the base: 2 of 3 revisions are applied",
            true,
        );
        refused(
            Down,
            &none,
            "0001",
            "0001 is not applied, so there is nothing to go back to",
            true,
        );
        refused(Up, &two, "-1", "upgrade cannot go to -1", true);
        refused(Up, &two, "base", "upgrade cannot go to base", true);
        refused(Down, &two, "head", "downgrade cannot go to head", true);
        refused(Down, &two, "+1", "downgrade cannot go to +1", true);
    }

    #[test]
    fn a_database_that_is_ahead_or_edited_gets_no_plan_in_either_direction() {
        let mut ahead = applied(3);
        ahead.push(Applied {
            revision: "0004".into(),
            ..ahead[2].clone()
        });
        let why = "the database is ahead of this version of Mizan: it does not know 0004";
        refused(Up, &ahead, "head", why, false);
        refused(Down, &ahead, "-1", why, false);
        let mut edited = applied(1);
        edited[0].checksum = "f".repeat(64);
        let target = "head".parse().expect("a target");
        let error = plan(Up, &edited, ALL, &target).expect_err("edited");
        assert!(
            matches!(&error, PlanError::Diverged { revision, .. } if revision == "0001"),
            "{error}"
        );
    }
}

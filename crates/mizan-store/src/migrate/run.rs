//! The stories: upgrade, downgrade, stamp, check. The database and the reader of events are arguments.

use std::time::Duration;

use super::{
    Applied, Class, Difference, Direction, Migrate, MigrateError, Revision, Standing, Step, Target, classify,
    plan, resolve, standing_of,
};

/// How long a run waits for another one before it gives up, unless it is told otherwise.
pub const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// What happens during a run, as it happens.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Running(&'a Step),
    /// The step that has begun drops these: kind and name.
    Dropping(Vec<String>),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Newest revision before and after; `None` before the first.
    pub from: Option<String>,
    pub to: Option<String>,
    /// The steps that ran.
    pub steps: Vec<Step>,
    /// Why it went no further; `None` when the target is reached.
    pub stopped: Option<Stopped>,
}

/// Why an upgrade did not run its next step. Nothing of that step was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// What it creates is there, with the very same fingerprint.
    Stamp { step: Step },
    /// Something else has a name that it needs.
    Conflict {
        step: Step,
        taken: Vec<String>,
        differences: Vec<Difference>,
    },
}

/// How a stamp ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamped {
    Recorded {
        from: Option<String>,
        to: Option<String>,
    },
    /// The schema is not what the revision leaves behind; nothing was recorded.
    Refused { differences: Vec<Difference> },
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub current: Option<String>,
    pub standing: Standing,
    /// In what the schema is not what the applied revisions leave behind.
    pub differences: Vec<Difference>,
    /// Names in the schema that are not Mizan's; no drift.
    pub foreign: Vec<String>,
    /// Names that are not Mizan's and that a revision which is not applied yet needs for itself.
    pub in_the_way: Vec<String>,
}

impl Checked {
    /// Whether the schema is what the applied revisions leave behind, and all of them are known as they are.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && matches!(self.standing, Standing::Head | Standing::Behind { .. })
    }
}

/// Applies what is missing up to `target`, each step on its own; earlier steps stay when a later one stops.
pub async fn upgrade(
    database: &mut dyn Migrate,
    target: &Target,
    deadline: Duration,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Done, MigrateError> {
    // Replicas that start together mostly find head: they need not queue for the lock.
    let before = database.applied().await?;
    if *target == Target::Head && standing_of(&before, database.revisions()) == Standing::Head {
        return Ok(Done::at(&before));
    }
    database.lock(deadline).await?;
    let outcome = upgrade_locked(database, target, tell).await;
    unlock_after(database, outcome).await
}

async fn upgrade_locked(
    database: &mut dyn Migrate,
    target: &Target,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Done, MigrateError> {
    let applied = database.applied().await?;
    let mut done = Done::at(&applied);
    for step in plan(Direction::Up, &applied, database.revisions(), target)? {
        let live = database.live().await?;
        match classify(&step, database.expected(), &live) {
            Class::Apply => {}
            Class::Stamp => {
                done.stopped = Some(Stopped::Stamp { step });
                break;
            }
            Class::Conflict { taken, differences } => {
                done.stopped = Some(Stopped::Conflict {
                    step,
                    taken,
                    differences,
                });
                break;
            }
        }
        tell(Event::Running(&step));
        database.run_step(&step).await?;
        done.add(step);
    }
    Ok(done)
}

/// Takes revisions back down to `target`, each step on its own.
pub async fn downgrade(
    database: &mut dyn Migrate,
    target: &Target,
    deadline: Duration,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Done, MigrateError> {
    database.lock(deadline).await?;
    let outcome = downgrade_locked(database, target, tell).await;
    unlock_after(database, outcome).await
}

async fn downgrade_locked(
    database: &mut dyn Migrate,
    target: &Target,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Done, MigrateError> {
    let applied = database.applied().await?;
    let mut done = Done::at(&applied);
    for step in plan(Direction::Down, &applied, database.revisions(), target)? {
        let created = database.expected().created_by(step.revision.id, step.previous);
        let dropped = created.objects.iter();
        let dropped: Vec<_> = dropped.map(|(name, it)| format!("{} {name}", it.kind)).collect();
        tell(Event::Running(&step));
        if !dropped.is_empty() {
            tell(Event::Dropping(dropped));
        }
        database.run_step(&step).await?;
        done.add(step);
    }
    Ok(done)
}

/// [`upgrade`] to head: for programs that migrate before they start, and for tests.
pub async fn upgrade_to_head(
    database: &mut dyn Migrate,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Done, MigrateError> {
    upgrade(database, &Target::Head, LOCK_DEADLINE, tell).await
}

/// Records that the database is at `target` (head, base or a revision) and runs nothing.
///
/// Refuses when the schema is not what that revision leaves behind, unless `unchecked`.
pub async fn stamp(
    database: &mut dyn Migrate,
    target: &Target,
    unchecked: bool,
    deadline: Duration,
) -> Result<Stamped, MigrateError> {
    let all = database.revisions();
    let count = match target {
        Target::Head => all.len(),
        Target::Base => 0,
        Target::Rev(id) => resolve(id, all)? + 1,
        Target::Plus(_) | Target::Minus(_) => {
            return Err(super::PlanError::WrongDirection {
                command: "stamp",
                target: target.to_string(),
            }
            .into());
        }
    };
    database.lock(deadline).await?;
    let outcome = stamp_locked(database, &all[..count], unchecked).await;
    unlock_after(database, outcome).await
}

async fn stamp_locked(
    database: &mut dyn Migrate,
    revisions: &'static [Revision],
    unchecked: bool,
) -> Result<Stamped, MigrateError> {
    let to = revisions.last().map(|it| it.id);
    if !unchecked {
        let live = database.live().await?;
        let differences = database.expected().at(to).differences(&live);
        if !differences.is_empty() {
            return Ok(Stamped::Refused { differences });
        }
    }
    let from = database.applied().await?.last().map(|it| it.revision.clone());
    database.record(revisions).await?;
    Ok(Stamped::Recorded {
        from,
        to: to.map(str::to_owned),
    })
}

/// Compares the schema with what the applied revisions leave behind. Changes nothing and takes no lock.
pub async fn check(database: &mut dyn Migrate) -> Result<Checked, MigrateError> {
    let applied = database.applied().await?;
    let standing = standing_of(&applied, database.revisions());
    let current = applied.last().map(|it| it.revision.clone());
    let live = database.live().await?;
    // Of what a newer version applied, only the part that this one knows can be compared.
    let known = applied
        .iter()
        .rev()
        .find(|it| database.expected().revisions().any(|id| id == it.revision))
        .map(|it| it.revision.as_str());
    let expected = database.expected().at(known);
    let head = database.expected().at(database.expected().revisions().last());
    let (foreign, in_the_way) = expected
        .foreign_in(&live)
        .into_iter()
        .map(str::to_owned)
        .partition(|it| !head.objects.contains_key(it));
    Ok(Checked {
        current,
        standing,
        differences: expected.differences(&live),
        foreign,
        in_the_way,
    })
}

/// Gives the lock back, whatever happened; the first error counts.
async fn unlock_after<T>(
    database: &mut dyn Migrate,
    outcome: Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    let unlocked = database.unlock().await;
    let value = outcome?;
    unlocked?;
    Ok(value)
}

impl Done {
    fn at(applied: &[Applied]) -> Self {
        let now = applied.last().map(|it| it.revision.clone());
        Self {
            from: now.clone(),
            to: now,
            steps: Vec::new(),
            stopped: None,
        }
    }

    fn add(&mut self, step: Step) {
        self.to = step.to().map(str::to_owned);
        self.steps.push(step);
    }
}

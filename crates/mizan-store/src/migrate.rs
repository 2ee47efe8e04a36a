//! Migrations, without SQL and without a database: what there is, what is applied, and what to do about it.
//!
//! Revisions are embedded in the binary and form one line. [`plan()`] says which steps lead to a target,
//! [`standing()`] how a database stands against this binary, [`classify()`] whether a step may run at all.
//! A store implements [`Migrate`]; [`upgrade`], [`downgrade`], [`stamp`] and [`check`] are the stories.

mod classify;
mod error;
mod expected;
mod plan;
mod revision;
mod run;
mod script;
mod snapshot;
mod standing;
mod statements;
mod target;

use std::time::Duration;

use async_trait::async_trait;

pub use classify::{Class, classify};
pub use error::MigrateError;
pub use expected::{Expected, ExpectedError};
pub use plan::{Direction, PlanError, Step, plan, resolve};
pub use revision::{Applied, Revision};
pub use run::{
    Checked, Done, Event, LOCK_DEADLINE, Stamped, Stopped, check, downgrade, stamp, upgrade, upgrade_to_head,
};
pub use script::{Dialect, runs_outside_transaction};
pub use snapshot::{Difference, Kind, Object, Snapshot};
pub use standing::{Standing, standing, standing_of};
pub use statements::split;
pub use target::{Target, TargetError};

/// A database that can be migrated, over one connection of its own.
///
/// The connection is direct and works as the login user, never through the pool: the run lock belongs to the
/// session, and the service's role may not create tables.
#[async_trait]
pub trait Migrate: Send {
    /// The revisions of this binary, oldest first.
    fn revisions(&self) -> &'static [Revision];

    /// What each of them leaves behind.
    fn expected(&self) -> &Expected;

    /// What the database says is applied, oldest first. Empty when nothing ever was.
    async fn applied(&mut self) -> Result<Vec<Applied>, MigrateError>;

    /// Waits for the run lock at most for `deadline`; the error names who holds it.
    async fn lock(&mut self, deadline: Duration) -> Result<(), MigrateError>;

    /// Gives the run lock back.
    async fn unlock(&mut self) -> Result<(), MigrateError>;

    /// Runs one step and records it, both or neither (except where the file asks for no transaction).
    /// Waits for a lock of the database at most three seconds.
    async fn run_step(&mut self, step: &Step) -> Result<(), MigrateError>;

    /// Records exactly these revisions as applied and changes nothing else.
    async fn record(&mut self, revisions: &[Revision]) -> Result<(), MigrateError>;

    /// What the schema looks like now.
    async fn live(&mut self) -> Result<Snapshot, MigrateError>;
}

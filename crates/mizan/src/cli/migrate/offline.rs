//! `--sql`: prints what would run, for somebody else to run. Touches no database.

use std::io::Write;

use mizan_config::Database;
use mizan_core::Timestamp;
use mizan_store::migrate::{Applied, Direction, MigrateError, PlanError, Revision, Target, plan, resolve};
use serde_json::json;

use super::args::Range;
use super::database::{dialect, revisions};
use crate::cli::exit::{self, Exit};

/// The SQL of the steps from one revision to another.
pub(super) fn change(
    database: &Database,
    direction: Direction,
    range: &Range,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let all = revisions(database);
    let from = match (&range.from, direction) {
        (Some(from), _) => count(from, all)?,
        (None, Direction::Up) => 0,
        (None, Direction::Down) => {
            complain!("error: downgrade --sql needs FROM:TO, such as 0008:0007");
            return Ok(exit::WRONG_USE);
        }
    };
    // As if these were applied, as this binary has them.
    let applied: Vec<_> = all[..from]
        .iter()
        .map(|it| Applied::of(it, Timestamp::UNIX_EPOCH))
        .collect();
    let steps = plan(direction, &applied, all, &range.to).map_err(MigrateError::from)?;
    let dialect = dialect(database);
    let scripts: Vec<_> = steps.iter().map(|it| dialect.script(it)).collect();
    if json {
        writeln!(out, "{}", json!({ "ok": true, "sql": scripts }))?;
    } else {
        write!(out, "{}", scripts.join("\n"))?;
    }
    Ok(exit::DONE)
}

/// The SQL of a stamp.
pub(super) fn stamp(database: &Database, target: &Target, out: &mut impl Write) -> anyhow::Result<Exit> {
    let all = revisions(database);
    let dialect = dialect(database);
    let sql = dialect.stamp(&all[..count(target, all)?]);
    write!(
        out,
        "{}",
        dialect.in_transaction(&format!("-- stamp {target}"), &sql)
    )?;
    Ok(exit::DONE)
}

/// How many revisions are applied at a target that needs no database to be known.
fn count(target: &Target, all: &[Revision]) -> Result<usize, MigrateError> {
    match target {
        Target::Head => Ok(all.len()),
        Target::Base => Ok(0),
        Target::Rev(id) => Ok(resolve(id, all)? + 1),
        Target::Plus(_) | Target::Minus(_) => Err(PlanError::WrongDirection {
            command: "--sql",
            target: target.to_string(),
        }
        .into()),
    }
}

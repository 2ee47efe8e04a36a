//! `mizan migrate`: moves the database schema, and says where it stands.
//!
//! Exit: 0 done, 1 the answer is no (conflict, drift, history that differs), 2 wrong use, 3 could not do it;
//! `current --check-heads` has codes of its own.

mod args;
pub mod database;
mod offline;
mod words;

use std::io::Write;
use std::time::Duration;

use mizan_config::{Database, Settings};
use mizan_store::migrate::{
    Direction, Event, MigrateError, Stamped, Standing, check, downgrade, stamp, standing_of, upgrade,
};
use serde_json::{Value, json};

pub use args::MigrateArgs;
use args::{CurrentArgs, MigrateCommand, MoveArgs, StampArgs};
pub use database::{open, upgrade_to_head};

use super::exit::{self, Exit};

/// Runs the command; lines, or one JSON object, go to `out`, wrong use to stderr.
pub async fn run(
    args: MigrateArgs,
    settings: &Settings,
    out: &mut (impl Write + Send),
) -> anyhow::Result<Exit> {
    let json = args.json;
    let run = Run {
        database: &settings.database,
        json,
        deadline: Duration::from_secs(args.lock_timeout),
    };
    match run.command(args.command, out).await {
        Ok(exit) => Ok(exit),
        Err(error) => {
            if json {
                let said = crate::wire::masker().mask(&format!("{error:#}")).into_string();
                writeln!(out, "{}", json!({ "ok": false, "error": said }))?;
            }
            explain(error)
        }
    }
}

/// What could not be done is the caller's to say; a wrong argument or a history that differs is said here.
fn explain(error: anyhow::Error) -> anyhow::Result<Exit> {
    match error.downcast_ref::<MigrateError>() {
        Some(MigrateError::Plan(plan)) => {
            complain!("error: {plan}");
            Ok(if plan.is_wrong_use() {
                exit::WRONG_USE
            } else {
                exit::NO
            })
        }
        _ => Err(error),
    }
}

struct Run<'a> {
    database: &'a Database,
    json: bool,
    deadline: Duration,
}

impl Run<'_> {
    async fn command(&self, command: MigrateCommand, out: &mut (impl Write + Send)) -> anyhow::Result<Exit> {
        match command {
            MigrateCommand::Upgrade(args) => self.change(Direction::Up, args, out).await,
            MigrateCommand::Downgrade(args) => self.change(Direction::Down, args, out).await,
            MigrateCommand::Current(args) => self.current(&args, out).await,
            MigrateCommand::History(args) => self.history(args.verbose, out).await,
            MigrateCommand::Heads => self.heads(out),
            MigrateCommand::Stamp(args) => self.stamp(args, out).await,
            MigrateCommand::Check => self.check(out).await,
        }
    }

    /// `upgrade` and `downgrade`.
    async fn change(
        &self,
        direction: Direction,
        args: MoveArgs,
        out: &mut (impl Write + Send),
    ) -> anyhow::Result<Exit> {
        if args.sql {
            return offline::change(self.database, direction, &args.range, self.json, out);
        }
        if args.range.from.is_some() {
            complain!("error: FROM:TO is for --sql; where the database stands, it says itself");
            return Ok(exit::WRONG_USE);
        }
        let mut database = open(self.database).await?;
        let mut unwritten = None;
        let json = self.json;
        let mut tell = |event: Event<'_>| {
            if !json && let Err(error) = unless_nobody_reads(words::write_event(out, &event)) {
                unwritten = Some(error);
            }
        };
        let target = &args.range.to;
        let done = match direction {
            Direction::Up => upgrade(&mut *database, target, self.deadline, &mut tell).await?,
            Direction::Down => downgrade(&mut *database, target, self.deadline, &mut tell).await?,
        };
        unless_nobody_reads(if self.json {
            writeln!(out, "{}", words::done_json(direction, &done))
        } else {
            words::write_end(out, &done)
        })?;
        if let Some(error) = unwritten {
            return Err(error.into());
        }
        Ok(if done.stopped.is_some() {
            exit::NO
        } else {
            exit::DONE
        })
    }

    async fn current(&self, args: &CurrentArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
        let asked = self.standing().await;
        let (current, standing) = match asked {
            Ok(it) => it,
            Err(error) if args.check_heads => {
                self.say(
                    out,
                    &json!({ "ok": false, "standing": "unknown", "error": format!("{error:#}") }),
                    || format!("cannot tell: {error:#}"),
                )?;
                return Ok(Exit(Standing::Unknown.exit_code()));
            }
            Err(error) => return Err(error),
        };
        let head = database::revisions(self.database).last().map(|it| it.id);
        let view = json!({
            "ok": true, "current": current, "head": head, "standing": standing.word(),
            "detail": words::standing_detail(&standing),
        });
        self.say(out, &view, || {
            words::current_line(current.as_deref(), head, &standing)
        })?;
        Ok(if args.check_heads {
            Exit(standing.exit_code())
        } else {
            exit::DONE
        })
    }

    async fn standing(&self) -> anyhow::Result<(Option<String>, Standing)> {
        let mut database = open(self.database).await?;
        let applied = database.applied().await?;
        let standing = standing_of(&applied, database.revisions());
        Ok((applied.last().map(|it| it.revision.clone()), standing))
    }

    /// Newest first. Needs no database, except for when each was applied.
    async fn history(&self, verbose: bool, out: &mut impl Write) -> anyhow::Result<Exit> {
        let all = database::revisions(self.database);
        let applied = if verbose {
            open(self.database).await?.applied().await?
        } else {
            Vec::new()
        };
        let (mut views, mut lines) = (Vec::new(), Vec::new());
        for (index, revision) in all.iter().enumerate().rev() {
            let previous = index.checked_sub(1).map(|it| all[it].id);
            let is_head = index + 1 == all.len();
            let row = applied.iter().find(|it| it.revision == revision.id);
            let mut view = words::revision_json(revision, previous, is_head);
            lines.push(words::history_line(revision, previous, is_head));
            if verbose {
                view["applied_at"] = json!(row.map(|it| it.applied_at));
                let when = row.map_or("not applied".to_owned(), |it| {
                    format!("applied  {}", words::time(it.applied_at))
                });
                lines.push(format!("    checksum {}\n    {when}", revision.checksum()));
            }
            views.push(view);
        }
        self.say(out, &json!({ "ok": true, "revisions": views }), || {
            lines.join("\n")
        })?;
        Ok(exit::DONE)
    }

    fn heads(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        let head = database::revisions(self.database).last().map(|it| it.id);
        let view = json!({ "ok": true, "heads": head.as_slice() });
        self.say(out, &view, || format!("{} (head)", head.unwrap_or("base")))?;
        Ok(exit::DONE)
    }

    async fn stamp(&self, args: StampArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
        if args.sql {
            return offline::stamp(self.database, &args.target, out);
        }
        let mut database = open(self.database).await?;
        match stamp(&mut *database, &args.target, args.force, self.deadline).await? {
            Stamped::Recorded { from, to } => {
                let line = format!(
                    "Running stamp_revision {} -> {}",
                    from.as_deref().unwrap_or_default(),
                    to.as_deref().unwrap_or_default()
                );
                self.say(out, &json!({ "ok": true, "from": from, "to": to }), || line)?;
                Ok(exit::DONE)
            }
            Stamped::Refused { differences } => {
                let view = json!({ "ok": false, "recorded": false, "differences": differences });
                self.say(out, &view, || {
                    format!(
                        "not stamped: the schema is not what {} leaves behind; --force records it all the same\n{}",
                        args.target,
                        words::difference_lines(&differences)
                    )
                })?;
                Ok(exit::NO)
            }
        }
    }

    async fn check(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        let mut database = open(self.database).await?;
        let found = check(&mut *database).await?;
        let view = json!({
            "ok": found.is_clean(), "current": found.current, "standing": found.standing.word(),
            "detail": words::standing_detail(&found.standing), "differences": found.differences,
            "foreign": found.foreign, "in_the_way": found.in_the_way,
        });
        self.say(out, &view, || words::check_lines(&found))?;
        Ok(if found.is_clean() { exit::DONE } else { exit::NO })
    }

    /// Prints the one or the other.
    fn say(&self, out: &mut impl Write, view: &Value, line: impl FnOnce() -> String) -> std::io::Result<()> {
        unless_nobody_reads(if self.json {
            writeln!(out, "{view}")
        } else {
            writeln!(out, "{}", line())
        })
    }
}

/// Whoever pipes into `head` may leave early; what was done and the exit code stay what they are.
fn unless_nobody_reads(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

//! What `mizan migrate` says: lines for people, objects for programs.

use std::io::{self, Write};

use mizan_core::Timestamp;
use mizan_store::migrate::{Checked, Difference, Direction, Done, Event, Revision, Standing, Step, Stopped};
use serde_json::{Value, json};

/// More differences than this are counted, not told.
const TOLD: usize = 10;

pub(super) fn write_event(out: &mut impl Write, event: &Event<'_>) -> io::Result<()> {
    match event {
        Event::Running(step) => writeln!(out, "{step}")?,
        Event::Dropping(names) => writeln!(out, "  drops {}", names.join(", "))?,
    }
    out.flush()
}

pub(super) fn write_end(out: &mut impl Write, done: &Done) -> io::Result<()> {
    match &done.stopped {
        Some(stopped) => writeln!(out, "{}", stopped_lines(stopped)),
        None if done.steps.is_empty() => {
            let at = done
                .to
                .as_deref()
                .map_or("at base".to_owned(), |it| format!("at {it}"));
            writeln!(out, "nothing to do: the database is {at}")
        }
        None => Ok(()),
    }
}

pub(super) fn stopped_lines(stopped: &Stopped) -> String {
    match stopped {
        Stopped::Stamp { step } => {
            let id = step.revision.id;
            format!(
                "STAMP {id}: what it creates is there already, with the same fingerprint; nothing was done\n  \
                 to record it: mizan migrate stamp {id}"
            )
        }
        Stopped::Conflict {
            step,
            taken,
            differences,
        } => format!(
            "CONFLICT {}: {} in the way; nothing of this revision was done\n{}",
            step.revision.id,
            match taken.as_slice() {
                [one] => format!("{one} is"),
                several => format!("{} are", several.join(", ")),
            },
            difference_lines(differences)
        ),
    }
}

/// The first differences, one a line, indented.
pub(super) fn difference_lines(differences: &[Difference]) -> String {
    let mut lines: Vec<_> = differences
        .iter()
        .take(TOLD)
        .map(|it| format!("  {it}"))
        .collect();
    if differences.len() > TOLD {
        lines.push(format!("  and {} more", differences.len() - TOLD));
    }
    lines.join("\n")
}

pub(super) fn done_json(direction: Direction, done: &Done) -> Value {
    let steps: Vec<_> = done.steps.iter().map(step_json).collect();
    let stopped = done.stopped.as_ref().map(|it| match it {
        Stopped::Stamp { step } => json!({
            "class": "stamp",
            "revision": step.revision.id,
            "remedy": format!("mizan migrate stamp {}", step.revision.id),
        }),
        Stopped::Conflict {
            step,
            taken,
            differences,
        } => json!({
            "class": "conflict",
            "revision": step.revision.id,
            "taken": taken,
            "differences": differences,
        }),
    });
    json!({
        "ok": done.stopped.is_none(), "command": direction.word(), "from": done.from, "to": done.to,
        "steps": steps, "stopped": stopped,
    })
}

fn step_json(step: &Step) -> Value {
    json!({ "from": step.from(), "to": step.to(), "name": step.revision.name })
}

/// `0008 (head)`, or what is between the database and the head.
pub(super) fn current_line(current: Option<&str>, head: Option<&str>, standing: &Standing) -> String {
    match (current, standing) {
        (None, _) => format!("nothing is applied; head is {}", head.unwrap_or("base")),
        (Some(id), Standing::Head) => format!("{id} (head)"),
        (Some(id), _) => format!("{id} ({}: {})", standing.word(), standing_detail(standing)),
    }
}

/// What the word leaves open.
pub(super) fn standing_detail(standing: &Standing) -> String {
    match standing {
        Standing::Head => "all revisions are applied".to_owned(),
        Standing::Behind { missing } => format!("{} not applied", missing.join(", ")),
        Standing::Ahead { unknown } => format!("{} unknown to this version", unknown.join(", ")),
        Standing::Diverged { revision, why } => format!("at {revision}, {why}"),
        Standing::Unknown => "the database cannot be asked".to_owned(),
    }
}

/// `0007 -> 0008 (head), reconciliation findings`.
pub(super) fn history_line(revision: &Revision, previous: Option<&str>, is_head: bool) -> String {
    let head = if is_head { " (head)" } else { "" };
    format!(
        "{} -> {}{head}, {}",
        previous.unwrap_or("<base>"),
        revision.id,
        revision.name
    )
}

pub(super) fn revision_json(revision: &Revision, previous: Option<&str>, is_head: bool) -> Value {
    json!({
        "revision": revision.id, "previous": previous, "name": revision.name, "head": is_head,
        "checksum": revision.checksum(),
    })
}

pub(super) fn check_lines(found: &Checked) -> String {
    let at = found.current.as_deref().unwrap_or("base");
    let verdict = if found.is_clean() {
        format!("no drift: the schema is what {at} leaves behind")
    } else if found.differences.is_empty() {
        format!("{}: {}", found.standing.word(), standing_detail(&found.standing))
    } else {
        format!(
            "drift: the schema is not what {at} leaves behind\n{}",
            difference_lines(&found.differences)
        )
    };
    let mut lines = vec![verdict];
    if !found.foreign.is_empty() {
        lines.push(format!("not Mizan's, left alone: {}", found.foreign.join(", ")));
    }
    if !found.in_the_way.is_empty() {
        let names = found.in_the_way.join(", ");
        lines.push(format!(
            "in the way of a revision that is not applied yet: {names}"
        ));
    }
    lines.join("\n")
}

pub(super) fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

//! What is wrong with a pack as a whole: duplicate ids, steps of no kind, variables that nobody sets. All at once.

mod forms;
mod names;

use std::collections::BTreeSet;

use super::lines::Lines;
use super::{Pack, Problem};
use crate::record::Waiver;

/// What is asked of the pack besides.
#[derive(Debug, Default)]
pub struct Wishes<'a> {
    pub only: &'a [String],
    pub waivers: &'a [Waiver],
}

/// Finds everything that can be found without running anything.
pub fn check(pack: &Pack, text: &str, wishes: &Wishes<'_>) -> Vec<Problem> {
    let lines = Lines::new(text, pack);
    let mut found = Found {
        lines: &lines,
        problems: Vec::new(),
    };
    whole(pack, &mut found);
    wanted(pack, wishes, &mut found);
    let mut packets = BTreeSet::new();
    for (no, packet) in pack.packets.iter().enumerate() {
        let mut at = |what: String| found.packet(no, &packet.id.0, what);
        if !is_id(&packet.id.0) {
            at(bad_id("packet", &packet.id.0));
        }
        if !packets.insert(&packet.id.0) {
            at("this id is taken by an earlier packet; ids are unique".into());
        }
        if packet.steps.is_empty() {
            at("has no steps, and so could never pass; add one or remove the packet".into());
        }
        let mut steps = BTreeSet::new();
        for (step_no, step) in packet.steps.iter().enumerate() {
            let mut at = |what: String| found.step(no, step_no, &packet.id.0, &step.id.0, what);
            if !is_id(&step.id.0) {
                at(bad_id("step", &step.id.0));
            }
            if !steps.insert(&step.id.0) {
                at("this id is taken by an earlier step of the packet; ids are unique in a packet".into());
            }
            forms::check(step, &mut at);
        }
    }
    names::check(pack, wishes, &mut found);
    found.problems
}

/// Problems, with where they are.
struct Found<'l> {
    lines: &'l Lines,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn pack(&mut self, what: impl Into<String>) {
        self.problems.push(Problem {
            place: None,
            line: None,
            column: None,
            what: what.into(),
        });
    }

    fn packet(&mut self, no: usize, id: &str, what: String) {
        let place = Some(format!("packet {id}"));
        self.problems.push(Problem {
            place,
            line: self.lines.packet(no),
            column: None,
            what,
        });
    }

    fn step(&mut self, packet: usize, step: usize, packet_id: &str, id: &str, what: String) {
        let place = Some(format!("packet {packet_id}, step {id}"));
        self.problems.push(Problem {
            place,
            line: self.lines.step(packet, step),
            column: None,
            what,
        });
    }
}

fn whole(pack: &Pack, found: &mut Found<'_>) {
    if !is_id(&pack.gate) {
        found.pack(bad_id("gate", &pack.gate));
    }
    if pack.title.trim().is_empty() {
        found.pack("title is empty");
    }
    if pack.packets.is_empty() {
        found.pack("packets is empty: a gate that checks nothing cannot say GO");
    }
    if pack.requires.is_empty() {
        found.pack("requires is empty: name the packets that must pass");
    }
    for id in &pack.requires {
        if !pack.packets.iter().any(|it| it.id == *id) {
            found.pack(format!("requires names packet {id}, and there is none"));
        }
    }
}

fn wanted(pack: &Pack, wishes: &Wishes<'_>, found: &mut Found<'_>) {
    let ids: Vec<&str> = pack.packets.iter().map(|it| it.id.as_str()).collect();
    for id in wishes.only {
        if !ids.contains(&id.as_str()) {
            found.pack(format!(
                "--only {id}: the pack has no such packet; it has {}",
                ids.join(", ")
            ));
        }
    }
    for waiver in wishes.waivers {
        if !pack.requires.iter().any(|it| it.0 == waiver.packet) {
            found.pack(format!(
                "--waive {}: only a required packet can be waived",
                waiver.packet
            ));
        }
        for (name, text) in [("--by", &waiver.by), ("--reason", &waiver.reason)] {
            if text.trim().is_empty() {
                found.pack(format!(
                    "--waive {} needs {name}: a person and a reason",
                    waiver.packet
                ));
            }
        }
    }
}

fn bad_id(what: &str, id: &str) -> String {
    format!("{id:?} is no id of a {what}: 1 to 64 letters, digits, - _ and ., not beginning with . or -")
}

/// Ids are parts of file names.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.'))
        && !id.starts_with(['.', '-'])
        && !id.contains("..")
}

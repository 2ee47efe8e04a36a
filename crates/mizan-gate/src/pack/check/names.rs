//! Variables and services: every name that is used is set before, by somebody who runs.

use std::collections::BTreeSet;

use regex::Regex;

use super::super::{Command, Pack, Packet, Step};
use super::{Found, Wishes, forms};
use crate::values::{Piece, is_name, pieces};

/// Variables that every run has.
pub const BUILT_IN: [&str; 3] = ["gate_run_id", "gate_dir", "pack_dir"];

/// Names that shells and systems set by themselves; scripts may use them.
const OF_SHELLS: [&str; 12] = [
    "PATH",
    "HOME",
    "PWD",
    "OLDPWD",
    "TMPDIR",
    "USER",
    "LANG",
    "TZ",
    "RANDOM",
    "HOSTNAME",
    "SECONDS",
    "PIPESTATUS",
];

pub(super) fn check(pack: &Pack, wishes: &Wishes<'_>, found: &mut Found<'_>) {
    let known = declared(pack, found);
    let mut captured: BTreeSet<String> = BTreeSet::new();
    let mut services: BTreeSet<String> = BTreeSet::new();
    let mut group: BTreeSet<String> = BTreeSet::new();
    for (no, packet) in pack.packets.iter().enumerate() {
        // Packets that run side by side cannot use each other's values.
        if !packet.parallel {
            captured.append(&mut group);
        }
        let mut here = captured.clone();
        let runs = wishes.only.is_empty() || wishes.only.contains(&packet.id.0);
        for (step_no, step) in packet.steps.iter().enumerate() {
            let mut at = |what: String| found.step(no, step_no, &packet.id.0, &step.id.0, what);
            if runs {
                used(step, &known, &here, packet, pack, &mut at);
                service(step, &mut services, &mut at);
            }
            for name in step.capture.keys() {
                if known.contains(name) {
                    at(format!(
                        "captures {name}, which the pack declares; choose another name"
                    ));
                }
                if runs {
                    here.insert(name.clone());
                }
            }
        }
        if packet.parallel {
            group.append(&mut here);
        } else {
            captured = here;
        }
    }
}

/// Names that are there before the first step.
fn declared(pack: &Pack, found: &mut Found<'_>) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = BUILT_IN.iter().map(|it| (*it).to_owned()).collect();
    let names = pack
        .vars
        .keys()
        .chain(pack.generate.keys())
        .chain(&pack.env)
        .chain(&pack.env_optional);
    for name in names {
        if !is_name(name) {
            found.pack(format!(
                "{name:?} is no name of a variable: letters, digits and _"
            ));
        }
        if !known.insert(name.clone()) {
            found.pack(format!(
                "{name} is declared twice, or is a name of the gate's own"
            ));
        }
    }
    for (name, how) in &pack.generate {
        if let Some(what) = forms::generated(name, *how) {
            found.pack(what);
        }
    }
    for (name, text) in &pack.vars {
        if let Err(what) = pieces(&text.0) {
            found.pack(format!("vars: {name}: {what}"));
        }
    }
    known
}

fn used(
    step: &Step,
    known: &BTreeSet<String>,
    captured: &BTreeSet<String>,
    packet: &Packet,
    pack: &Pack,
    at: &mut impl FnMut(String),
) {
    let mut missing = BTreeSet::new();
    let is_known = |name: &str| known.contains(name) || captured.contains(name);
    for text in texts(step) {
        match pieces(&text) {
            Ok(pieces) => missing.extend(pieces.into_iter().filter_map(|it| match it {
                Piece::Variable(name) if !is_known(name) => Some(name.to_owned()),
                _ => None,
            })),
            Err(what) => at(what),
        }
    }
    for script in scripts(step) {
        missing.extend(of_shell(script).into_iter().filter(|it| !is_known(it)));
    }
    for name in step.unless_given.iter().chain(&step.if_given) {
        if !pack.vars.contains_key(name) && !pack.generate.contains_key(name) {
            at(format!(
                "unless_given or if_given names {name}, which is no variable that can be given"
            ));
        }
    }
    for name in missing {
        let later = pack
            .packets
            .iter()
            .find(|it| it.steps.iter().any(|it| it.capture.contains_key(&name)));
        match later {
            Some(other) if other.id == packet.id => {
                at(format!(
                    "uses {name}, which is captured only later; move the step up"
                ));
            }
            Some(other) => at(format!(
                "uses {name}, which packet {} captures, and that does not run before this one",
                other.id
            )),
            None => at(format!(
                "uses {name}, which nobody sets; declare it under vars, generate or env, or capture it before"
            )),
        }
    }
}

/// All texts of a step in which variables are replaced.
fn texts(step: &Step) -> Vec<String> {
    let mut all = Vec::new();
    // Scripts have a shell of their own to replace variables.
    for command in step
        .run
        .iter()
        .chain(step.service.iter().filter_map(|it| it.run.as_ref()))
    {
        if let Command::Program(words) = command {
            all.extend(words.iter().cloned());
        }
    }
    all.extend(step.cwd.clone());
    all.extend(step.env.values().map(|it| it.0.clone()));
    all.extend(of_kind(step));
    let until = step.until.as_ref().map(crate::expect::Until::expect);
    for mut expect in step.expect.clone().into_iter().chain(until) {
        all.extend(expect.texts_mut().into_iter().map(std::mem::take));
    }
    all
}

/// Those of what it does.
fn of_kind(step: &Step) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(http) = &step.http {
        all.extend(
            [&http.url]
                .into_iter()
                .chain(&http.bearer)
                .chain(&http.body)
                .cloned(),
        );
        all.extend(http.headers.values().map(|it| it.0.clone()));
        all.extend(http.json.as_ref().map(serde_json::Value::to_string));
    }
    all.extend(step.sql.iter().flat_map(|it| [it.url.clone(), it.query.clone()]));
    all.extend(step.redis.iter().map(|it| it.url.clone()));
    if let Some(log) = &step.log {
        let lists = log.contains.iter().chain(&log.then).chain(&log.lacks);
        all.extend(lists.chain(&log.file).chain(&log.matches).cloned());
    }
    if let Some(metric) = &step.metric {
        all.extend(
            [&metric.url, &metric.name]
                .into_iter()
                .chain(&metric.bearer)
                .cloned(),
        );
        all.extend(
            metric
                .labels
                .values()
                .chain(&metric.baseline)
                .map(|it| it.0.clone()),
        );
    }
    all.extend(step.junit.iter().map(|it| it.file.clone()));
    all.extend(step.file.iter().map(|it| it.path.clone()));
    if let Some(ci) = &step.ci_job {
        let optional = [&ci.branch, &ci.sha, &ci.token, &ci.base_url];
        all.extend(
            [&ci.repo, &ci.workflow]
                .into_iter()
                .chain(optional.into_iter().flatten())
                .cloned(),
        );
    }
    if let Some(ready) = step.service.as_ref().and_then(|it| it.ready.as_ref()) {
        all.extend(
            [&ready.http, &ready.log, &ready.tcp]
                .into_iter()
                .flatten()
                .cloned(),
        );
    }
    all
}

fn scripts(step: &Step) -> Vec<&str> {
    let all = step
        .run
        .iter()
        .chain(step.service.iter().filter_map(|it| it.run.as_ref()));
    all.filter_map(|it| match it {
        Command::Script(script) => Some(script.as_str()),
        Command::Program(_) => None,
    })
    .collect()
}

/// Plain `${name}` in a script that the script does not set itself.
fn of_shell(script: &str) -> Vec<String> {
    let (Ok(uses), Ok(sets)) = (
        Regex::new(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}"),
        Regex::new(
            r"(?m)(?:^|[\s;(])(?:export\s+|local\s+|for\s+|read\s+(?:-\w+\s+)*)?([A-Za-z_][A-Za-z0-9_]*)(?:\+?=|\s+in\s|\s*$|\s*;)",
        ),
    ) else {
        return Vec::new();
    };
    let set: BTreeSet<&str> = sets
        .captures_iter(script)
        .filter_map(|it| it.get(1))
        .map(|it| it.as_str())
        .collect();
    let used = uses
        .captures_iter(script)
        .filter_map(|it| it.get(1))
        .map(|it| it.as_str());
    used.filter(|it| !set.contains(it) && !OF_SHELLS.contains(it))
        .map(str::to_owned)
        .collect()
}

fn service(step: &Step, services: &mut BTreeSet<String>, at: &mut impl FnMut(String)) {
    if let Some(service) = &step.service {
        for name in [&service.restart, &service.stop].into_iter().flatten() {
            if !services.contains(name) {
                at(format!("no service {name} was started before"));
            }
        }
        if let Some(name) = &service.start {
            if !is_name(&name.replace('-', "_")) {
                at(format!(
                    "{name:?} is no name of a service: letters, digits, - and _"
                ));
            }
            services.insert(name.clone());
        }
    }
    if let Some(name) = step.log.as_ref().and_then(|it| it.service.as_ref())
        && !services.contains(name)
    {
        at(format!("no service {name} was started before"));
    }
}

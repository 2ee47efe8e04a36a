//! Defaults, given values, the environment and generated values, put together before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Made, Piece, pieces};
use crate::pack::{Pack, Problem};

/// What a run starts with.
pub struct Resolved {
    pub values: BTreeMap<String, String>,
    /// Names of generated secrets.
    pub secrets: BTreeSet<String>,
}

/// Resolves all variables, or names every one that cannot be.
pub fn resolve(
    pack: &Pack,
    given: &BTreeMap<String, String>,
    env: &BTreeMap<String, String>,
    built_in: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Result<Resolved, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut problem = |what: String| {
        problems.push(Problem {
            place: None,
            line: None,
            column: None,
            what,
        });
    };
    let mut values = built_in.clone();
    let mut secrets = BTreeSet::new();
    let env_of = |name: &String| given.get(name).or_else(|| env.get(name));
    for name in &pack.env {
        match env_of(name).filter(|it| !it.trim().is_empty()) {
            Some(value) => drop(values.insert(name.clone(), value.clone())),
            None => problem(format!(
                "{name} is not set in the environment, and the pack needs it"
            )),
        }
    }
    for name in &pack.env_optional {
        values.insert(name.clone(), env_of(name).cloned().unwrap_or_default());
    }
    for (name, how) in &pack.generate {
        if let Some(value) = given.get(name) {
            values.insert(name.clone(), value.clone());
            continue;
        }
        match Made::new(*how, now) {
            Ok(made) => {
                if made.secret {
                    secrets.insert(name.clone());
                }
                values.insert(name.clone(), made.value);
            }
            Err(what) => problem(format!("{name} cannot be made: {what}")),
        }
    }
    let mut known: Vec<&String> = pack.vars.keys().chain(pack.generate.keys()).collect();
    known.extend(pack.env.iter().chain(&pack.env_optional));
    for name in given.keys() {
        if !known.contains(&name) {
            let known: Vec<&str> = known.iter().map(|it| it.as_str()).collect();
            problem(format!(
                "--var {name}: the pack has no such variable; it has {}",
                known.join(", ")
            ));
        }
    }
    defaults(pack, given, &mut values, &mut problem);
    if problems.is_empty() {
        Ok(Resolved { values, secrets })
    } else {
        Err(problems)
    }
}

/// Fills in the defaults in the order in which they need each other.
fn defaults(
    pack: &Pack,
    given: &BTreeMap<String, String>,
    values: &mut BTreeMap<String, String>,
    problem: &mut impl FnMut(String),
) {
    let mut open: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, text) in &pack.vars {
        match given.get(name) {
            Some(value) => drop(values.insert(name.clone(), value.clone())),
            None => drop(open.insert(name, &text.0)),
        }
    }
    loop {
        let ready: Vec<(&str, String)> = open
            .iter()
            .filter_map(|(name, text)| Some((*name, fill(text, values)?)))
            .collect();
        if ready.is_empty() {
            break;
        }
        for (name, value) in ready {
            open.remove(name);
            values.insert(name.to_owned(), value);
        }
    }
    for (name, text) in &open {
        let needed = pieces(text)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|it| match it {
                Piece::Variable(needed) if !values.contains_key(needed) => Some(needed),
                _ => None,
            });
        let needed: Vec<&str> = needed.collect();
        match needed.iter().find(|it| open.contains_key(*it)) {
            Some(other) => problem(format!(
                "vars: {name} and {other} need each other; give one of them a value"
            )),
            None if !needed.is_empty() => {
                problem(format!(
                    "vars: {name} uses {}, which the pack does not declare",
                    needed.join(", ")
                ));
            }
            None => {}
        }
    }
}

fn fill(text: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let pieces = pieces(text).ok()?;
    pieces
        .into_iter()
        .map(|it| match it {
            Piece::Plain(plain) => Some(plain),
            Piece::Variable(name) => values.get(name).map(String::as_str),
        })
        .collect()
}

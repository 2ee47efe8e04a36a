//! `NNNN_name.up.sql` and `NNNN_name.down.sql`, the same in both stores.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::words::pattern;
use crate::Repo;

const POSTGRES: &str = "crates/mizan-store-postgres/migrations/";
const SQLITE: &str = "crates/mizan-store-sqlite/migrations/";

/// `NNNN_name` to the directions it has.
type Steps = BTreeMap<String, BTreeSet<String>>;

pub(super) fn pairs(repo: &Repo) -> Vec<Found> {
    let mut found = Vec::new();
    let stores = [POSTGRES, SQLITE].map(|directory| (directory, steps(repo, directory, &mut found)));
    for (directory, steps) in &stores {
        if steps.is_empty() {
            found.push(Found::new(directory, 0, "there is no migration"));
        }
        for (index, (step, directions)) in steps.iter().enumerate() {
            let number = format!("{:04}", index + 1);
            if !step.starts_with(&format!("{number}_")) {
                found.push(Found::new(
                    directory,
                    0,
                    format!("{step} stands where {number} should be"),
                ));
            }
            for direction in ["up", "down"].into_iter().filter(|it| !directions.contains(*it)) {
                found.push(Found::new(directory, 0, format!("{step} has no {direction}.sql")));
            }
        }
    }
    let [(_, postgres), (_, sqlite)] = &stores;
    for step in postgres.keys().filter(|it| !sqlite.contains_key(*it)) {
        found.push(Found::new(
            SQLITE,
            0,
            format!("{step} is a step of PostgreSQL only"),
        ));
    }
    for step in sqlite.keys().filter(|it| !postgres.contains_key(*it)) {
        found.push(Found::new(
            POSTGRES,
            0,
            format!("{step} is a step of SQLite only"),
        ));
    }
    found
}

fn steps(repo: &Repo, directory: &str, found: &mut Vec<Found>) -> Steps {
    let name = pattern(r"^(\d{4}_[a-z0-9_]+)\.(up|down)\.sql$");
    let mut steps = Steps::new();
    for file in repo.files.iter().filter(|it| it.path.starts_with(directory)) {
        match name.captures(&file.path[directory.len()..]) {
            Some(parts) => {
                steps
                    .entry(parts[1].to_owned())
                    .or_default()
                    .insert(parts[2].to_owned());
            }
            None => found.push(Found::new(
                &file.path,
                0,
                "is not called NNNN_name.up.sql or NNNN_name.down.sql",
            )),
        }
    }
    steps
}

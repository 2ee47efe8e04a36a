//! What files are called and how they open.

use super::Found;
use crate::Repo;
use crate::source::line_of;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] = [
    "util", "utils", "common", "helper", "helpers", "manager", "managers", "service", "services", "misc",
];

pub(super) fn opening(repo: &Repo) -> Vec<Found> {
    let silent = repo
        .rust()
        .filter(|(file, _)| !file.text.starts_with("//! ") && !file.text.starts_with("#!["));
    silent
        .map(|(file, _)| Found::new(&file.path, 1, "the file does not open with //!"))
        .collect()
}

pub(super) fn mod_rs(repo: &Repo) -> Vec<Found> {
    let found = repo.rust().filter(|(file, _)| file.name() == "mod.rs");
    found
        .map(|(file, _)| Found::new(&file.path, 0, "the file is called mod.rs"))
        .collect()
}

pub(super) fn allow(repo: &Repo) -> Vec<Found> {
    let mut found = Vec::new();
    for (file, source) in repo.rust() {
        for form in ["#[allow(", "#![allow("] {
            for (at, _) in source.code.match_indices(form) {
                found.push(Found::new(
                    &file.path,
                    line_of(&source.code, at),
                    format!("{form}…)]"),
                ));
            }
        }
    }
    found
}

pub(super) fn module_names(repo: &Repo) -> Vec<Found> {
    let mut found = Vec::new();
    for (file, source) in repo.rust() {
        let parts = file.path.trim_end_matches(".rs").split('/');
        if let Some(name) = parts.skip(1).find(|it| EMPTY_NAMES.contains(it)) {
            found.push(Found::new(&file.path, 0, format!("a module is called {name}")));
        }
        for (at, _) in source.code.match_indices("mod ") {
            let rest = &source.code[at + 4..];
            let name: String = rest
                .chars()
                .take_while(|it| it.is_alphanumeric() || *it == '_')
                .collect();
            if EMPTY_NAMES.contains(&name.as_str()) {
                let message = format!("a module is called {name}");
                found.push(Found::new(&file.path, line_of(&source.code, at), message));
            }
        }
    }
    found
}

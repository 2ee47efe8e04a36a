//! Words that code of some crates, or of all, may not hold.

use regex::Regex;

use super::Found;
use super::exceptions::Exceptions;
use crate::Repo;
use crate::repo::{File, is_for_tests};
use crate::source::{Source, line_of};

/// Crates that count or keep money.
const MONEY: [&str; 7] = [
    "mizan-core",
    "mizan-ledger",
    "mizan-payments",
    "mizan-flows",
    "mizan-store",
    "mizan-store-postgres",
    "mizan-store-sqlite",
];

/// Crates that decide and do no I/O.
const PURE: [&str; 5] = [
    "mizan-core",
    "mizan-ledger",
    "mizan-payments",
    "mizan-mask",
    "mizan-recon",
];

/// The contract that adapters implement, the one asynchronous thing below the flows.
const ASYNC_CONTRACT: &str = "crates/mizan-payments/src/provider.rs";

pub(super) fn floats(repo: &Repo) -> Vec<Found> {
    search(repo, r"\b[\d_]*(f32|f64)\b", |file, _| {
        MONEY.contains(&file.crate_name())
    })
}

pub(super) fn async_in_pure_crates(repo: &Repo) -> Vec<Found> {
    search(
        repo,
        r"\basync\s+(fn|move|\{)|\.await\b|\basync_trait\b",
        |file, _| PURE.contains(&file.crate_name()) && file.path != ASYNC_CONTRACT,
    )
}

pub(super) fn printing(repo: &Repo) -> Vec<Found> {
    search(repo, r"\b(e?print(ln)?|dbg)!", |file, line| {
        // What a test prints is captured by its harness.
        !matches!(file.crate_name(), "mizan" | "xtask") && !file.is_test_line(line)
    })
}

pub(super) fn unfinished(repo: &Repo) -> Vec<Found> {
    let mut found = search(repo, r"\b(todo|unimplemented)!", |_, _| true);
    let words = pattern(r"\b(TODO|FIXME|XXX)\b");
    for (file, source) in repo.rust() {
        for comment in &source.comments {
            if let Some(word) = words.find(&comment.text) {
                found.push(Found::new(
                    &file.path,
                    comment.line,
                    format!("{} in a comment", word.as_str()),
                ));
            }
        }
    }
    found
}

pub(super) fn sleeps(repo: &Repo) -> Vec<Found> {
    let exceptions = Exceptions::read(repo);
    let found = search(repo, r"\bsleep(_until)?\s*\(", |file, line| {
        file.is_test_line(line) || is_for_tests(file.crate_name())
    });
    found
        .into_iter()
        .filter(|it| !exceptions.may_sleep(&it.file))
        .collect()
}

/// The matches of an expression in the code of the files and lines that count.
fn search(repo: &Repo, expression: &str, counts: impl Fn(&File, usize) -> bool) -> Vec<Found> {
    let expression = pattern(expression);
    let in_file = |(file, source): (&File, &Source)| -> Vec<Found> {
        let lines = expression
            .find_iter(&source.code)
            .map(|it| (line_of(&source.code, it.start()), it.as_str()));
        let counted = lines.filter(|(line, _)| counts(file, *line));
        counted
            .map(|(line, text)| Found::new(&file.path, line, format!("`{text}` in the code")))
            .collect()
    };
    repo.rust().flat_map(in_file).collect()
}

pub(super) fn pattern(expression: &str) -> Regex {
    Regex::new(expression).expect("the expressions of the rules are constants")
}

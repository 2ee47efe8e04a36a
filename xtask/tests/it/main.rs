//! Each rule over this repository, and each rule broken on purpose.

mod fresh;
mod layers;
mod repository;
mod seeded;

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use xtask::{Repo, Violation, tidy};

/// A small repository that breaks no rule.
const CLEAN: &[(&str, &str)] = &[
    (
        "crates/mizan-core/src/lib.rs",
        "//! Words.\n\npub fn add(a: i64, b: i64) -> Option<i64> {\n    a.checked_add(b)\n}\n",
    ),
    (
        "crates/mizan-store-postgres/migrations/0001_first.up.sql",
        "CREATE TABLE a (id bigint);\n",
    ),
    (
        "crates/mizan-store-postgres/migrations/0001_first.down.sql",
        "DROP TABLE a;\n",
    ),
    (
        "crates/mizan-store-sqlite/migrations/0001_first.up.sql",
        "CREATE TABLE a (id integer);\n",
    ),
    (
        "crates/mizan-store-sqlite/migrations/0001_first.down.sql",
        "DROP TABLE a;\n",
    ),
];

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a file has a directory")).expect("can make a directory");
    fs::write(path, text).expect("can write a file");
}

/// The clean repository with some files over it.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().expect("can make a directory");
    for (path, text) in CLEAN.iter().chain(files) {
        write(root.path(), path, text);
    }
    root
}

/// What a rule finds in the clean repository with some files over it.
fn found(rule: &str, files: &[(&str, &str)]) -> Vec<Violation> {
    let root = tree(files);
    tidy::rule(rule).check(&Repo::open(root.path()).expect("can read the tree"))
}

/// Everything in one text, for a failing test to show.
fn list(violations: &[Violation]) -> String {
    violations
        .iter()
        .fold(String::new(), |text, it| text + "\n" + &it.to_string())
}

//! The layers, broken on purpose in small workspaces that cargo can read without the network.

use tempfile::TempDir;
use xtask::layers::{Graph, Layers, check};

use crate::{list, write};

/// A workspace of crates with dependencies on each other; `dev:` makes one for tests only.
fn workspace(crates: &[(&str, &[&str])]) -> TempDir {
    let root = TempDir::new().expect("can make a directory");
    write(
        root.path(),
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n",
    );
    for (name, dependencies) in crates {
        let line = |it: &str| format!("{it} = {{ path = \"../{it}\" }}\n");
        let normal: String = dependencies
            .iter()
            .filter(|it| !it.starts_with("dev:"))
            .map(|it| line(it))
            .collect();
        let dev: String = dependencies
            .iter()
            .filter_map(|it| it.strip_prefix("dev:"))
            .map(line)
            .collect();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{normal}\n[dev-dependencies]\n{dev}"
        );
        write(root.path(), &format!("crates/{name}/Cargo.toml"), &manifest);
        write(root.path(), &format!("crates/{name}/src/lib.rs"), "//! Empty.\n");
    }
    root
}

/// The messages about a workspace, apart from crates that only stand in for others.
#[track_caller]
fn check_messages(crates: &[(&str, &[&str])], expected: &[&str]) {
    let root = workspace(crates);
    let graph = Graph::read(root.path()).expect("cargo can describe the workspace");
    let found = check(&graph, &Layers::own().expect("layers.toml can be read"));
    let messages: Vec<_> = found
        .iter()
        .map(|it| it.message.as_str())
        .filter(|it| {
            !["tokio", "rusqlite"]
                .iter()
                .any(|name| it.starts_with(&format!("{name} is not in")))
        })
        .collect();
    assert_eq!(messages, expected, "{}", list(&found));
}

#[test]
fn edges_that_are_listed_are_fine() {
    check_messages(&[("mizan-core", &[]), ("mizan-ledger", &["mizan-core"])], &[]);
}

#[test]
fn an_edge_that_is_not_listed_is_found() {
    check_messages(
        &[("mizan-core", &["mizan-ledger"]), ("mizan-ledger", &[])],
        &["mizan-core depends on mizan-ledger"],
    );
}

#[test]
fn a_crate_that_is_not_listed_is_found() {
    check_messages(
        &[("mizan-extra", &[])],
        &["mizan-extra is not in xtask/layers.toml"],
    );
}

#[test]
fn io_below_a_pure_crate_is_found_with_the_way_to_it() {
    check_messages(
        &[
            ("mizan-core", &[]),
            ("mizan-ledger", &["mizan-core", "tokio"]),
            ("tokio", &[]),
        ],
        &["mizan-ledger depends on tokio", "mizan-ledger -> tokio"],
    );
}

#[test]
fn a_driver_outside_the_stores_is_found_but_tests_may_have_one() {
    check_messages(
        &[("mizan-flows", &["rusqlite"]), ("rusqlite", &[])],
        &[
            "mizan-flows depends on rusqlite",
            "mizan-flows names the database driver rusqlite",
        ],
    );
    check_messages(&[("mizan-flows", &["dev:rusqlite"]), ("rusqlite", &[])], &[]);
}

#[test]
fn flows_that_reach_the_worker_over_another_crate_are_found() {
    check_messages(
        &[
            ("mizan-flows", &["mizan-store"]),
            ("mizan-store", &["mizan-worker"]),
            ("mizan-worker", &[]),
        ],
        &[
            "mizan-store depends on mizan-worker",
            "mizan-flows -> mizan-store -> mizan-worker",
        ],
    );
}

#[test]
fn test_crates_in_the_binary_are_found() {
    check_messages(
        &[("mizan", &["mizan-testkit"]), ("mizan-testkit", &[])],
        &["mizan depends on mizan-testkit", "mizan ships mizan-testkit"],
    );
    check_messages(&[("mizan", &["dev:mizan-testkit"]), ("mizan-testkit", &[])], &[]);
}

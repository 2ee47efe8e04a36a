//! This repository keeps its own rules.

use xtask::{Repo, layers, tidy};

use crate::list;

macro_rules! holds {
    ($($name:ident => $rule:literal),+ $(,)?) => {
        const TESTED: &[&str] = &[$($rule),+];
        $(
            #[test]
            fn $name() {
                let repo = Repo::open(&Repo::own_root()).expect("can read the repository");
                let found = tidy::rule($rule).check(&repo);
                assert!(found.is_empty(), "{}", list(&found));
            }
        )+
    };
}

holds! {
    files_are_short => "file-length",
    functions_are_short => "function-length",
    files_say_what_they_are_for => "opening",
    no_file_is_called_mod => "mod-rs",
    lints_are_expected_not_allowed => "expect-not-allow",
    modules_have_names => "module-names",
    money_is_never_a_float => "no-floats",
    decisions_await_nothing => "no-async",
    only_the_command_line_prints => "no-printing",
    nothing_is_left_unfinished => "finished",
    tests_do_not_sleep => "no-sleep-in-tests",
    only_stores_hold_sql => "sql-in-stores",
    migrations_come_in_pairs_in_both_stores => "migrations",
    no_file_names_a_machine => "no-machine-paths",
    handlers_call_one_flow => "one-flow-a-handler",
    exceptions_are_needed => "exceptions",
}

#[test]
fn every_rule_is_tested_here() {
    let rules: Vec<_> = tidy::RULES.iter().map(|it| it.name).collect();
    assert_eq!(rules, TESTED);
}

#[test]
fn dependencies_follow_the_layers() {
    let graph = layers::Graph::read(&Repo::own_root()).expect("cargo can describe the workspace");
    let found = layers::check(&graph, &layers::Layers::own().expect("layers.toml can be read"));
    assert!(found.is_empty(), "{}", list(&found));
}

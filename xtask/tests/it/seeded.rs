//! Each rule, broken on purpose in a small repository: it is found, once, where it is.

use std::fmt::Write as _;

use xtask::{Repo, tidy};

use crate::{found, list, tree};

/// Breaks a rule with one file; it must be reported at that line and nowhere else.
#[track_caller]
fn breaks(rule: &str, path: &str, text: &str, line: usize) {
    let violations = found(rule, &[(path, text)]);
    let places: Vec<_> = violations.iter().map(|it| (it.file.as_str(), it.line)).collect();
    assert_eq!(places, [(path, line)], "{rule}: {text}{}", list(&violations));
    let shown = violations[0].to_string();
    assert!(
        shown.contains(tidy::rule(rule).reason),
        "{shown} does not say why"
    );
}

/// A file that looks like a violation and is none.
#[track_caller]
fn keeps(rule: &str, path: &str, text: &str) {
    let violations = found(rule, &[(path, text)]);
    assert!(violations.is_empty(), "{rule}: {text}{}", list(&violations));
}

/// A function of so many lines, on line 2 of its file.
fn function_of(lines: usize) -> String {
    let mut text = "//! Long.\nfn long() {\n".to_owned();
    (2..lines).for_each(|_| text.push_str("    step();\n"));
    text + "}\n"
}

#[test]
fn the_small_repository_is_clean() {
    let root = tree(&[]);
    let violations = tidy::check(&Repo::open(root.path()).expect("can read the tree"));
    assert!(violations.is_empty(), "{}", list(&violations));
}

#[test]
fn long_files_are_found() {
    let lines = |count: usize| "//! Long.\n".to_owned() + &"// line\n".repeat(count - 1);
    breaks("file-length", "crates/mizan-core/src/long.rs", &lines(401), 0);
    keeps("file-length", "crates/mizan-core/src/long.rs", &lines(400));
}

#[test]
fn long_functions_are_found() {
    let source = "crates/mizan-core/src/long.rs";
    breaks("function-length", source, &function_of(71), 2);
    keeps("function-length", source, &function_of(70));
    let test = "crates/mizan-core/tests/long.rs";
    breaks("function-length", test, &function_of(121), 2);
    keeps("function-length", test, &function_of(120));
}

#[test]
fn silent_files_are_found() {
    breaks("opening", "crates/mizan-core/src/a.rs", "use x;\n", 1);
    keeps("opening", "fuzz/fuzz_targets/a.rs", "#![no_main]\n");
}

#[test]
fn mod_rs_is_found() {
    breaks("mod-rs", "crates/mizan-core/src/a/mod.rs", "//! A.\n", 0);
}

#[test]
fn allowed_lints_are_found() {
    let source = "crates/mizan-core/src/a.rs";
    breaks(
        "expect-not-allow",
        source,
        "//! A.\n#[allow(dead_code)]\nfn a() {}\n",
        2,
    );
    breaks("expect-not-allow", source, "//! A.\n#![allow(dead_code)]\n", 2);
    keeps(
        "expect-not-allow",
        source,
        "//! A.\n// #[allow(dead_code)] is not for us\n",
    );
}

#[test]
fn empty_names_are_found() {
    breaks("module-names", "crates/mizan-http/src/utils.rs", "//! A.\n", 0);
    breaks(
        "module-names",
        "crates/mizan-http/src/helpers/a.rs",
        "//! A.\n",
        0,
    );
    breaks(
        "module-names",
        "crates/mizan-http/src/a.rs",
        "//! A.\nmod common {}\n",
        2,
    );
    keeps(
        "module-names",
        "crates/mizan-http/src/a.rs",
        "//! A.\nmod commons_of_wales {}\n",
    );
}

#[test]
fn floats_near_money_are_found() {
    breaks(
        "no-floats",
        "crates/mizan-flows/src/a.rs",
        "//! A.\nfn a(b: f64) {}\n",
        2,
    );
    breaks(
        "no-floats",
        "crates/mizan-store-sqlite/src/a.rs",
        "//! A.\nconst A: i64 = 1f32 as i64;\n",
        2,
    );
    keeps(
        "no-floats",
        "crates/mizan-flows/src/a.rs",
        "//! A. Never an f64.\n",
    );
    keeps(
        "no-floats",
        "crates/mizan-http/src/a.rs",
        "//! A.\nfn seconds() -> f64 { 0.0 }\n",
    );
}

#[test]
fn awaiting_decisions_are_found() {
    let text = "//! A.\npub async fn a() {}\n";
    breaks("no-async", "crates/mizan-ledger/src/a.rs", text, 2);
    breaks("no-async", "crates/mizan-payments/src/a.rs", text, 2);
    keeps("no-async", "crates/mizan-payments/src/provider.rs", text);
    keeps("no-async", "crates/mizan-flows/src/a.rs", text);
}

#[test]
fn printing_is_found() {
    for text in [
        "//! A.\nfn a() { println!(\"x\"); }\n",
        "//! A.\nfn a() { eprint!(\"x\"); }\n",
    ] {
        breaks("no-printing", "crates/mizan-flows/src/a.rs", text, 2);
        keeps("no-printing", "crates/mizan/src/cli/a.rs", text);
    }
    let test = "//! A.\nfn a() { println!(\"x\"); }\n";
    keeps("no-printing", "crates/mizan-flows/tests/a.rs", test);
    keeps(
        "no-printing",
        "crates/mizan-flows/src/a.rs",
        "//! A.\nconst A: &str = \"println!()\";\n",
    );
}

#[test]
fn unfinished_code_is_found() {
    let source = "crates/mizan/src/a.rs";
    breaks("finished", source, "//! A.\nfn a() { todo!() }\n", 2);
    breaks(
        "finished",
        source,
        "//! A.\nfn a() { unimplemented!(\"later\") }\n",
        2,
    );
    breaks(
        "finished",
        source,
        &format!("//! A.\n// {} later\n", concat!("FIX", "ME")),
        2,
    );
    keeps("finished", source, "//! A.\nconst CODE: &str = \"XXX\";\n");
}

#[test]
fn sleeping_tests_are_found_unless_excused() {
    let test = "crates/mizan/tests/it/a.rs";
    let text = "//! A.\nasync fn a() { tokio::time::sleep(SECOND).await }\n";
    breaks("no-sleep-in-tests", test, text, 2);
    breaks("no-sleep-in-tests", "crates/mizan-testkit/src/a.rs", text, 2);
    let unit = "//! A.\n#[cfg(test)]\nmod tests {\n    fn a() { sleep(SECOND) }\n}\n";
    breaks("no-sleep-in-tests", "crates/mizan-worker/src/a.rs", unit, 4);
    keeps("no-sleep-in-tests", "crates/mizan-worker/src/a.rs", text);
    let excuse =
        format!("[[sleep]]\nfile = \"{test}\"\nreason = \"the clock of the server cannot be moved\"\n");
    for rule in ["no-sleep-in-tests", "exceptions"] {
        let violations = found(rule, &[(test, text), ("xtask/exceptions.toml", &excuse)]);
        assert!(violations.is_empty(), "{}", list(&violations));
    }
}

#[test]
fn stale_or_silent_exceptions_are_found() {
    let file = "xtask/exceptions.toml";
    breaks(
        "exceptions",
        file,
        "[[sleep]]\nfile = \"a.rs\"\nreason = \"it used to wait for the lease\"\n",
        0,
    );
    breaks("exceptions", file, "[[nap]]\n", 0);
    let sleeper = ("crates/mizan/tests/a.rs", "//! A.\nfn a() { sleep(SECOND) }\n");
    let silent = "[[sleep]]\nfile = \"crates/mizan/tests/a.rs\"\nreason = \"slow\"\n";
    assert_eq!(found("exceptions", &[sleeper, (file, silent)]).len(), 1);
}

#[test]
fn sql_outside_the_stores_is_found() {
    for statement in [
        "SELECT a FROM b WHERE c = 1",
        "WITH x AS (SELECT 1) SELECT a\nFROM b",
        "INSERT INTO a VALUES (1)",
        "insert into a values (1)",
        "UPDATE a SET b = 1",
        "DELETE FROM a",
    ] {
        let text = format!("//! A.\nconst SQL: &str = \"{statement}\";\n");
        breaks("sql-in-stores", "crates/mizan-flows/src/a.rs", &text, 2);
        keeps("sql-in-stores", "crates/mizan-store-postgres/src/a.rs", &text);
        keeps("sql-in-stores", "crates/mizan/tests/it/a.rs", &text);
    }
    let prose = "//! A.\nconst A: &str = \"Select a provider from the list; update the set of keys\";\n";
    keeps("sql-in-stores", "crates/mizan-flows/src/a.rs", prose);
}

#[test]
fn migrations_without_a_way_back_or_a_twin_are_found() {
    let postgres = "crates/mizan-store-postgres/migrations";
    let sqlite = "crates/mizan-store-sqlite/migrations";
    let step = |directory: &str, name: &str| (format!("{directory}/{name}"), "SELECT 1;\n".to_owned());
    for (files, message) in [
        (
            vec![
                step(postgres, "0002_b.up.sql"),
                step(sqlite, "0002_b.up.sql"),
                step(sqlite, "0002_b.down.sql"),
            ],
            "0002_b has no down.sql",
        ),
        (
            vec![step(postgres, "0002_b.up.sql"), step(postgres, "0002_b.down.sql")],
            "0002_b is a step of PostgreSQL only",
        ),
        (
            vec![step(sqlite, "0002_b.up.sql"), step(sqlite, "0002_b.down.sql")],
            "0002_b is a step of SQLite only",
        ),
        (
            [postgres, sqlite]
                .iter()
                .flat_map(|it| [step(it, "0003_c.up.sql"), step(it, "0003_c.down.sql")])
                .collect(),
            "0003_c stands where 0002 should be",
        ),
        (
            vec![step(postgres, "second.sql")],
            "is not called NNNN_name.up.sql or NNNN_name.down.sql",
        ),
    ] {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let violations = found("migrations", &files);
        assert!(
            violations.iter().any(|it| it.message == message),
            "{message}{}",
            list(&violations)
        );
    }
}

#[test]
fn a_store_without_migrations_is_found() {
    let root = tree(&[]);
    std::fs::remove_dir_all(root.path().join("crates/mizan-store-sqlite")).expect("can remove a directory");
    let repo = Repo::open(root.path()).expect("can read the tree");
    let violations = tidy::rule("migrations").check(&repo);
    assert!(
        violations.iter().any(|it| it.message == "there is no migration"),
        "{}",
        list(&violations)
    );
}

#[test]
fn directories_of_one_machine_are_found() {
    for directory in ["home/somebody", "Users/somebody", "work/main"] {
        let mut text = "# How to\n".to_owned();
        writeln!(text, "Run it in `/{directory}`.").expect("can write to a string");
        breaks("no-machine-paths", "docs/how-to.md", &text, 2);
    }
    keeps(
        "no-machine-paths",
        "docs/how-to.md",
        "https://example.com/home/page and docs/work/flow.md\n",
    );
}

#[test]
fn handlers_with_two_flows_are_found() {
    let handler = |body: &str| {
        format!("//! A.\nuse mizan_flows::{{deposits, wallets}};\npub async fn a() {{\n    {body}\n}}\n")
    };
    let path = "crates/mizan-http/src/a.rs";
    breaks(
        "one-flow-a-handler",
        path,
        &handler("deposits::post(x).await; wallets::read(x).await"),
        3,
    );
    keeps(
        "one-flow-a-handler",
        path,
        &handler("wallets::read(wallets::key(x)?).await; render::page(x).await"),
    );
}

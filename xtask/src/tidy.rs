//! How the code of this repository looks: one rule a function, each with its reason.

mod exceptions;
mod handlers;
mod migrations;
mod places;
mod shape;
mod size;
mod sql;
mod words;

use crate::{Repo, Violation};

/// A rule: what it is called, why it is there, and how it is checked.
pub struct Rule {
    pub name: &'static str,
    pub reason: &'static str,
    check: fn(&Repo) -> Vec<Found>,
}

/// What a rule found, before it is told which rule it is.
struct Found {
    file: String,
    line: usize,
    message: String,
}

impl Found {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl Rule {
    /// All the places that break the rule.
    pub fn check(&self, repo: &Repo) -> Vec<Violation> {
        let found = (self.check)(repo).into_iter();
        let mut violations: Vec<_> = found
            .map(|it| Violation {
                file: it.file,
                line: it.line,
                rule: self.name,
                message: it.message,
                reason: self.reason.to_owned(),
            })
            .collect();
        violations.sort();
        violations
    }
}

/// Every rule, in the order of `xtask help`.
pub const RULES: [Rule; 16] = [
    Rule {
        name: "file-length",
        reason: "a file that fits a head is read before it is changed; 400 lines is the most",
        check: size::files,
    },
    Rule {
        name: "function-length",
        reason: "a function tells one story: 70 lines at most, 120 in tests",
        check: size::functions,
    },
    Rule {
        name: "opening",
        reason: "the first line of a file says what the file is for",
        check: shape::opening,
    },
    Rule {
        name: "mod-rs",
        reason: "an editor full of tabs named mod.rs tells nobody anything: noun.rs beside noun/",
        check: shape::mod_rs,
    },
    Rule {
        name: "expect-not-allow",
        reason: "an #[expect] with a reason reports itself when it is no longer needed",
        check: shape::allow,
    },
    Rule {
        name: "module-names",
        reason: "a module named after nothing collects everything",
        check: shape::module_names,
    },
    Rule {
        name: "no-floats",
        reason: "binary fractions cannot hold a cent",
        check: words::floats,
    },
    Rule {
        name: "no-async",
        reason: "what decides about money does no I/O, so it needs no await",
        check: words::async_in_pure_crates,
    },
    Rule {
        name: "no-printing",
        reason: "only the command line talks to a terminal; the rest logs, masked",
        check: words::printing,
    },
    Rule {
        name: "finished",
        reason: "what is unfinished is an issue, not a line in the code",
        check: words::unfinished,
    },
    Rule {
        name: "no-sleep-in-tests",
        reason: "a test that waits for time to pass is slow when it is right and wrong when it is quick",
        check: words::sleeps,
    },
    Rule {
        name: "sql-in-stores",
        reason: "only the two store crates may know tables; a tenant filter is looked for in one place",
        check: sql::statements,
    },
    Rule {
        name: "migrations",
        reason: "every step can be undone, and both stores take the same steps",
        check: migrations::pairs,
    },
    Rule {
        name: "no-machine-paths",
        reason: "a path of one machine works on one machine",
        check: places::machine_paths,
    },
    Rule {
        name: "one-flow-a-handler",
        reason: "a handler extracts, calls one flow and renders; what is in between belongs into the flow",
        check: handlers::one_flow,
    },
    Rule {
        name: "exceptions",
        reason: "an exception that nothing needs any more would hide the next violation",
        check: exceptions::stale,
    },
];

/// The rule of that name.
///
/// # Panics
/// When there is none.
pub fn rule(name: &str) -> &'static Rule {
    RULES
        .iter()
        .find(|it| it.name == name)
        .unwrap_or_else(|| panic!("no rule is called {name}"))
}

/// Applies every rule.
pub fn check(repo: &Repo) -> Vec<Violation> {
    RULES.iter().flat_map(|it| it.check(repo)).collect()
}

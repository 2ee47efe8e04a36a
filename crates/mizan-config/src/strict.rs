//! What strict mode demands: one function a rule. In strict mode nothing falls back to a default in silence.

use crate::admin::ADMIN_PASSWORD;
use crate::auth::{JWT_SECRET, MIN_SECRET_BYTES};
use crate::database::{DATABASE_URL, names_sqlite};
use crate::env::Mode;
use crate::placeholder::is_placeholder;
use crate::problem::{Problem, Report};
use crate::recon::RECON_RUNNER;
use crate::redis::REDIS_URL;
use crate::reference::Setting;
use crate::vars::Vars;
use crate::webhooks::{MOCKPSP_TEST_SECRET, is_secret_name, split};

type Rule = fn(&Vars, Mode) -> Vec<Problem>;

const RULES: [Rule; 9] = [
    database_is_named,
    database_is_shared,
    database_is_real,
    redis_is_named,
    redis_is_real,
    runs_go_through_the_queue,
    token_secret_is_strong,
    admin_password_is_real,
    webhook_secrets_are_real,
];

/// Applies every rule; nothing happens outside strict mode.
pub(crate) fn check(vars: &Vars, mode: Mode, report: &mut Report) {
    if mode.strict {
        for rule in RULES {
            for problem in rule(vars, mode) {
                report.add(problem);
            }
        }
    }
}

/// A default database would be an empty one.
fn database_is_named(vars: &Vars, mode: Mode) -> Vec<Problem> {
    required(vars, &DATABASE_URL, mode)
}

/// Replicas must see one database.
fn database_is_shared(vars: &Vars, mode: Mode) -> Vec<Problem> {
    when(
        vars.text(&DATABASE_URL).is_some_and(names_sqlite),
        DATABASE_URL.name,
        format!(
            "names SQLite, which replicas cannot share (PostgreSQL is required because {})",
            mode.because()
        ),
    )
}

/// A URL copied from a document reaches nothing, or somebody else's database.
fn database_is_real(vars: &Vars, mode: Mode) -> Vec<Problem> {
    real(vars.text(&DATABASE_URL), DATABASE_URL.name, mode)
}

/// Without Redis, jobs would be run by the process that took the request, and lost with it.
fn redis_is_named(vars: &Vars, mode: Mode) -> Vec<Problem> {
    required(vars, &REDIS_URL, mode)
}

/// As for the database, but `***` is let through: release checks use `redis://:***@127.0.0.1:1/0`, a masked and
/// unreachable Redis, to prove that the service starts, says so, and is not ready.
fn redis_is_real(vars: &Vars, mode: Mode) -> Vec<Problem> {
    let text = vars.text(&REDIS_URL).map(|it| it.replace("***", ""));
    real(text.as_deref(), REDIS_URL.name, mode)
}

/// A run must survive the process that took the request.
fn runs_go_through_the_queue(vars: &Vars, mode: Mode) -> Vec<Problem> {
    when(
        vars.text(&RECON_RUNNER) == Some("inline"),
        RECON_RUNNER.name,
        format!("is not queue (required because {})", mode.because()),
    )
}

/// Whoever guesses the key signs tokens of the owner.
fn token_secret_is_strong(vars: &Vars, mode: Mode) -> Vec<Problem> {
    let text = vars.text(&JWT_SECRET);
    let mut problems = when(
        text.is_some_and(|it| it.len() < MIN_SECRET_BYTES),
        JWT_SECRET.name,
        format!(
            "is shorter than {MIN_SECRET_BYTES} bytes (not allowed because {})",
            mode.because()
        ),
    );
    problems.extend(real(text, JWT_SECRET.name, mode));
    problems
}

/// A password from a document is public.
fn admin_password_is_real(vars: &Vars, mode: Mode) -> Vec<Problem> {
    real(vars.text(&ADMIN_PASSWORD), ADMIN_PASSWORD.name, mode)
}

/// A secret from a document, or the test secret, lets anybody sign events.
fn webhook_secrets_are_real(vars: &Vars, mode: Mode) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, value) in vars.iter().filter(|(name, _)| is_secret_name(name)) {
        problems.extend(real(Some(value), name, mode));
        problems.extend(when(
            split(value).any(|it| it == MOCKPSP_TEST_SECRET),
            name,
            format!(
                "holds the public test secret (not allowed because {})",
                mode.because()
            ),
        ));
    }
    problems
}

fn required(vars: &Vars, setting: &Setting, mode: Mode) -> Vec<Problem> {
    when(
        !vars.is_set(setting),
        setting.name,
        format!("is not set (required because {})", mode.because()),
    )
}

fn real(text: Option<&str>, name: &str, mode: Mode) -> Vec<Problem> {
    when(
        text.is_some_and(is_placeholder),
        name,
        format!(
            "holds a placeholder (a real value is required because {})",
            mode.because()
        ),
    )
}

fn when(broken: bool, variable: &str, sentence: String) -> Vec<Problem> {
    if broken {
        vec![Problem {
            variable: variable.to_owned(),
            sentence,
        }]
    } else {
        Vec::new()
    }
}

//! What the environment means: every case a line of data, the problems compared word for word.

mod database;
mod defaults;
mod flags;
mod generated;
mod leaks;
mod redis;
mod sections;
mod strict;

use mizan_config::{Loaded, Settings};

/// The four variables with which a release is started.
const STAGING: &[(&str, &str)] = &[
    ("ENV", "staging"),
    ("CI_STRICT", "1"),
    (
        "DATABASE_URL",
        "postgresql+asyncpg://app:pa55@db.internal:5432/mizan",
    ),
    ("REDIS_URL", "redis://:pa55@cache.internal:6379/0"),
];

fn load(vars: &[(&str, &str)]) -> Result<Loaded, mizan_config::Problems> {
    Settings::from_env(
        vars.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

/// The settings of an environment that must be good.
fn settings(vars: &[(&str, &str)]) -> Settings {
    load(vars)
        .unwrap_or_else(|problems| panic!("{vars:?}\n{problems}"))
        .settings
}

/// `base` with some variables set over it.
fn over<'a>(base: &[(&'a str, &'a str)], vars: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    base.iter().chain(vars).copied().collect()
}

/// The problems of an environment, as they are printed.
#[track_caller]
fn check(vars: &[(&str, &str)], expected: &[&str]) {
    let printed = load(vars).err().map(|it| it.to_string()).unwrap_or_default();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "{vars:?}");
}

/// The warnings of an environment that must be good, as they are printed.
#[track_caller]
fn check_warnings(vars: &[(&str, &str)], expected: &[&str]) {
    let loaded = load(vars).unwrap_or_else(|problems| panic!("{vars:?}\n{problems}"));
    let printed: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(printed, expected, "{vars:?}");
}

//! `xtask/exceptions.toml`: what is excused from a rule, and why.

use serde::Deserialize;

use super::Found;
use super::words::pattern;
use crate::Repo;

const FILE: &str = "xtask/exceptions.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exceptions {
    /// Test files that have to wait for time to pass.
    #[serde(default)]
    sleep: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    file: String,
    reason: String,
}

impl Exceptions {
    /// An unreadable file excuses nothing, and is reported by the rule `exceptions`.
    pub(super) fn read(repo: &Repo) -> Self {
        Self::parse(repo).unwrap_or_default()
    }

    pub(super) fn may_sleep(&self, file: &str) -> bool {
        self.sleep.iter().any(|it| it.file == file)
    }

    fn parse(repo: &Repo) -> Result<Self, toml::de::Error> {
        let file = repo.files.iter().find(|it| it.path == FILE);
        file.map_or_else(|| Ok(Self::default()), |it| toml::from_str(&it.text))
    }
}

pub(super) fn stale(repo: &Repo) -> Vec<Found> {
    let exceptions = match Exceptions::parse(repo) {
        Ok(exceptions) => exceptions,
        Err(error) => {
            return vec![Found::new(
                FILE,
                0,
                format!("cannot be read: {}", error.message()),
            )];
        }
    };
    let mut found = Vec::new();
    for it in &exceptions.sleep {
        let sleeps = repo.rust().any(|(file, source)| {
            file.path == it.file && pattern(r"\bsleep(_until)?\s*\(").is_match(&source.code)
        });
        if !sleeps {
            found.push(Found::new(
                FILE,
                0,
                format!("{} is excused and does not sleep", it.file),
            ));
        }
        if it.reason.trim().len() < 20 {
            found.push(Found::new(
                FILE,
                0,
                format!("{} is excused without a reason", it.file),
            ));
        }
    }
    found
}

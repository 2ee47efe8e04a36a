//! A gate pack as it is written: packets of steps, each with what it must show.
//!
//! Reading a pack finds everything that is wrong with it before anything runs: [`parse`] what the form gets
//! wrong, with line and column, [`check`] what only the whole can show.

pub mod check;
pub mod kinds;
pub mod lines;
pub mod parse;
pub mod scalar;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

pub use self::kinds::{
    CiJobStep, Command, FileStep, HttpStep, JunitStep, LogStep, MetricStep, Ready, RedisStep, ServiceStep,
    SqlStep,
};
pub use self::scalar::{Text, Wait};
use crate::expect::{Expect, Until};

/// A gate: what has to be shown before a release may go out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Name of the gate, used in file names: letters, digits, `-`, `_` and `.`.
    pub gate: String,
    /// What people call it.
    pub title: String,
    /// Ids of the packets that must all PASS before the verdict can be GO.
    pub requires: Vec<Text>,
    /// Variables with their defaults; `--var name=value` replaces one. A default may use other variables.
    #[serde(default)]
    pub vars: BTreeMap<String, Text>,
    /// Variables whose values are made at the start of a run.
    #[serde(default)]
    pub generate: BTreeMap<String, Generate>,
    /// Environment variables that are needed: they are variables of the pack, and are handed to its steps.
    #[serde(default)]
    pub env: Vec<String>,
    /// The same for those that may be missing; a missing one is empty where a step uses it.
    #[serde(default)]
    pub env_optional: Vec<String>,
    /// Run in order.
    pub packets: Vec<Packet>,
}

/// How a generated value is made. Exactly one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generate {
    /// This many random letters and digits, at least 16; a secret from the start.
    pub token: Option<u16>,
    /// `true`: a UUID.
    pub uuid: Option<bool>,
    /// `true`: a TCP port of the loopback address on which nothing listens.
    pub port: Option<bool>,
    /// A time relative to the start of the run, as RFC 3339 in UTC: `-2h`, `+30m`, `0s`.
    pub time: Option<scalar::Offset>,
    /// The same in seconds since 1970.
    pub unix_time: Option<scalar::Offset>,
}

/// A part of a gate that passes or fails as a whole.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    pub id: Text,
    pub title: String,
    /// Runs at the same time as the packets beside it that say so too; needs no value captured by them.
    #[serde(default)]
    pub parallel: bool,
    /// Run in order; after one that did not pass, the rest still runs, so that the record is complete.
    pub steps: Vec<Step>,
}

/// One check. Exactly one of `run`, `http`, `sql`, `redis`, `log`, `metric`, `junit`, `ci_job`, `file`, `service`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Unique in its packet.
    pub id: Text,
    /// A script for `bash -euo pipefail`, or a list of a program and its arguments, which no shell sees. Passes
    /// with exit code 0 unless `expect` says otherwise. In a script, variables of the pack are shell variables.
    pub run: Option<Command>,
    /// An HTTP request.
    pub http: Option<HttpStep>,
    /// A query to PostgreSQL or SQLite. Must find a row unless `expect` says how many.
    pub sql: Option<SqlStep>,
    /// A Redis PING, and what INFO says.
    pub redis: Option<RedisStep>,
    /// Lines of a file or of a service's output.
    pub log: Option<LogStep>,
    /// A value that a Prometheus endpoint shows.
    pub metric: Option<MetricStep>,
    /// A test report in JUnit's format: tests ran, and none failed.
    pub junit: Option<JunitStep>,
    /// The newest run of a GitHub Actions workflow: GREEN passes.
    pub ci_job: Option<CiJobStep>,
    /// A file.
    pub file: Option<FileStep>,
    /// Starts, stops or restarts a process that goes on running behind the steps that follow.
    pub service: Option<ServiceStep>,
    /// What must be seen.
    pub expect: Option<Expect>,
    /// Asks again until this is seen, or its time is up.
    pub until: Option<Until>,
    /// Does the whole step again when it did not pass.
    pub retry: Option<Retry>,
    /// Takes values out of the answer, for the steps that follow.
    pub capture: BTreeMap<String, Capture>,
    /// How long one attempt may take; then all its processes are killed. 10 minutes for `run`, else 30 seconds.
    pub timeout: Option<Wait>,
    /// The working directory of `run` and `service`, relative to where the gate is run.
    pub cwd: Option<String>,
    /// Further environment of `run` and `service`.
    pub env: BTreeMap<String, Text>,
    /// Variables that `run` and `service` must not have.
    pub unset: Vec<String>,
    /// Does not count for the packet, whatever comes of it. It is in the record.
    pub optional: bool,
    /// Leaves the step out when one of these variables was given with `--var`. The record says so.
    pub unless_given: Vec<String>,
    /// Leaves the step out when one of these variables was not given with `--var`. The record says so.
    pub if_given: Vec<String>,
    /// A sentence for the record.
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all.
    pub times: u32,
    /// Pause between two attempts.
    #[serde(default = "Retry::pause")]
    pub every: Wait,
}

impl Retry {
    fn pause() -> Wait {
        Wait::seconds(1)
    }
}

/// What to take: the short form is a path into JSON, `$.id`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum Capture {
    Path(String),
    Full(FullCapture),
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FullCapture {
    /// A path into the JSON of the answer: `$.items[0].id`.
    pub json: Option<String>,
    /// A regular expression over the output or body; its first group is taken, or all of it.
    pub regex: Option<String>,
    /// A header of an HTTP answer.
    pub header: Option<String>,
    /// Masked from now on, wherever it turns up.
    pub secret: bool,
}

/// Everything that is wrong with a pack, at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `packet 3, step create`, where it is known.
    pub place: Option<String>,
    pub line: Option<usize>,
    pub column: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            _ => {}
        }
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Step {
    /// What kind of step it is; the first, should there be several, which [`check`] refuses.
    pub fn kind(&self) -> &'static str {
        self.kinds().into_iter().next().unwrap_or("none")
    }

    /// The names of all kinds that are filled in.
    pub fn kinds(&self) -> Vec<&'static str> {
        let all = [
            ("run", self.run.is_some()),
            ("http", self.http.is_some()),
            ("sql", self.sql.is_some()),
            ("redis", self.redis.is_some()),
            ("log", self.log.is_some()),
            ("metric", self.metric.is_some()),
            ("junit", self.junit.is_some()),
            ("ci_job", self.ci_job.is_some()),
            ("file", self.file.is_some()),
            ("service", self.service.is_some()),
        ];
        all.into_iter().filter(|it| it.1).map(|it| it.0).collect()
    }

    /// Whether it starts processes.
    pub fn has_process(&self) -> bool {
        self.run.is_some() || self.service.is_some()
    }
}

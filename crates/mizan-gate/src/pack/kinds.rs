//! The kinds of steps, one struct each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor, value::MapAccessDeserializer};

use super::scalar::{Text, Wait};
use super::{Capture, FullCapture};

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// For `bash -euo pipefail`.
    Script(String),
    /// A program and its arguments.
    Program(Vec<String>),
}

struct CommandVisitor;

impl<'de> Visitor<'de> for CommandVisitor {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a script, or a list of a program and its arguments")
    }

    fn visit_str<E: de::Error>(self, script: &str) -> Result<Command, E> {
        Ok(Command::Script(script.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Command, A::Error> {
        let mut all = Vec::new();
        while let Some(Text(word)) = words.next_element()? {
            all.push(word);
        }
        Ok(Command::Program(all))
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CommandVisitor)
    }
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [
            { "type": "string", "description": "A script for bash -euo pipefail" },
            { "type": "array", "items": { "type": ["string", "integer"] }, "minItems": 1, "description": "A program and its arguments" },
        ] })
    }
}

struct CaptureVisitor;

impl<'de> Visitor<'de> for CaptureVisitor {
    type Value = Capture;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path into JSON (\"$.id\"), or json, regex or header with secret")
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Capture, E> {
        Ok(Capture::Path(path.to_owned()))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Capture, A::Error> {
        FullCapture::deserialize(MapAccessDeserializer::new(map)).map(Capture::Full)
    }
}

impl<'de> Deserialize<'de> for Capture {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CaptureVisitor)
    }
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpStep {
    /// GET unless it is said.
    pub method: Option<String>,
    pub url: String,
    pub headers: BTreeMap<String, Text>,
    /// Sent as `Authorization: Bearer …`; a secret from then on.
    pub bearer: Option<String>,
    /// A body of JSON; variables are replaced in its texts.
    pub json: Option<serde_json::Value>,
    /// A body as it is.
    pub body: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SqlStep {
    /// `postgresql://…` (a driver, as in `postgresql+asyncpg://`, is left out) or `sqlite:…`.
    pub url: String,
    /// One statement. PostgreSQL runs it in a transaction that is read only.
    pub query: String,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisStep {
    pub url: String,
    /// Sections of INFO to read; `expect: {json: {redis_version: …}}` looks at their fields.
    pub info: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogStep {
    /// The output of a service of this gate, since it was last started.
    pub service: Option<String>,
    /// A file.
    pub file: Option<String>,
    /// A line must hold all of these texts.
    pub contains: Vec<String>,
    /// A line after that one must hold all of these.
    pub then: Vec<String>,
    /// A line must match this regular expression.
    pub matches: Option<String>,
    /// No line may hold any of these texts.
    pub lacks: Vec<String>,
    /// Keeps the first lines, this many; there must be one.
    pub first: Option<usize>,
    /// How long to wait for it; 10 seconds unless it is said.
    pub within: Option<Wait>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricStep {
    /// Where the metrics are shown.
    pub url: String,
    pub bearer: Option<String>,
    /// Name of the series; several that fit are summed.
    pub name: String,
    /// Labels that a series must have.
    pub labels: BTreeMap<String, Text>,
    /// Looks twice, this long apart, and takes the growth per second.
    pub rate_over: Option<Wait>,
    /// What is normal, to compare with: `expect: {times_baseline: 3}`.
    pub baseline: Option<Text>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JunitStep {
    /// The report. One that is older than the run of the gate is refused unless `any_age` is true.
    pub file: String,
    pub any_age: bool,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CiJobStep {
    /// `owner/name`.
    pub repo: String,
    /// The workflow's name, or its file's.
    pub workflow: String,
    pub branch: Option<String>,
    /// Only a run of this commit counts.
    pub sha: Option<String>,
    pub token: Option<String>,
    /// `https://api.github.com` unless it is said.
    pub base_url: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileStep {
    pub path: String,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceStep {
    /// Starts a service under this name. Needs `run` and `ready`.
    pub start: Option<String>,
    /// Stops it and starts it again with this step's `env` and `unset`; without them as it was first.
    pub restart: Option<String>,
    /// Ends it with SIGTERM, and with SIGKILL when that does not help.
    pub stop: Option<String>,
    pub run: Option<Command>,
    pub ready: Option<Ready>,
}

/// When a service counts as started. Exactly one of `http`, `log` and `tcp`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ready {
    /// Answers at this URL with `status`.
    pub http: Option<String>,
    /// 200 unless it is said.
    pub status: Option<u16>,
    /// Printed a line with this text.
    pub log: Option<String>,
    /// Accepts connections at `host:port`.
    pub tcp: Option<String>,
    /// 30 seconds unless it is said.
    pub timeout: Option<Wait>,
}

//! What a run of a gate leaves behind: plain data, complete and already masked.
//!
//! Running writes it, judging reads and fills it, and everything on paper (reports, JUnit, attestations) is made
//! from it. Nothing in here is a connection string or a secret: texts went through the masker first.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a step or a packet ended. Only `Pass` counts for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Pass,
    Fail,
    /// Could not be judged: the command was not found, the time ran out, the answer could not be read.
    Error,
    /// Not run. Fine for an optional step, a failure for any other.
    Skipped,
}

/// The outcome of a gate. The default of everything is [`Verdict::NoGo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    #[serde(rename = "GO")]
    Go,
    #[serde(rename = "GO WITH WAIVER")]
    GoWithWaiver,
    #[serde(rename = "NO-GO")]
    NoGo,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateRecord {
    /// The pack's name, `psp-03d`.
    pub gate: String,
    pub title: String,
    /// A UUIDv7 of this run.
    pub run_id: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
    pub pack: PackFile,
    pub about: About,
    /// Ids of the packets that must pass.
    pub requires: Vec<String>,
    /// The packets that were asked for, where not all were (`--only`).
    pub only: Vec<String>,
    pub packets: Vec<PacketRecord>,
    pub waivers: Vec<Waiver>,
    /// Why the run ended early (`interrupted by SIGINT`), if it did.
    pub interrupted: Option<String>,
    pub verdict: Verdict,
    /// Why the verdict is not GO, one sentence each; empty for GO.
    pub reasons: Vec<String>,
}

/// The pack file that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackFile {
    pub path: String,
    pub sha256: String,
}

/// What was gated, where, and by whom. Unknown facts are `None` and shown as unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// `ENV` of the run.
    pub environment: Option<String>,
    /// Of the service under test, as its `/api/version` says.
    pub service_version: Option<String>,
    pub git_sha: Option<String>,
    /// Masked.
    pub runner: Option<String>,
    /// Masked.
    pub host: Option<String>,
    pub operator: Option<String>,
    /// `mizan 0.1.0 (sha)`.
    pub tool: String,
}

/// A recorded reason to go on although a packet did not pass; by a person with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    pub packet: String,
    pub by: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PacketRecord {
    pub id: String,
    pub title: String,
    pub required: bool,
    pub status: Status,
    /// One sentence, for the report.
    pub note: String,
    pub steps: Vec<StepRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    pub id: String,
    /// `run`, `http`, `sql`, ...
    pub kind: String,
    pub optional: bool,
    pub status: Status,
    /// What was done, as a person would type it; masked.
    pub command: String,
    pub exit_code: Option<i32>,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
    /// 1 unless it was retried.
    pub attempts: u32,
    pub criteria: Vec<Criterion>,
    /// What `until` saw, each value once, in order: `queued`, `running`, `completed`.
    pub observed: Vec<String>,
    /// The full outputs, masked; file names are relative to `packets/<packet>/`.
    pub outputs: Vec<Output>,
    /// What went wrong, for FAIL and ERROR.
    pub error: Option<String>,
    pub note: Option<String>,
}

/// One expectation and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Criterion {
    pub name: String,
    pub expected: String,
    pub seen: String,
    pub passed: bool,
}

/// A file of a step, already on disk under the run's working directory and already masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// `upgrade.stdout`
    pub file: String,
    pub bytes: u64,
    /// First and last ten lines, for the report; the same text once where there are no more than twenty.
    pub head: Vec<String>,
    pub tail: Vec<String>,
    /// Lines between head and tail.
    pub omitted: u64,
}

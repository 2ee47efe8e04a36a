//! `summary.json`: the first page for machines. Together with the `packet.json` of every packet it is the whole
//! record, so reports can be made again from a pack and a verdict can be checked against what it rests on.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{About, GateRecord, PackFile, PacketRecord, Status, StepRecord, Verdict, Waiver};

/// The form of `summary.json`. A form that readers of this one would misread gets another number.
pub const FORM: &str = "mizan-evidence/1";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Always `mizan-evidence/1`.
    #[schemars(extend("const" = FORM))]
    pub form: String,
    pub gate: String,
    pub title: String,
    pub verdict: Verdict,
    /// Why the verdict is not GO, one sentence each; empty for GO.
    pub reasons: Vec<String>,
    /// A UUIDv7 of this run.
    pub run_id: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
    pub pack: PackFile,
    pub about: About,
    /// Ids of the packets that must pass.
    pub requires: Vec<String>,
    /// The packets that were asked for, where not all were.
    pub only: Vec<String>,
    pub packets: Vec<PacketSummary>,
    pub waivers: Vec<Waiver>,
    /// Why the run ended early, if it did.
    pub interrupted: Option<String>,
    /// Everything that was asked for by the pack and did not run.
    pub not_run: Vec<NotRun>,
    /// The pack of the same gate that was written before this one, in the same directory.
    pub previous: Option<Previous>,
    /// The key id that the attestations are signed with; `null` for an unsigned pack.
    pub signed_by: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketSummary {
    pub id: String,
    pub title: String,
    pub required: bool,
    pub status: Status,
    pub note: String,
    pub steps: Vec<StepSummary>,
    /// Where the whole of it is, relative to the pack.
    pub file: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSummary {
    pub id: String,
    pub kind: String,
    pub optional: bool,
    pub status: Status,
    pub exit_code: Option<i32>,
    pub duration_ms: i64,
    pub criteria: usize,
    pub criteria_passed: usize,
}

/// A packet or a step that did not run, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotRun {
    /// `2`, or `2/e2e` for a step.
    pub what: String,
    pub why: NotRunReason,
    /// What the record says about it, where it says something.
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotRunReason {
    /// A required packet that is not in this run.
    Missing,
    /// The packet or the step was skipped.
    Skipped,
    /// The packet has no steps.
    Empty,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Name of its directory.
    pub pack: String,
    /// The sha256 of its `MANIFEST.sha256`, which covers every file of it.
    pub manifest_sha256: String,
}

impl Summary {
    pub fn new(record: &GateRecord, previous: Option<Previous>, signed_by: Option<String>) -> Self {
        Self {
            form: FORM.to_owned(),
            gate: record.gate.clone(),
            title: record.title.clone(),
            verdict: record.verdict,
            reasons: record.reasons.clone(),
            run_id: record.run_id.clone(),
            started_at: record.started_at,
            finished_at: record.finished_at,
            pack: record.pack.clone(),
            about: record.about.clone(),
            requires: record.requires.clone(),
            only: record.only.clone(),
            packets: record.packets.iter().map(PacketSummary::new).collect(),
            waivers: record.waivers.clone(),
            interrupted: record.interrupted.clone(),
            not_run: not_run(record),
            previous,
            signed_by,
        }
    }

    /// The record again: this page with the packets that it names.
    pub fn into_record(self, packets: Vec<PacketRecord>) -> GateRecord {
        GateRecord {
            gate: self.gate,
            title: self.title,
            run_id: self.run_id,
            started_at: self.started_at,
            finished_at: self.finished_at,
            pack: self.pack,
            about: self.about,
            requires: self.requires,
            only: self.only,
            packets,
            waivers: self.waivers,
            interrupted: self.interrupted,
            verdict: self.verdict,
            reasons: self.reasons,
        }
    }
}

impl PacketSummary {
    pub fn new(packet: &PacketRecord) -> Self {
        Self {
            id: packet.id.clone(),
            title: packet.title.clone(),
            required: packet.required,
            status: packet.status,
            note: packet.note.clone(),
            steps: packet.steps.iter().map(StepSummary::new).collect(),
            file: format!("packets/{}/packet.json", packet.id),
        }
    }
}

impl StepSummary {
    fn new(step: &StepRecord) -> Self {
        Self {
            id: step.id.clone(),
            kind: step.kind.clone(),
            optional: step.optional,
            status: step.status,
            exit_code: step.exit_code,
            duration_ms: duration_ms(step),
            criteria: step.criteria.len(),
            criteria_passed: step.criteria.iter().filter(|it| it.passed).count(),
        }
    }
}

pub(crate) fn duration_ms(step: &StepRecord) -> i64 {
    (step.finished_at - step.started_at).num_milliseconds().max(0)
}

/// What a reader would otherwise have to notice by its absence.
pub fn not_run(record: &GateRecord) -> Vec<NotRun> {
    let absent = |id: &&String| !record.packets.iter().any(|it| it.id == **id);
    let mut found: Vec<NotRun> = record
        .requires
        .iter()
        .filter(absent)
        .map(|id| NotRun {
            what: id.clone(),
            why: NotRunReason::Missing,
            note: None,
        })
        .collect();
    for packet in &record.packets {
        let note = |it: &str| (!it.is_empty()).then(|| it.to_owned());
        if packet.status == Status::Skipped {
            found.push(NotRun {
                what: packet.id.clone(),
                why: NotRunReason::Skipped,
                note: note(&packet.note),
            });
        } else if packet.steps.is_empty() {
            found.push(NotRun {
                what: packet.id.clone(),
                why: NotRunReason::Empty,
                note: note(&packet.note),
            });
        }
        let skipped = packet.steps.iter().filter(|it| it.status == Status::Skipped);
        found.extend(skipped.map(|step| NotRun {
            what: format!("{}/{}", packet.id, step.id),
            why: NotRunReason::Skipped,
            note: step.error.clone().or_else(|| step.note.clone()),
        }));
    }
    found
}

/// The JSON Schema of `summary.json`, which `schemas/evidence.schema.json` is a copy of.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Summary);
    schema.insert("title".into(), "summary.json of a Mizan evidence pack".into());
    schema.to_value()
}

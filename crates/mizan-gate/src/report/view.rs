//! What the templates see: the record in the words and order of the page.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Page;
use super::words::{Lang, Words};
use crate::record::{Criterion, Output, PacketRecord, Status, StepRecord, Verdict, Waiver};
use crate::summary::{NotRunReason, Previous, duration_ms};

#[derive(Debug, Serialize)]
pub struct View<'a> {
    t: &'a Words,
    lang: &'static str,
    title: &'a str,
    gate: &'a str,
    pack: &'a str,
    verdict: &'static str,
    /// `go`, `waiver` or `nogo`: for the looks.
    class: &'static str,
    /// What the verdict means, one sentence.
    meaning: &'a str,
    reasons: &'a [String],
    waivers: &'a [Waiver],
    requires: String,
    facts: Vec<Fact>,
    packets: Vec<PacketView<'a>>,
    not_run: Vec<NotRunView<'a>>,
    signed_by: Option<&'a str>,
    previous: Option<&'a Previous>,
}

/// A line of the metadata.
#[derive(Debug, Serialize)]
struct Fact {
    name: String,
    value: String,
    /// Shown in the letters of code.
    code: bool,
    /// Takes a line of its own.
    wide: bool,
}

#[derive(Debug, Serialize)]
struct PacketView<'a> {
    id: &'a str,
    title: &'a str,
    required: bool,
    status: Status,
    note: &'a str,
    passed: usize,
    duration: String,
    steps: Vec<StepView<'a>>,
}

#[derive(Debug, Serialize)]
struct StepView<'a> {
    id: &'a str,
    kind: &'a str,
    optional: bool,
    status: Status,
    command: &'a str,
    exit_code: Option<i32>,
    started: String,
    duration: String,
    attempts: u32,
    criteria: &'a [Criterion],
    observed: &'a [String],
    outputs: Vec<OutputView<'a>>,
    error: Option<&'a str>,
    note: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OutputView<'a> {
    file: &'a str,
    path: String,
    bytes: u64,
    /// The whole of it, where head and tail are the same text.
    whole: bool,
    head: String,
    tail: String,
    omitted: u64,
}

#[derive(Debug, Serialize)]
struct NotRunView<'a> {
    what: &'a str,
    why: &'a str,
    note: Option<&'a str>,
}

impl<'a> View<'a> {
    pub fn new(page: &'a Page<'a>) -> Self {
        let record = page.record;
        let word = |key: &str| lookup(page.lang, key);
        let (verdict, class, meaning) = match record.verdict {
            Verdict::Go => ("GO", "go", word("meaning_go")),
            Verdict::GoWithWaiver => ("GO WITH WAIVER", "waiver", word("meaning_waiver")),
            Verdict::NoGo => ("NO-GO", "nogo", word("meaning_nogo")),
        };
        let why = |it: NotRunReason| match it {
            NotRunReason::Missing => word("not_run_missing"),
            NotRunReason::Skipped => word("not_run_skipped"),
            NotRunReason::Empty => word("not_run_empty"),
        };
        let not_run = page.summary.not_run.iter().map(|it| NotRunView {
            what: &it.what,
            why: why(it.why),
            note: it.note.as_deref(),
        });
        Self {
            t: page.lang.words(),
            lang: page.lang.tag(),
            title: &record.title,
            gate: &record.gate,
            pack: page.pack,
            verdict,
            class,
            meaning,
            reasons: &record.reasons,
            waivers: &record.waivers,
            requires: record.requires.join("/"),
            facts: facts(page),
            packets: record.packets.iter().map(PacketView::new).collect(),
            not_run: not_run.collect(),
            signed_by: page.summary.signed_by.as_deref(),
            previous: page.summary.previous.as_ref(),
        }
    }
}

fn lookup(lang: Lang, key: &str) -> &'static str {
    lang.words().get(key).map_or("", String::as_str)
}

/// The metadata in the order of the form that operators know. Unknown facts are shown as unknown.
fn facts(page: &Page) -> Vec<Fact> {
    let word = |key: &str| lookup(page.lang, key).to_owned();
    let (record, about) = (page.record, &page.record.about);
    let known = |it: &Option<String>| it.clone().unwrap_or_else(|| word("unknown"));
    let fact = |name: String, value: String| Fact {
        name,
        value,
        code: false,
        wide: false,
    };
    let code = |name: String, value: String| Fact {
        name,
        value,
        code: true,
        wide: false,
    };
    let mut facts = vec![
        fact(word("date"), time(record.started_at)),
        fact(
            word("duration"),
            seconds((record.finished_at - record.started_at).num_milliseconds()),
        ),
        fact(word("environment"), known(&about.environment)),
        fact(word("service_version"), known(&about.service_version)),
        code(word("git_sha"), known(&about.git_sha)),
        fact(
            word("runner_host"),
            format!("{} / {}", known(&about.runner), known(&about.host)),
        ),
        fact(word("operator"), known(&about.operator)),
        code(word("run_id"), record.run_id.clone()),
        code(word("pack_file"), record.pack.path.clone()),
        fact(word("tool"), about.tool.clone()),
        Fact {
            wide: true,
            ..code(word("pack_sha"), record.pack.sha256.clone())
        },
    ];
    if !record.only.is_empty() {
        facts.push(fact(word("only"), record.only.join(", ")));
    }
    if let Some(why) = &record.interrupted {
        facts.push(fact(word("interrupted"), why.clone()));
    }
    facts
}

impl<'a> PacketView<'a> {
    fn new(packet: &'a PacketRecord) -> Self {
        let total = packet.steps.iter().map(duration_ms).sum();
        Self {
            id: &packet.id,
            title: &packet.title,
            required: packet.required,
            status: packet.status,
            note: &packet.note,
            passed: packet.steps.iter().filter(|it| it.status == Status::Pass).count(),
            duration: seconds(total),
            steps: packet
                .steps
                .iter()
                .map(|it| StepView::new(it, &packet.id))
                .collect(),
        }
    }
}

impl<'a> StepView<'a> {
    fn new(step: &'a StepRecord, packet: &str) -> Self {
        Self {
            id: &step.id,
            kind: &step.kind,
            optional: step.optional,
            status: step.status,
            command: step.command.trim_end(),
            exit_code: step.exit_code,
            started: time(step.started_at),
            duration: seconds(duration_ms(step)),
            attempts: step.attempts,
            criteria: &step.criteria,
            observed: &step.observed,
            outputs: step
                .outputs
                .iter()
                .map(|it| OutputView::new(it, packet))
                .collect(),
            error: step.error.as_deref(),
            note: step.note.as_deref(),
        }
    }
}

impl<'a> OutputView<'a> {
    fn new(output: &'a Output, packet: &str) -> Self {
        Self {
            file: &output.file,
            path: format!("packets/{packet}/{}", output.file),
            bytes: output.bytes,
            whole: output.omitted == 0 && (output.tail.is_empty() || output.head == output.tail),
            head: output.head.join("\n"),
            tail: output.tail.join("\n"),
            omitted: output.omitted,
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}

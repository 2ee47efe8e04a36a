//! Runs that never happened, as records with their outputs: what reports and verification are tried on.

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use mizan_gate::record::{
    About, Criterion, GateRecord, Output, PackFile, PacketRecord, Status, StepRecord, Verdict, Waiver,
};

/// When every one of these runs began.
pub fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 10, 15, 0)
        .single()
        .unwrap_or_default()
}

/// A closure of four packets, all of them PASS.
pub fn go() -> GateRecord {
    GateRecord {
        gate: "psp-03d".into(),
        title: "PSP-03D release candidate closure".into(),
        run_id: "019ab0f4-7c00-7000-8000-000000000001".into(),
        started_at: start(),
        finished_at: start() + TimeDelta::milliseconds(41_730),
        pack: PackFile {
            path: "gates/psp-03d.yaml".into(),
            sha256: "5f".repeat(32),
        },
        about: About {
            environment: Some("staging".into()),
            service_version: Some("0.1.0".into()),
            git_sha: Some("0e356b6a1b2c3d4e5f60718293a4b5c6d7e8f901".into()),
            runner: Some("ci-runner-***".into()),
            host: Some("stg-***".into()),
            operator: None,
            tool: "mizan 0.1.0 (0e356b6)".into(),
        },
        requires: ["0", "1", "2", "3"].map(String::from).to_vec(),
        only: Vec::new(),
        packets: vec![ci(), migration(), rollout(), queue()],
        waivers: Vec::new(),
        interrupted: None,
        verdict: Verdict::Go,
        reasons: Vec::new(),
    }
}

/// The same closure where the queue packet fails: Redis cannot be reached.
pub fn no_go() -> GateRecord {
    let mut record = go();
    record.run_id = "019ab0f4-7c00-7000-8000-000000000002".into();
    let queue = &mut record.packets[3];
    let step = &mut queue.steps[0];
    step.status = Status::Fail;
    step.criteria[0].seen = "503".into();
    step.criteria[0].passed = false;
    step.error = Some("the status is 503, expected 200".into());
    queue.steps[1].status = Status::Skipped;
    queue.steps[1].criteria.clear();
    queue.steps[1].error = Some("not run, because step create failed".into());
    queue.status = Status::Fail;
    queue.note = "Redis is unreachable, so no run could be queued.".into();
    record.verdict = Verdict::NoGo;
    record.reasons = vec!["packet 3 is FAIL: Redis is unreachable, so no run could be queued.".into()];
    record
}

/// The same failure, waived by a person with a name.
pub fn waived() -> GateRecord {
    let mut record = no_go();
    record.run_id = "019ab0f4-7c00-7000-8000-000000000003".into();
    record.verdict = Verdict::GoWithWaiver;
    record.waivers = vec![Waiver {
        packet: "3".into(),
        by: "Ayşe Yılmaz".into(),
        reason: "The queue is enabled with the next release; jobs run in the process until then.".into(),
    }];
    record
}

/// A gate in which nothing happened.
pub fn empty() -> GateRecord {
    let mut record = go();
    record.run_id = "019ab0f4-7c00-7000-8000-000000000004".into();
    record.packets.clear();
    record.verdict = Verdict::NoGo;
    record.reasons = vec!["no packet ran".into()];
    record
}

/// Writes the outputs that a record names below a working directory, as running the gate would have. `secret` stands
/// for what a step should not have printed; it is written as it is.
pub fn write_outputs(record: &GateRecord, workdir: &Path, secret: Option<&str>) -> std::io::Result<()> {
    for packet in &record.packets {
        let folder = workdir.join("packets").join(&packet.id);
        fs::create_dir_all(&folder)?;
        for output in packet.steps.iter().flat_map(|it| &it.outputs) {
            let mut lines = output.head.clone();
            if output.omitted > 0 {
                lines.extend((0..output.omitted).map(|it| format!("line {it} of the middle")));
                lines.extend(output.tail.clone());
            }
            let mut text = lines.join("\n");
            if !lines.is_empty() {
                text.push('\n');
            }
            if let Some(secret) = secret {
                text.push_str(secret);
            }
            fs::write(folder.join(&output.file), text)?;
        }
    }
    Ok(())
}

fn ci() -> PacketRecord {
    let step = step("job", "ci_job", "Backend PSP-03D Postgres Tests (main)", 0, 900)
        .expecting("result", "GREEN", "GREEN")
        .printing("job.http", &["conclusion: success"]);
    packet("0", "CI Postgres job", "The job is GREEN.", vec![step])
}

fn migration() -> PacketRecord {
    let lines: Vec<String> = (1..=34)
        .map(|it| format!("Running upgrade {:04} -> {:04}", it - 1, it))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let upgrade = step(
        "upgrade",
        "run",
        "export DATABASE_URL='postgresql+asyncpg://user:***@host:5432/db'\nmizan migrate upgrade head",
        1,
        2_113,
    )
    .expecting("exit_code", "0", "0")
    .exiting(0)
    .printing("upgrade.stdout", &lines)
    .printing("upgrade.stderr", &[]);
    let unique = step(
        "unique",
        "sql",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'u'",
        4,
        12,
    )
    .expecting("rows_min", "1", "1")
    .expecting(
        "any_row_matches",
        "UNIQUE \\(provider, provider_event_id, finding_type\\)",
        "uq_findings | UNIQUE (provider, provider_event_id, finding_type)",
    )
    .printing(
        "unique.rows",
        &["uq_findings | UNIQUE (provider, provider_event_id, finding_type)"],
    );
    packet(
        "1",
        "STG-MIG",
        "The upgrade is clean and the UNIQUE constraint is there.",
        vec![upgrade, unique],
    )
}

fn rollout() -> PacketRecord {
    let dry = step(
        "backfill-dry",
        "run",
        "mizan ledger backfill --dry-run --batch-size 1000",
        5,
        604,
    )
    .expecting("exit_code", "0", "0")
    .exiting(0)
    .printing("backfill-dry.stdout", &["processed=120 updated=0 skipped=120"]);
    let mut smoke = step(
        "e2e",
        "junit",
        "yarn test:e2e -- tests/finance-withdrawals-smoke.spec.ts",
        6,
        0,
    );
    smoke.optional = true;
    smoke.status = Status::Skipped;
    smoke.note = Some("no browser on this runner".into());
    packet(
        "2",
        "STG-ROLL",
        "Dry and real backfill agree; there is no spike of 401.",
        vec![dry, smoke],
    )
}

fn queue() -> PacketRecord {
    let create = step(
        "create",
        "http",
        "curl -sS -i -X POST http://localhost:8001/api/v1/reconciliation/runs",
        7,
        84,
    )
    .expecting("status", "200", "200")
    .expecting("$.status", "queued", "queued")
    .printing(
        "create.http",
        &[
            "HTTP/1.1 200 OK",
            "content-type: application/json",
            "",
            "{\"status\":\"queued\"}",
        ],
    );
    let mut lifecycle = step(
        "lifecycle",
        "http",
        "curl -sS -i http://localhost:8001/api/v1/reconciliation/runs/…",
        8,
        2_400,
    )
    .expecting("$.status", "completed", "completed");
    lifecycle.observed = ["queued", "running", "completed"].map(String::from).to_vec();
    lifecycle.attempts = 5;
    packet(
        "3",
        "PSP-03D queue",
        "One run went from queued to completed, by API and by log.",
        vec![create, lifecycle],
    )
}

fn packet(id: &str, title: &str, note: &str, steps: Vec<StepRecord>) -> PacketRecord {
    PacketRecord {
        id: id.into(),
        title: title.into(),
        required: true,
        status: Status::Pass,
        note: note.into(),
        steps,
    }
}

fn step(id: &str, kind: &str, command: &str, after_s: i64, took_ms: i64) -> StepRecord {
    let started_at = start() + TimeDelta::seconds(after_s);
    StepRecord {
        id: id.into(),
        kind: kind.into(),
        optional: false,
        status: Status::Pass,
        command: command.into(),
        exit_code: None,
        started_at,
        finished_at: started_at + TimeDelta::milliseconds(took_ms),
        attempts: 1,
        criteria: Vec::new(),
        observed: Vec::new(),
        outputs: Vec::new(),
        error: None,
        note: None,
    }
}

/// Filling in a step, a line at a time.
trait Filled: Sized {
    fn expecting(self, name: &str, expected: &str, seen: &str) -> Self;
    fn exiting(self, code: i32) -> Self;
    fn printing(self, file: &str, lines: &[&str]) -> Self;
}

impl Filled for StepRecord {
    fn expecting(mut self, name: &str, expected: &str, seen: &str) -> Self {
        self.criteria.push(Criterion {
            name: name.into(),
            expected: expected.into(),
            seen: seen.into(),
            passed: true,
        });
        self
    }

    fn exiting(mut self, code: i32) -> Self {
        self.exit_code = Some(code);
        self
    }

    fn printing(mut self, file: &str, lines: &[&str]) -> Self {
        let own = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let long = lines.len() > 20;
        let (head, tail) = if long {
            (&lines[..10], &lines[lines.len() - 10..])
        } else {
            (lines, lines)
        };
        self.outputs.push(Output {
            file: file.into(),
            bytes: lines.iter().map(|it| it.len() as u64 + 1).sum(),
            head: own(head),
            tail: own(tail),
            omitted: if long { lines.len() as u64 - 20 } else { 0 },
        });
        self
    }
}

//! What the outcome of a gate is. Pure, and for ever suspicious: everything needs a positive reason, and the default
//! of everything is NO-GO.

use crate::record::{Criterion, GateRecord, PacketRecord, Status, StepRecord, Verdict};

/// How a step ended.
pub fn step(error: Option<&str>, criteria: &[Criterion]) -> Status {
    if error.is_some() || criteria.is_empty() {
        Status::Error
    } else if criteria.iter().all(|it| it.passed) {
        Status::Pass
    } else {
        Status::Fail
    }
}

/// How a packet ended, and one sentence about it.
pub fn packet(steps: &[StepRecord]) -> (Status, String) {
    let count = |status: Status| counted(steps).filter(|it| is(it) == status).count();
    let total = counted(steps).count();
    let optional = steps
        .iter()
        .filter(|it| it.optional && is(it) != Status::Pass)
        .count();
    let aside = match optional {
        0 => String::new(),
        1 => "; 1 optional step did not pass".to_owned(),
        more => format!("; {more} optional steps did not pass"),
    };
    if steps.is_empty() {
        return (Status::Fail, "no step was run".to_owned());
    }
    if steps.iter().all(|it| it.optional && it.status == Status::Skipped) {
        let why = steps
            .iter()
            .find_map(|it| it.note.as_deref())
            .unwrap_or("all are optional");
        return (Status::Skipped, format!("no step was run: {why}"));
    }
    if total == 0 {
        return (
            Status::Fail,
            format!("only optional steps: nothing had to pass{aside}"),
        );
    }
    let passed = count(Status::Pass);
    if passed == total {
        let criteria: usize = counted(steps).map(|it| it.criteria.len()).sum();
        return (
            Status::Pass,
            format!("{total} of {total} steps passed, {criteria} criteria held{aside}"),
        );
    }
    let first = counted(steps).find(|it| is(it) != Status::Pass);
    let why = first.map(reason).unwrap_or_default();
    let status = match (count(Status::Fail), count(Status::Error)) {
        (0, 0) => Status::Skipped,
        (0, _) => Status::Error,
        _ => Status::Fail,
    };
    (status, format!("{passed} of {total} steps passed; {why}{aside}"))
}

/// Steps that have to pass.
fn counted(steps: &[StepRecord]) -> impl Iterator<Item = &StepRecord> {
    steps.iter().filter(|it| !it.optional)
}

/// A step's status, as its criteria allow it.
fn is(step: &StepRecord) -> Status {
    match step.status {
        Status::Pass => self::step(step.error.as_deref(), &step.criteria),
        other => other,
    }
}

fn reason(step: &StepRecord) -> String {
    let failed = step.criteria.iter().find(|it| !it.passed);
    match (&step.error, failed) {
        (Some(error), _) => format!("{}: {error}", step.id),
        (None, Some(it)) => format!(
            "{}: {} expected {}, seen {}",
            step.id, it.name, it.expected, it.seen
        ),
        (None, None) if step.criteria.is_empty() => format!("{}: nothing was checked", step.id),
        (None, None) => format!("{} was not run", step.id),
    }
}

/// Fills in the statuses of packets, the verdict and its reasons.
pub fn judge(record: &mut GateRecord) {
    for it in &mut record.packets {
        // A packet that was left out keeps the sentence that says why.
        if it.status != Status::Skipped || !it.steps.is_empty() {
            (it.status, it.note) = packet(&it.steps);
        }
    }
    let mut reasons = Vec::new();
    if let Some(why) = &record.interrupted {
        reasons.push(format!("the run was {why}"));
    }
    if record.requires.is_empty() {
        reasons.push("the pack requires no packet".to_owned());
    }
    let mut passed = 0;
    let mut waived = Vec::new();
    for id in &record.requires {
        let found: Vec<&PacketRecord> = record.packets.iter().filter(|it| it.id == *id).collect();
        let (status, note) = match found.as_slice() {
            [] => (Status::Skipped, "is missing".to_owned()),
            [it] if it.status == Status::Pass => {
                passed += 1;
                continue;
            }
            [it] => (it.status, format!("is {}: {}", word(it.status), it.note)),
            _ => (Status::Error, "is there more than once".to_owned()),
        };
        let waiver = record
            .waivers
            .iter()
            .find(|it| it.packet == *id && !it.by.trim().is_empty() && !it.reason.trim().is_empty());
        match waiver {
            // What was never tried cannot be waived: nobody knows what is being accepted.
            Some(it) if status != Status::Skipped => {
                waived.push(format!("packet {id} {note} (waived by {})", it.by));
            }
            _ => reasons.push(format!("packet {id} {note}")),
        }
    }
    if passed == 0 {
        reasons.push("no required packet passed".to_owned());
    }
    (record.verdict, record.reasons) = match (reasons.is_empty(), waived.is_empty()) {
        (true, true) => (Verdict::Go, reasons),
        (true, false) => (Verdict::GoWithWaiver, waived),
        (false, _) => {
            reasons.extend(waived);
            (Verdict::NoGo, reasons)
        }
    };
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "PASS",
        Status::Fail => "FAIL",
        Status::Error => "ERROR",
        Status::Skipped => "SKIPPED",
    }
}

#[cfg(test)]
mod tests;

//! Whether a verdict follows from the packets that it rests on. The rules are those of the verdict itself, judged
//! again from what is on paper: a GO that is only claimed is found out.

use crate::record::{GateRecord, PacketRecord, Status, StepRecord, Verdict};

/// Everything that speaks against the record, one sentence each.
pub fn check(record: &GateRecord) -> Vec<String> {
    let mut against = Vec::new();
    if record.packets.is_empty() {
        against.push("the gate is empty: no packet ran, so nothing was proved".to_owned());
    } else if record.packets.iter().all(|it| it.steps.is_empty()) {
        against.push("the gate is empty: no packet has a step, so nothing was proved".to_owned());
    } else if record
        .packets
        .iter()
        .flat_map(|it| &it.steps)
        .all(|it| it.criteria.is_empty())
    {
        against.push("the gate is empty: no step has a criterion, so nothing was proved".to_owned());
    }
    for packet in &record.packets {
        let twice = record.packets.iter().filter(|it| it.id == packet.id).count() > 1;
        if twice {
            against.push(format!("packet {} is there more than once", packet.id));
        }
        against.extend(claimed_pass(packet));
        against.extend(packet.steps.iter().filter_map(|step| claimed_step(packet, step)));
    }
    match record.verdict {
        Verdict::Go => {
            against.extend(
                open_packets(record).map(|(id, why)| format!("the verdict is GO, but packet {id} {why}")),
            );
            if !record.reasons.is_empty() {
                against.push("the verdict is GO, but reasons against it are given".to_owned());
            }
        }
        Verdict::GoWithWaiver => {
            let unwaived = open_packets(record).filter(|(id, _)| !waived(record, id));
            against.extend(unwaived.map(|(id, why)| {
                format!("the verdict is GO WITH WAIVER, but packet {id} {why} and is not waived")
            }));
            if record.waivers.is_empty() {
                against.push("the verdict is GO WITH WAIVER, but there is no waiver".to_owned());
            }
        }
        Verdict::NoGo => {}
    }
    if record.verdict != Verdict::NoGo {
        if record.requires.is_empty() {
            against.push("the verdict is GO, but no packet is required".to_owned());
        }
        if record.interrupted.is_some() {
            against.push("the verdict is GO, but the run was interrupted".to_owned());
        }
    }
    against
}

/// The required packets that are not PASS in this pack.
fn open_packets(record: &GateRecord) -> impl Iterator<Item = (&str, &'static str)> {
    let by_status = |id: &str| match record.packets.iter().find(|it| it.id == id).map(|it| it.status) {
        None => Some("is missing"),
        Some(Status::Pass) => None,
        Some(Status::Fail) => Some("is FAIL"),
        Some(Status::Error) => Some("is ERROR"),
        Some(Status::Skipped) => Some("is SKIPPED"),
    };
    record
        .requires
        .iter()
        .filter_map(move |id| Some((id.as_str(), by_status(id)?)))
}

fn waived(record: &GateRecord, id: &str) -> bool {
    let named = |it: &str| !it.trim().is_empty();
    record
        .waivers
        .iter()
        .any(|it| it.packet == id && named(&it.by) && named(&it.reason))
}

fn claimed_pass(packet: &PacketRecord) -> Option<String> {
    if packet.status != Status::Pass {
        return None;
    }
    let must = |it: &&StepRecord| !it.optional;
    let open = packet
        .steps
        .iter()
        .filter(must)
        .find(|it| it.status != Status::Pass);
    if let Some(step) = open {
        return Some(format!(
            "packet {} is said to PASS, but its step {} did not",
            packet.id, step.id
        ));
    }
    let proved = packet
        .steps
        .iter()
        .any(|it| it.status == Status::Pass && !it.criteria.is_empty());
    (!proved).then(|| {
        format!(
            "packet {} is said to PASS, but nothing in it was checked",
            packet.id
        )
    })
}

fn claimed_step(packet: &PacketRecord, step: &StepRecord) -> Option<String> {
    if step.status != Status::Pass {
        return None;
    }
    let name = format!("step {}/{}", packet.id, step.id);
    match step.criteria.iter().find(|it| !it.passed) {
        Some(it) => Some(format!("{name} is said to PASS, but `{}` was not met", it.name)),
        None if step.criteria.is_empty() => Some(format!("{name} is said to PASS without a criterion")),
        None => None,
    }
}

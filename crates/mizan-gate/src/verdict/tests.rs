//! The table of verdicts: what is GO, and the many ways in which nothing is.

use chrono::DateTime;

use super::*;
use crate::record::{About, PackFile, Waiver};

fn held(name: &str, passed: bool) -> Criterion {
    Criterion {
        name: name.into(),
        expected: "x".into(),
        seen: if passed { "x" } else { "y" }.into(),
        passed,
    }
}

fn a_step(
    id: &str,
    optional: bool,
    status: Status,
    criteria: Vec<Criterion>,
    error: Option<&str>,
) -> StepRecord {
    StepRecord {
        id: id.into(),
        kind: "run".into(),
        optional,
        status,
        command: "true".into(),
        exit_code: None,
        started_at: DateTime::UNIX_EPOCH,
        finished_at: DateTime::UNIX_EPOCH,
        attempts: 1,
        criteria,
        observed: vec![],
        outputs: vec![],
        error: error.map(str::to_owned),
        note: None,
    }
}

fn pass() -> StepRecord {
    a_step("good", false, Status::Pass, vec![held("it", true)], None)
}

fn fail() -> StepRecord {
    a_step("bad", false, Status::Fail, vec![held("it", false)], None)
}

fn error() -> StepRecord {
    a_step("broken", false, Status::Error, vec![], Some("the time ran out"))
}

fn skip() -> StepRecord {
    a_step("left", false, Status::Skipped, vec![], None)
}

fn optional(mut it: StepRecord) -> StepRecord {
    it.optional = true;
    it
}

fn a_packet(id: &str, steps: Vec<StepRecord>) -> PacketRecord {
    PacketRecord {
        id: id.into(),
        title: id.into(),
        required: true,
        status: Status::Skipped,
        note: "was not run".into(),
        steps,
    }
}

fn a_record(requires: &[&str], packets: Vec<PacketRecord>) -> GateRecord {
    GateRecord {
        gate: "g".into(),
        title: "g".into(),
        run_id: "r".into(),
        started_at: DateTime::UNIX_EPOCH,
        finished_at: DateTime::UNIX_EPOCH,
        pack: PackFile {
            path: "p".into(),
            sha256: "s".into(),
        },
        about: About::default(),
        requires: requires.iter().map(|it| (*it).to_owned()).collect(),
        only: vec![],
        packets,
        waivers: vec![],
        interrupted: None,
        verdict: Verdict::NoGo,
        reasons: vec![],
    }
}

fn waiver(packet: &str, by: &str, reason: &str) -> Waiver {
    Waiver {
        packet: packet.into(),
        by: by.into(),
        reason: reason.into(),
    }
}

#[test]
fn a_step_passes_only_with_criteria_that_all_hold() {
    let cases = [
        (None, vec![held("a", true)], Status::Pass),
        (None, vec![held("a", true), held("b", false)], Status::Fail),
        (None, vec![], Status::Error),
        (Some("late"), vec![held("a", true)], Status::Error),
        (Some("late"), vec![], Status::Error),
    ];
    for (error, criteria, expected) in cases {
        assert_eq!(step(error, &criteria), expected, "{error:?} {criteria:?}");
    }
}

#[test]
fn a_packet_passes_only_when_every_step_that_counts_did() {
    let pretended = a_step("pretended", false, Status::Pass, vec![], None);
    let contradicted = a_step("contradicted", false, Status::Pass, vec![held("it", false)], None);
    let cases = [
        (vec![], Status::Fail, "no step was run"),
        (vec![pass()], Status::Pass, "1 of 1 steps passed, 1 criteria held"),
        (
            vec![pass(), fail()],
            Status::Fail,
            "1 of 2 steps passed; bad: it expected x, seen y",
        ),
        (
            vec![pass(), error()],
            Status::Error,
            "1 of 2 steps passed; broken: the time ran out",
        ),
        (vec![fail(), error()], Status::Fail, "0 of 2 steps passed; bad"),
        (
            vec![pass(), skip()],
            Status::Skipped,
            "1 of 2 steps passed; left: nothing was checked",
        ),
        (
            vec![pass(), optional(skip())],
            Status::Pass,
            "1 optional step did not pass",
        ),
        (
            vec![pass(), optional(fail())],
            Status::Pass,
            "1 optional step did not pass",
        ),
        (vec![optional(pass())], Status::Fail, "only optional steps"),
        (
            vec![optional(skip()), optional(pass())],
            Status::Fail,
            "only optional steps",
        ),
        (vec![optional(skip())], Status::Skipped, "no step was run"),
        (vec![pretended], Status::Error, "nothing was checked"),
        (vec![contradicted], Status::Fail, "contradicted: it expected x"),
    ];
    for (steps, status, words) in cases {
        let (seen, note) = packet(&steps);
        assert_eq!(seen, status, "{note}");
        assert!(note.contains(words), "{note}");
    }
}

fn check(name: &str, record: GateRecord, verdict: Verdict, reason: &str) {
    let mut record = record;
    judge(&mut record);
    assert_eq!(record.verdict, verdict, "{name}: {:?}", record.reasons);
    let reasons = record.reasons.join("; ");
    assert!(reasons.contains(reason), "{name}: {reasons}");
    assert_eq!(
        verdict == Verdict::Go,
        record.reasons.is_empty(),
        "{name}: {reasons}"
    );
}

fn good() -> PacketRecord {
    a_packet("0", vec![pass()])
}

fn one(step: StepRecord) -> PacketRecord {
    a_packet("1", vec![step])
}

fn with(packets: Vec<PacketRecord>) -> GateRecord {
    a_record(&["0", "1"], packets)
}

fn interrupted(mut record: GateRecord) -> GateRecord {
    record.interrupted = Some("interrupted by SIGINT".into());
    record
}

#[test]
fn only_a_gate_whose_required_packets_all_passed_goes() {
    use Verdict::{Go, NoGo};
    check("all pass", with(vec![good(), one(pass())]), Go, "");
    check(
        "nothing at all",
        a_record(&[], vec![]),
        NoGo,
        "requires no packet",
    );
    check(
        "nothing is required",
        a_record(&[], vec![good()]),
        NoGo,
        "requires no packet",
    );
    check(
        "one fails",
        with(vec![good(), one(fail())]),
        NoGo,
        "packet 1 is FAIL",
    );
    check(
        "one cannot be judged",
        with(vec![good(), one(error())]),
        NoGo,
        "packet 1 is ERROR",
    );
    check(
        "one was not run",
        with(vec![good(), a_packet("1", vec![])]),
        NoGo,
        "packet 1 is SKIPPED",
    );
    check(
        "a step was skipped",
        with(vec![good(), one(skip())]),
        NoGo,
        "packet 1 is SKIPPED",
    );
    check("one is missing", with(vec![good()]), NoGo, "packet 1 is missing");
    check(
        "one is there twice",
        with(vec![good(), one(fail()), one(pass())]),
        NoGo,
        "more than once",
    );
    check(
        "one more fails",
        a_record(&["0"], vec![good(), one(fail())]),
        Go,
        "",
    );
    check(
        "interrupted",
        interrupted(with(vec![good(), one(pass())])),
        NoGo,
        "interrupted by SIGINT",
    );
}

#[test]
fn a_waiver_is_no_way_around_what_was_not_tried() {
    use Verdict::{Go, GoWithWaiver, NoGo};
    let waived = |packets: Vec<PacketRecord>, waivers: Vec<Waiver>| {
        let mut record = with(packets);
        record.waivers = waivers;
        record
    };
    let fine = || vec![waiver("1", "Ayşe Kaya", "known, ticket 7")];
    check(
        "waived",
        waived(vec![good(), one(fail())], fine()),
        GoWithWaiver,
        "waived by Ayşe Kaya",
    );
    check(
        "waived for nothing",
        waived(vec![good(), one(pass())], fine()),
        Go,
        "",
    );
    check(
        "waived by nobody",
        waived(vec![good(), one(fail())], vec![waiver("1", " ", "x")]),
        NoGo,
        "is FAIL",
    );
    check(
        "waived without reason",
        waived(vec![good(), one(fail())], vec![waiver("1", "x", "")]),
        NoGo,
        "is FAIL",
    );
    check(
        "another is waived",
        waived(vec![good(), one(fail())], vec![waiver("0", "x", "y")]),
        NoGo,
        "is FAIL",
    );
    check(
        "never run, waived",
        waived(vec![good()], fine()),
        NoGo,
        "packet 1 is missing",
    );
    check(
        "interrupted, waived",
        interrupted(waived(vec![good(), one(fail())], fine())),
        NoGo,
        "interrupted",
    );
    let all = vec![waiver("0", "x", "y"), waiver("1", "x", "y")];
    check(
        "everything is waived",
        waived(vec![a_packet("0", vec![fail()]), one(fail())], all),
        NoGo,
        "no required packet",
    );
}

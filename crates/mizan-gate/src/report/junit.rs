//! `junit.xml`: a suite for each packet and a case for each step, for the test view of a CI system.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::ReportError;
use crate::record::{GateRecord, PacketRecord, Status, StepRecord};
use crate::summary::{NotRunReason, duration_ms, not_run};

/// The test report of a run. What is required and did not run is an error, so no tool counts it as green.
pub fn report(record: &GateRecord) -> Result<String, ReportError> {
    let mut report = Report::new(record.gate.as_str());
    report.set_timestamp(record.started_at.fixed_offset());
    let took = record.finished_at - record.started_at;
    report.set_time(took.to_std().unwrap_or_default());
    report.add_test_suites(record.packets.iter().map(suite));
    for missing in not_run(record)
        .iter()
        .filter(|it| it.why == NotRunReason::Missing)
    {
        let mut suite = TestSuite::new(missing.what.as_str());
        suite.add_test_case(error("packet", "required, and not part of this run"));
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
}

fn suite(packet: &PacketRecord) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} {}", packet.id, packet.title));
    suite.set_time(packet.steps.iter().map(duration).sum());
    if let Some(first) = packet.steps.first() {
        suite.set_timestamp(first.started_at.fixed_offset());
    }
    suite.add_test_cases(packet.steps.iter().map(|step| case(packet, step)));
    // A packet may fail although each of its steps passed: one without steps, or one that was interrupted.
    let told = packet.steps.iter().any(|it| it.status != Status::Pass);
    if packet.status != Status::Pass && !told {
        suite.add_test_case(error("packet", &packet.note));
    }
    suite
}

fn case(packet: &PacketRecord, step: &StepRecord) -> TestCase {
    let mut status = match step.status {
        Status::Pass => TestCaseStatus::success(),
        Status::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Status::Skipped => TestCaseStatus::skipped(),
    };
    let failed = step.criteria.iter().filter(|it| !it.passed);
    let seen: Vec<String> = failed
        .map(|it| format!("{}: expected {}, seen {}", it.name, it.expected, it.seen))
        .collect();
    if step.status != Status::Pass {
        status.set_message(step.error.clone().unwrap_or_else(|| seen.join("; ")));
        status.set_description(seen.join("\n"));
    }
    let mut case = TestCase::new(step.id.as_str(), status);
    case.set_classname(format!("{}.{}", packet.id, step.kind));
    case.set_assertions(step.criteria.len());
    case.set_timestamp(step.started_at.fixed_offset());
    case.set_time(duration(step));
    case.set_system_out(step.command.as_str());
    case
}

fn error(name: &str, says: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(says);
    TestCase::new(name, status)
}

fn duration(step: &StepRecord) -> Duration {
    Duration::from_millis(u64::try_from(duration_ms(step)).unwrap_or_default())
}

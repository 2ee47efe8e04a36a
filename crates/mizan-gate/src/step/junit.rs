//! `junit`: a test report. Tests ran, and none failed.

use std::time::SystemTime;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::json;

use super::{Context, Failure, Seen, file};
use crate::expect::{Facts, criterion};
use crate::pack::JunitStep;
use crate::process::quote;

/// What a report says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    tests: u64,
    failed: Vec<String>,
    skipped: u64,
}

pub fn run(context: &Context<'_>, junit: &JunitStep) -> Result<Seen, Failure> {
    let path = context.fill(&junit.file)?;
    context.command(format!("cat {}", quote(&path)));
    let bytes = file::read(&path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))?;
    context.write("junit.xml", &text)?;
    let report = parse(&text).map_err(|what| format!("{path} is no report in JUnit's format: {what}"))?;
    let min = context
        .step
        .expect
        .as_ref()
        .and_then(|it| it.tests_min)
        .unwrap_or(1)
        .max(1);
    let ran = report.tests.saturating_sub(report.skipped);
    let failed = match report.failed.as_slice() {
        [] => "0".to_owned(),
        names => format!("{}: {}", names.len(), names.join(", ")),
    };
    let mut criteria = vec![
        criterion(
            "tests that ran",
            format!("at least {min}"),
            &format!("{ran} of {}", report.tests),
            ran >= min,
        ),
        criterion("tests that failed", "0", &failed, report.failed.is_empty()),
    ];
    if !junit.any_age {
        let modified = std::fs::metadata(&path).and_then(|it| it.modified());
        let fresh = modified.is_ok_and(|it| it >= SystemTime::from(context.started()));
        let seen = if fresh { "yes" } else { "no: it is older" };
        criteria.push(criterion("written during this run", "yes", seen, fresh));
    }
    let facts = Facts {
        json: Some(
            json!({ "tests": report.tests, "failed": report.failed.len(), "skipped": report.skipped }),
        ),
        ..Facts::default()
    };
    Ok(Seen {
        facts,
        criteria,
        ..Seen::default()
    })
}

/// Counts test cases by themselves: the numbers that a report gives in its head need not be true.
fn parse(text: &str) -> Result<Report, String> {
    let mut reader = Reader::from_str(text);
    let mut report = Report::default();
    let mut case: Option<(String, bool, bool)> = None;
    let mut suites = 0;
    loop {
        match reader.read_event().map_err(|it| it.to_string())? {
            Event::Eof if suites == 0 => return Err("it has no testsuite".into()),
            Event::Eof if case.is_some() => return Err("it ends in the middle of a test".into()),
            Event::Eof => return Ok(report),
            Event::DocType(_) => return Err("a document type is not taken".into()),
            Event::Start(tag) => match tag.local_name().as_ref() {
                b"testsuite" | b"testsuites" => suites += 1,
                b"testcase" => case = Some((name(&tag)?, false, false)),
                other => mark(other, &mut case, &tag, &mut report)?,
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                b"testsuite" | b"testsuites" => suites += 1,
                b"testcase" => report.tests += 1,
                other => mark(other, &mut case, &tag, &mut report)?,
            },
            Event::End(tag) if tag.local_name().as_ref() == b"testcase" => {
                if let Some((name, failed, skipped)) = case.take() {
                    report.tests += 1;
                    report.skipped += u64::from(skipped);
                    if failed {
                        report.failed.push(name);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A failure counts where it stands: in a test, or in a suite that could not even begin.
fn mark(
    tag: &[u8],
    case: &mut Option<(String, bool, bool)>,
    start: &BytesStart<'_>,
    report: &mut Report,
) -> Result<(), String> {
    match (tag, case) {
        (b"failure" | b"error", Some(case)) => case.1 = true,
        (b"failure" | b"error", None) => report.failed.push(format!("outside of a test: {}", name(start)?)),
        (b"skipped", Some(case)) => case.2 = true,
        _ => {}
    }
    Ok(())
}

fn name(tag: &BytesStart<'_>) -> Result<String, String> {
    let attribute = |wanted: &[u8]| -> Result<String, String> {
        for it in tag.attributes() {
            let it = it.map_err(|error| error.to_string())?;
            if it.key.as_ref() == wanted {
                return Ok(String::from_utf8_lossy(&it.value).into_owned());
            }
        }
        Ok(String::new())
    };
    let (class, name) = (attribute(b"classname")?, attribute(b"name")?);
    Ok(if class.is_empty() {
        name
    } else {
        format!("{class}.{name}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_and_not_believed() {
        let suite =
            |inside: &str| format!(r#"<testsuites><testsuite tests="99">{inside}</testsuite></testsuites>"#);
        let check = |xml: &str, tests: u64, failed: &[&str], skipped: u64| {
            let expected = Report {
                tests,
                failed: failed.iter().map(|it| (*it).to_owned()).collect(),
                skipped,
            };
            assert_eq!(parse(xml), Ok(expected), "{xml}");
        };
        check(&suite(""), 0, &[], 0);
        check(&suite(r#"<testcase name="a"/>"#), 1, &[], 0);
        check(
            &suite(r#"<testcase classname="m" name="a"><failure>no</failure></testcase>"#),
            1,
            &["m.a"],
            0,
        );
        check(
            &suite(r#"<testcase name="a"><error/></testcase><testcase name="b"/>"#),
            2,
            &["a"],
            0,
        );
        check(&suite(r#"<testcase name="a"><skipped/></testcase>"#), 1, &[], 1);
        check(
            &suite(r#"<error message="import"/>"#),
            0,
            &["outside of a test: "],
            0,
        );
        for bad in [
            "",
            "<html/>",
            "<testsuite><testcase name='a'>",
            "not xml",
            "<!DOCTYPE x><testsuite/>",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

//! The statements themselves. Ids and numbers are strings, and every name is a `pkg:` URI or a path, so that a
//! pack can be shared without the addresses of the systems it was made on.

use serde_json::{Value, json};

use crate::manifest::Digests;
use crate::record::{Status, Verdict};
use crate::summary::{NotRunReason, Summary};

pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
pub const VSA: &str = "https://slsa.dev/verification_summary/v1";

/// Which tests ran, and how they ended: packets by id, steps as `packet/step`. Everything that is not a PASS is a
/// failed test, whether it failed, could not be judged or was skipped.
pub fn test_result(summary: &Summary, subjects: &Digests) -> Value {
    let (passed, failed) = tests(summary);
    json!({
        "_type": STATEMENT,
        "subject": resources(subjects),
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": match summary.verdict {
                Verdict::Go => "PASSED",
                Verdict::GoWithWaiver => "WARNED",
                Verdict::NoGo => "FAILED",
            },
            "configuration": [{
                "name": summary.pack.path,
                "digest": { "sha256": summary.pack.sha256 },
            }],
            "passedTests": passed,
            "warnedTests": [],
            "failedTests": failed,
        },
    })
}

/// The verdict: PASSED is GO, with or without a waiver (the level says which), FAILED is NO-GO.
pub fn vsa(summary: &Summary, subjects: &Digests, inputs: &Digests) -> Value {
    let (result, level) = match summary.verdict {
        Verdict::Go => ("PASSED", "MIZAN_GATE_GO"),
        Verdict::GoWithWaiver => ("PASSED", "MIZAN_GATE_GO_WITH_WAIVER"),
        Verdict::NoGo => ("FAILED", "FAILED"),
    };
    let finished = summary
        .finished_at
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({
        "_type": STATEMENT,
        "subject": resources(subjects),
        "predicateType": VSA,
        "predicate": {
            "verifier": { "id": "pkg:generic/mizan-gate" },
            "timeVerified": finished,
            "resourceUri": resource_uri(summary),
            "policy": {
                "uri": format!("pkg:generic/mizan-gate-pack/{}", part(&summary.gate)),
                "digest": { "sha256": summary.pack.sha256 },
            },
            "inputAttestations": inputs.iter().map(|(name, digest)| json!({
                "uri": format!("pkg:generic/{}?file_name={}", part(&summary.gate), part(name)),
                "digest": { "sha256": digest },
            })).collect::<Vec<_>>(),
            "verificationResult": result,
            "verifiedLevels": [level],
            "slsaVersion": "1.0",
        },
    })
}

/// What was gated: the release by its commit, its version, or else the run.
fn resource_uri(summary: &Summary) -> String {
    let about = &summary.about;
    let version = about.git_sha.as_ref().or(about.service_version.as_ref());
    let version = version.unwrap_or(&summary.run_id);
    format!("pkg:generic/{}@{}", part(&summary.gate), part(version))
}

/// A part of a package URL: everything but unreserved characters in percent form.
fn part(text: &str) -> String {
    let encode = |it: u8| {
        if it.is_ascii_alphanumeric() || b"-._~".contains(&it) {
            char::from(it).to_string()
        } else {
            format!("%{it:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

/// The names of the tests that passed and of those that did not.
pub fn tests(summary: &Summary) -> (Vec<String>, Vec<String>) {
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    let mut count = |name: String, status: Status| match status {
        Status::Pass => passed.push(name),
        Status::Fail | Status::Error | Status::Skipped => failed.push(name),
    };
    for packet in &summary.packets {
        count(packet.id.clone(), packet.status);
        for step in &packet.steps {
            count(format!("{}/{}", packet.id, step.id), step.status);
        }
    }
    let missing = summary
        .not_run
        .iter()
        .filter(|it| it.why == NotRunReason::Missing);
    failed.extend(missing.map(|it| it.what.clone()));
    (passed, failed)
}

fn resources(digests: &Digests) -> Vec<Value> {
    let one = |(name, digest): (&String, &String)| json!({ "name": name, "digest": { "sha256": digest } });
    digests.iter().map(one).collect()
}

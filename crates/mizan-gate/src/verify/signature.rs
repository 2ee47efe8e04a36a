//! Whether the attestations are of this pack, say what its summary says, and bear the signature of the key.

use std::fs;
use std::io;
use std::path::Path;

use ed25519_dalek::VerifyingKey;
use serde_json::Value;

use super::{Refusal, Report, Signature};
use crate::attest::dsse::Envelope;
use crate::attest::{self, statement};
use crate::manifest::{self, Digests};
use crate::summary::Summary;

/// Checks the two attestations, where there are any or where a key asks for them.
pub fn check(
    pack: &Path,
    listed: &Digests,
    key: Option<&VerifyingKey>,
    report: &mut Report,
) -> io::Result<()> {
    let there = |name: &str| pack.join(name).is_file();
    let signed_by = report.summary.as_ref().and_then(|it| it.signed_by.clone());
    let any = there(attest::TEST_RESULT) || there(attest::VSA);
    if !any && signed_by.is_none() {
        if key.is_some() {
            report.refusals.push(Refusal::Unsigned);
        }
        return Ok(());
    }
    let before = report.refusals.len();
    if any && signed_by.is_none() && report.summary.is_some() {
        let says = "the summary says that the pack is unsigned".to_owned();
        report.refusals.push(Refusal::Statement {
            file: attest::FOLDER,
            says,
        });
    }
    let mut subjects = listed.clone();
    let manifest_sha256 = manifest::sha256_of(&pack.join(manifest::NAME))?;
    subjects.insert(manifest::NAME.to_owned(), manifest_sha256);
    for file in [attest::TEST_RESULT, attest::VSA] {
        if !there(file) {
            report.refusals.push(Refusal::Missing {
                file: file.to_owned(),
            });
            continue;
        }
        let text = fs::read(pack.join(file))?;
        let refusals = one(
            pack,
            file,
            &text,
            &subjects,
            key,
            report.summary.as_ref(),
            signed_by.as_deref(),
        )?;
        report.refusals.extend(refusals);
    }
    report.signature = match key {
        _ if report.refusals.len() > before => Signature::Invalid,
        Some(_) => Signature::Valid,
        None => Signature::NotChecked,
    };
    Ok(())
}

fn one(
    pack: &Path,
    file: &'static str,
    text: &[u8],
    subjects: &Digests,
    key: Option<&VerifyingKey>,
    summary: Option<&Summary>,
    signed_by: Option<&str>,
) -> io::Result<Vec<Refusal>> {
    let statement = |says: &str| Refusal::Statement {
        file,
        says: says.to_owned(),
    };
    let Ok(envelope) = serde_json::from_slice::<Envelope>(text) else {
        return Ok(vec![statement("it is not a DSSE envelope")]);
    };
    let opened = match key {
        Some(key) => envelope.open(key),
        None => envelope.payload(),
    };
    let payload = match opened {
        Ok(payload) => payload,
        Err(why) => return Ok(vec![Refusal::Seal { file, why }]),
    };
    let mut refusals = Vec::new();
    if !envelope
        .signatures
        .iter()
        .any(|it| Some(it.keyid.as_str()) == signed_by)
    {
        refusals.push(statement(
            "it bears no signature of the key that the summary names",
        ));
    }
    let Ok(said) = serde_json::from_slice::<Value>(&payload) else {
        refusals.push(statement("its payload is not JSON"));
        return Ok(refusals);
    };
    // The statement follows from summary and manifest, so it is made again and compared as a whole.
    if let Some(summary) = summary {
        let expected = if file == attest::VSA {
            let result = pack.join(attest::TEST_RESULT);
            let digest = if result.is_file() {
                manifest::sha256_of(&result)?
            } else {
                String::new()
            };
            let inputs = Digests::from([(attest::TEST_RESULT.to_owned(), digest)]);
            statement::vsa(summary, subjects, &inputs)
        } else {
            statement::test_result(summary, subjects)
        };
        let parts = ["_type", "predicateType", "subject", "predicate"];
        let names = [
            "it is not an in-toto statement of version 1",
            "it is of another predicate type",
            "its subjects are not the files of the pack",
            "its predicate does not follow from the summary",
        ];
        let differing = parts
            .iter()
            .zip(names)
            .filter(|(part, _)| said[**part] != expected[**part]);
        refusals.extend(differing.map(|(_, says)| statement(says)));
    }
    Ok(refusals)
}

//! What is signed: two in-toto statements (v1) about the files of a pack, each in a DSSE envelope.
//!
//! Specifications: in-toto Statement v1, test-result predicate v0.1, SLSA VSA v1, DSSE v1.0.

pub mod dsse;
pub mod statement;

use ed25519_dalek::SigningKey;
use serde_json::Value;

use crate::manifest::{self, Digests};
use crate::summary::Summary;

/// The directory of the attestations, and their names in it.
pub const FOLDER: &str = "attestations";
pub const TEST_RESULT: &str = "attestations/gate.test-result.json";
pub const VSA: &str = "attestations/gate.vsa.json";

/// Signs a pack: the two files of [`FOLDER`] with their contents. `subjects` are all files, the manifest too.
pub fn sign(summary: &Summary, subjects: &Digests, key: &SigningKey) -> Vec<(&'static str, String)> {
    let result = file(&statement::test_result(summary, subjects), key);
    let inputs = Digests::from([(TEST_RESULT.to_owned(), manifest::sha256(result.as_bytes()))]);
    let vsa = file(&statement::vsa(summary, subjects, &inputs), key);
    vec![(TEST_RESULT, result), (VSA, vsa)]
}

fn file(statement: &Value, key: &SigningKey) -> String {
    let envelope = dsse::seal(statement.to_string().as_bytes(), key);
    let mut text = serde_json::to_string_pretty(&envelope).unwrap_or_default();
    text.push('\n');
    text
}

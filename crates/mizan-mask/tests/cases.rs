//! The collected cases of `masking.jsonl`, each whole and split in two at every byte. T1 and T2 must pass;
//! T3 (things few maskers attempt) is printed as a score.

use mizan_mask::{MaskStream, Masker};
use serde::Deserialize;
use std::io::Write;

const CASES: &str = include_str!("masking.jsonl");

#[derive(Deserialize)]
struct Case {
    id: String,
    input: String,
    secrets: Vec<String>,
    must_not_contain: Vec<String>,
    must_contain: Vec<String>,
    note: String,
}

impl Case {
    fn masker(&self) -> Masker {
        let builder = Masker::builder().shorten_hosts(self.id.starts_with("host-"));
        self.secrets
            .iter()
            .fold(builder, |it, secret| it.known(secret, "CASE"))
            .build()
    }

    fn tier(&self) -> &str {
        &self.note[..4]
    }

    /// What is wrong with an output, if anything.
    fn judge(&self, output: &str) -> Option<String> {
        let leaked = self.must_not_contain.iter().find(|it| output.contains(*it));
        let lost = self.must_contain.iter().find(|it| !output.contains(*it));
        match (leaked, lost) {
            (Some(it), _) => Some(format!("{}: leaked {it:?} in {output:?}", self.id)),
            (_, Some(it)) => Some(format!("{}: lost {it:?} in {output:?}", self.id)),
            _ => None,
        }
    }
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines().filter(|it| !it.trim().is_empty());
    lines
        .map(|it| serde_json::from_str(it).expect("a case is one JSON object"))
        .collect()
}

fn streamed(masker: &Masker, parts: &[&[u8]]) -> String {
    let mut stream = MaskStream::new(masker.clone(), Vec::new());
    for part in parts {
        stream.write_all(part).expect("a Vec takes everything");
    }
    String::from_utf8(stream.finish().expect("a Vec takes everything")).expect("the cases are text")
}

#[test]
fn every_t1_and_t2_case_is_masked_whole_and_t3_is_scored() {
    let (mut wrong, mut tried, mut passed) = (Vec::new(), 0, 0);
    for case in cases() {
        let verdict = case.judge(case.masker().mask(&case.input).as_ref());
        if case.tier() == "[T3]" {
            tried += 1;
            passed += usize::from(verdict.is_none());
            if let Some(it) = verdict {
                println!("T3 not reached: {it}");
            }
        } else {
            wrong.extend(verdict);
        }
    }
    println!("T3 score: {passed} of {tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_split_point_changes_what_comes_out() {
    for case in cases() {
        let masker = case.masker();
        let whole = masker.mask(&case.input).into_string();
        let bytes = case.input.as_bytes();
        for at in 0..=bytes.len() {
            assert_eq!(
                streamed(&masker, &[&bytes[..at], &bytes[at..]]),
                whole,
                "{} split at {at}",
                case.id
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(streamed(&masker, &single), whole, "{} byte by byte", case.id);
    }
}

#[test]
fn masking_a_masked_case_changes_nothing() {
    for case in cases() {
        let masker = case.masker();
        let once = masker.mask(&case.input).into_string();
        assert_eq!(masker.mask(&once).as_ref(), once, "{}", case.id);
    }
}

#[test]
fn a_weak_known_value_is_refused_by_name() {
    let case = cases()
        .into_iter()
        .find(|it| it.id == "ovl-05")
        .expect("the case is there");
    let masker = case.masker();
    assert_eq!(masker.refused().len(), 1);
    assert!(masker.refused()[0].to_string().starts_with("CASE: a common word"));
    assert!(!format!("{masker:?}").contains("staging"));
}

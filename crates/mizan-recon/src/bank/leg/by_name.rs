//! The payout's id in a reference or in the text of a bank line: batches and lines that name each other, directly or
//! over others, are compared as one sum.

use std::collections::{BTreeMap, HashMap};

use super::super::BankLine;
use super::outcome::Outcome;
use crate::sets::Sets;

/// Ids shorter than this stand in texts by chance; they count only as a whole reference.
const SHORTEST_IN_TEXT: usize = 5;

pub(super) fn run(out: &mut Outcome<'_>) {
    let batches = out.open_batches();
    let lines = out.open_lines();
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for it in &batches {
        by_id.entry(out.batches[*it].id.as_str()).or_default().push(*it);
    }
    let offset = out.batches.len();
    let mut sets = Sets::new(offset + out.lines.len());
    let mut linked = vec![false; offset + out.lines.len()];
    let mut foreign: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for line in lines {
        for batch in named(out.lines[line], &by_id) {
            if out.batches[batch].currency == out.lines[line].currency {
                sets.join(batch, offset + line);
                linked[batch] = true;
                linked[offset + line] = true;
            } else {
                foreign.entry(batch).or_default().push(line);
            }
        }
    }
    let mut groups: BTreeMap<usize, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for it in (0..linked.len()).filter(|it| linked[*it]) {
        let group = groups.entry(sets.root(it)).or_default();
        if it < offset {
            group.0.push(it);
        } else {
            group.1.push(it - offset);
        }
    }
    for (batches, lines) in groups.into_values() {
        out.settle(&batches, &lines, "by reference");
    }
    for (batch, lines) in foreign {
        let open = out.open_lines();
        let lines: Vec<usize> = lines
            .into_iter()
            .filter(|it| open.binary_search(it).is_ok())
            .collect();
        // An id that several currencies share is another batch of the same name: only a lone one is told.
        if !linked[batch] && !lines.is_empty() {
            out.other_currency(batch, &lines);
        }
    }
}

/// The batches that a line names: by a whole reference, or by a word of a reference or of the text.
fn named(line: &BankLine, by_id: &HashMap<&str, Vec<usize>>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut look = |word: &str| {
        if let Some(batches) = by_id.get(word) {
            found.extend_from_slice(batches);
        }
    };
    for reference in &line.references {
        look(reference);
    }
    for text in line.references.iter().chain([&line.text]) {
        let inner = |it: char| !(it.is_alphanumeric() || matches!(it, '_' | '-' | '/' | '.'));
        for word in text.split(inner) {
            let word = word.trim_matches(['.', '-', '/']);
            if word.len() >= SHORTEST_IN_TEXT && word.len() < text.len() {
                look(word);
            }
        }
    }
    if line.text.len() >= SHORTEST_IN_TEXT {
        look(&line.text);
    }
    found.sort_unstable();
    found.dedup();
    found
}

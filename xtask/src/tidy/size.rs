//! How long files and functions may be.

use super::Found;
use crate::Repo;

const FILE: usize = 400;
const FUNCTION: usize = 70;
const TEST_FUNCTION: usize = 120;

pub(super) fn files(repo: &Repo) -> Vec<Found> {
    let lengths = repo.rust().map(|(file, _)| (file, file.text.lines().count()));
    lengths
        .filter(|(_, lines)| *lines > FILE)
        .map(|(file, lines)| Found::new(&file.path, 0, format!("the file has {lines} lines, over {FILE}")))
        .collect()
}

pub(super) fn functions(repo: &Repo) -> Vec<Found> {
    let mut found = Vec::new();
    for (file, source) in repo.rust() {
        for it in source.functions() {
            let most = if file.is_test_line(it.line) {
                TEST_FUNCTION
            } else {
                FUNCTION
            };
            if it.lines > most {
                let message = format!("function {} has {} lines, over {most}", it.name, it.lines);
                found.push(Found::new(&file.path, it.line, message));
            }
        }
    }
    found
}

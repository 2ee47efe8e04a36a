//! Absolute paths of the machine somebody worked on.

use super::Found;
use super::words::pattern;
use crate::Repo;

/// Directories where people keep checkouts; spelt so that this file does not hold one.
const MACHINE: &str = r"(?m)(^|[^\w./:$}-])/(work|home|Users|root)/[\w.-]";

pub(super) fn machine_paths(repo: &Repo) -> Vec<Found> {
    let machine = pattern(MACHINE);
    let mut found = Vec::new();
    for file in &repo.files {
        for (index, line) in file.text.lines().enumerate() {
            if machine.is_match(line) {
                found.push(Found::new(
                    &file.path,
                    index + 1,
                    "names a directory of one machine",
                ));
            }
        }
    }
    found
}

//! Where SQL may stand.

use super::Found;
use super::words::pattern;
use crate::Repo;

/// The stores; and the throwaway servers, which make and copy databases and know no table.
const STORES: [&str; 3] = ["mizan-store-postgres", "mizan-store-sqlite", "mizan-throwaway"];

/// Statements as people write them: in capitals anywhere, in any case at the start of a string.
const STATEMENT: &str = concat!(
    r"(?s)\bSELECT\s.*\bFROM\s|\bINSERT\s+INTO\s|\bUPDATE\s+[\w.]+\s+SET\s|\bDELETE\s+FROM\s|\bCREATE\s+TABLE\b",
    r"|(?i)^\s*(select\s+[\w*,.\s()]+\sfrom\s+\w+\s+where|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s)",
);

pub(super) fn statements(repo: &Repo) -> Vec<Found> {
    let statement = pattern(STATEMENT);
    let mut found = Vec::new();
    for (file, source) in repo.rust() {
        if STORES.contains(&file.crate_name()) || file.crate_name() == "xtask" {
            continue;
        }
        for string in source.strings.iter().filter(|it| !file.is_test_line(it.line)) {
            if statement.is_match(&string.text) {
                found.push(Found::new(&file.path, string.line, "a string holds SQL"));
            }
        }
    }
    found
}

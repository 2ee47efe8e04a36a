//! A handler of the HTTP edge calls at most one flow.
//!
//! A heuristic: awaited calls through a module imported from `mizan_flows` are counted in each function.

use std::collections::BTreeSet;

use super::Found;
use super::words::pattern;
use crate::Repo;

pub(super) fn one_flow(repo: &Repo) -> Vec<Found> {
    let import = pattern(r"(?s)\buse\s+mizan_flows::([^;]+);");
    let module = pattern(r"\b([a-z_]+)\b");
    let call = pattern(r"\b([a-z_]+)::([a-z_]+)\s*\(");
    let mut found = Vec::new();
    for (file, source) in repo
        .rust()
        .filter(|(file, _)| file.path.starts_with("crates/mizan-http/src/"))
    {
        let imports = import.captures_iter(&source.code);
        let modules: BTreeSet<String> = imports
            .flat_map(|it| {
                module
                    .find_iter(&it[1])
                    .map(|it| it.as_str().to_owned())
                    .collect::<Vec<_>>()
            })
            .chain(["mizan_flows".to_owned()])
            .collect();
        for function in source.functions().iter().filter(|it| !file.is_test_line(it.line)) {
            let calls = call
                .captures_iter(&function.body)
                .filter(|it| modules.contains(&it[1]));
            let flows = calls.filter(|it| it.get(0).is_some_and(|it| is_awaited(&function.body[it.end()..])));
            let count = flows.count();
            if count > 1 {
                let message = format!("{} calls {} flows", function.name, count);
                found.push(Found::new(&file.path, function.line, message));
            }
        }
    }
    found
}

/// Whether the call whose arguments begin here is awaited.
fn is_awaited(arguments: &str) -> bool {
    let mut depth = 1_i32;
    for (at, it) in arguments.char_indices() {
        depth += match it {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return arguments[at + 1..].trim_start().starts_with(".await");
        }
    }
    false
}

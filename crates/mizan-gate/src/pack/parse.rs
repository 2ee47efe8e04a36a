//! Text to pack. What the form gets wrong is said with line and column.

use yaml_serde::Value;

use super::{Pack, Problem, Problems};

/// Larger than any pack that a person would write.
const LIMIT: usize = 512 * 1024;

/// Reads a pack. Checks its form only; see [`super::check`].
pub fn parse(text: &str) -> Result<Pack, Problems> {
    let only = |what: String| {
        Problems(vec![Problem {
            place: None,
            line: None,
            column: None,
            what,
        }])
    };
    if text.len() > LIMIT {
        let what = format!(
            "the file has {} bytes and a pack may have {LIMIT}; move long scripts into files of their own",
            text.len()
        );
        return Err(only(what));
    }
    if text.trim().is_empty() {
        return Err(only(
            "the file is empty; `mizan gate schema` says what a pack holds".into(),
        ));
    }
    let pack = yaml_serde::from_str(text).map_err(refusal)?;
    let value: Value = yaml_serde::from_str(text).map_err(refusal)?;
    let mut empty = Vec::new();
    empty_keys(&value, "", &mut empty);
    if empty.is_empty() {
        return Ok(pack);
    }
    let problem = |key: String| Problem {
        place: None,
        line: None,
        column: None,
        what: format!(
            "{key} has no value, and so would ask for nothing; give it one (a word like null in quotes)"
        ),
    };
    Err(Problems(empty.into_iter().map(problem).collect()))
}

fn refusal(error: yaml_serde::Error) -> Problems {
    let location = error.location();
    Problems(vec![Problem {
        place: None,
        line: location.as_ref().map(yaml_serde::Location::line),
        column: location.as_ref().map(yaml_serde::Location::column),
        what: advise(&error.to_string()),
    }])
}

/// Keys without a value. In JSON, of requests and of expectations, null is a value.
fn empty_keys(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(path.to_owned()),
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap_or("?");
                if key != "json" {
                    empty_keys(value, format!("{path}.{key}").trim_start_matches('.'), found);
                }
            }
        }
        Value::Sequence(items) => {
            for (no, item) in items.iter().enumerate() {
                empty_keys(item, &format!("{path}[{no}]"), found);
            }
        }
        _ => {}
    }
}

/// The parser's words without the location, which is said before them, and with what to do.
fn advise(words: &str) -> String {
    let bare = words.split(" at line ").next().unwrap_or(words);
    if bare.contains("repetition limit") {
        return "the aliases of the file unfold without end; write the parts out".into();
    }
    if bare.contains("recursion limit") {
        return "the file is nested too deeply".into();
    }
    if bare.contains("duplicate") {
        return format!("{bare}; a key may stand there once: remove or rename one");
    }
    bare.to_owned()
}

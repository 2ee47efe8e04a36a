//! Paths into JSON: `$.items[0].id`, `dependencies.redis`. A small part of JSONPath: names and positions.

use serde_json::Value;

/// The value at a path; `$` is the whole document. A name with a dot in it is written `['a.b']`.
pub fn pick<'v>(document: &'v Value, path: &str) -> Option<&'v Value> {
    let mut at = document;
    for part in parts(path)? {
        at = match part {
            Part::Name(name) => at.get(name)?,
            Part::Position(index) => at.get(index)?,
        };
    }
    Some(at)
}

/// Whether a path can be read at all.
pub fn is_path(path: &str) -> bool {
    parts(path).is_some()
}

#[derive(Debug, PartialEq)]
enum Part<'p> {
    Name(&'p str),
    Position(usize),
}

fn parts(path: &str) -> Option<Vec<Part<'_>>> {
    let mut all = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut first = !path.starts_with('$');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (part, after) = if let Some(name) = inside.strip_prefix('\'') {
                let (name, after) = name.split_once("']")?;
                (Part::Name(name), after)
            } else {
                let (index, after) = inside.split_once(']')?;
                (Part::Position(index.parse().ok()?), after)
            };
            all.push(part);
            rest = after;
        } else {
            let name = match rest.strip_prefix('.') {
                Some(name) => name,
                None if first => rest,
                None => return None,
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            all.push(Part::Name(&name[..end]));
            rest = &name[end..];
        }
        first = false;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_values_and_nothing_else_does() {
        let document =
            json!({ "id": 7, "a.b": 1, "items": [{ "id": "x" }, { "id": "y" }], "deep": { "down": null } });
        let cases = [
            ("$.id", Some(json!(7))),
            ("id", Some(json!(7))),
            ("$.items[1].id", Some(json!("y"))),
            ("items[0]['id']", Some(json!("x"))),
            ("['a.b']", Some(json!(1))),
            ("$.deep.down", Some(json!(null))),
            ("$.items[2].id", None),
            ("$.nothing", None),
            ("$.id.more", None),
            ("$..id", None),
            ("$.items[x]", None),
            ("$id", None),
        ];
        for (path, expected) in cases {
            assert_eq!(pick(&document, path).cloned(), expected, "{path}");
        }
        assert_eq!(pick(&document, "$"), Some(&document));
    }
}

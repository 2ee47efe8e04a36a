//! NDJSON: one JSON object a line, with the names of the generic format or of a map file. Amounts are text or
//! numbers, and a number is read by its decimal text, exactly.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::declared;
use super::fault::Fault;
use super::map_file::FileMap;
use super::table::Cells;
use super::text_lines::{LONGEST, TextLines};
use super::{LineSource, Row, StatementError};
use crate::line::Line;

/// The most keys that are remembered as ignored.
const MOST_IGNORED: usize = 100;

/// Reads one object a line.
#[derive(Debug)]
pub struct NdjsonReader<R> {
    name: String,
    lines: TextLines<R>,
    map: FileMap,
    seen_ignored: BTreeSet<String>,
    ignored: Vec<String>,
}

impl<R: BufRead> NdjsonReader<R> {
    pub fn open(name: impl Into<String>, input: R, map: FileMap) -> Self {
        Self {
            name: name.into(),
            lines: TextLines::new(input),
            map,
            seen_ignored: BTreeSet::new(),
            ignored: Vec::new(),
        }
    }

    fn read(&mut self, line_no: u64, bytes: &[u8]) -> Result<Line, Fault> {
        let object: Object<'_> = serde_json::from_slice(bytes).map_err(|error| {
            let place = error.column();
            Fault::row(format!("not one JSON object (character {place}): {error}"))
        })?;
        let known = self.map.names();
        for (name, _) in &object.0 {
            if !known.contains(&name.as_ref()) && self.seen_ignored.len() < MOST_IGNORED {
                let name: String = name.chars().take(80).collect();
                if self.seen_ignored.insert(name.clone()) {
                    self.ignored.push(name);
                }
            }
        }
        declared::line(&self.map, line_no, &object)
    }
}

impl<R: BufRead + Send> LineSource for NdjsonReader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        loop {
            let line_no = self.lines.line_no() + 1;
            let line = self.lines.next();
            let Some(line) = line.map_err(|source| StatementError::Io { line_no, source })? else {
                return Ok(None);
            };
            if line.bytes.trim_ascii().is_empty() {
                continue;
            }
            let read = if line.too_long {
                Err(Fault::row(format!("the line is longer than {LONGEST} bytes")))
            } else {
                self.read(line.line_no, &line.bytes)
            };
            return Ok(Some(match read {
                Ok(line) => Row::Line(line),
                Err(fault) => Row::Quarantined(fault.quarantined(line.line_no, &line.bytes)),
            }));
        }
    }

    fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }
}

/// An object with its values as they stand in the file.
struct Object<'a>(Vec<(Cow<'a, str>, Cell<'a>)>);

/// What a cell says as text.
enum Cell<'a> {
    Text(Cow<'a, str>),
    /// A list, an object, `true`, `false` or `null`: no value of any column, and never 0.
    NoText(&'a str),
}

impl Cells for Object<'_> {
    fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.0.iter().find(|it| it.0 == name) {
            Some((_, Cell::Text(text))) => Ok(Some(text)),
            // A key that is there without a value is the same as no key.
            None | Some((_, Cell::NoText("null"))) => Ok(None),
            Some((_, Cell::NoText(seen))) => {
                let seen: String = seen.chars().take(40).collect();
                Err(Fault::at(
                    name,
                    format!("a text or a number is expected; seen {seen}"),
                ))
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                use serde::de::Error;
                let mut pairs: Vec<(Cow<'de, str>, Cell<'de>)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    if pairs.iter().any(|it| it.0 == name.0) {
                        return Err(A::Error::custom(format!(
                            "the key '{}' stands there twice",
                            name.0
                        )));
                    }
                    let raw = value.get();
                    let cell = match raw.as_bytes().first() {
                        Some(b'"') => Cell::Text(
                            serde_json::from_str::<Name<'de>>(raw)
                                .map_err(A::Error::custom)?
                                .0,
                        ),
                        Some(b'-' | b'0'..=b'9') => Cell::Text(Cow::Borrowed(raw)),
                        _ => Cell::NoText(raw),
                    };
                    pairs.push((name.0, cell));
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A text that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;

//! A delimited file whose columns are looked up by name, one row at a time: what the formats with a header of
//! their own are read with.

use std::collections::HashMap;
use std::io::BufRead;

use csv::ByteRecord;

use super::fault::Fault;
use super::records::{Framed, LONGEST, Records, split};
use super::{Row, StatementError, cell};
use crate::line::Line;

/// Cells of one row, by the name of their column.
pub(super) trait Cells {
    /// The text of a cell; None where the file has no such column, or the object no such key.
    fn get(&self, name: &str) -> Result<Option<&str>, Fault>;

    /// A cell that has to be there, though it may be empty.
    fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name)?.ok_or_else(|| Fault::at(name, "missing"))
    }

    /// An id or a reference; empty is none.
    fn id(&self, name: &str) -> Result<Option<&str>, Fault> {
        let text = self.get(name)?.unwrap_or_default();
        cell::text(text).map_err(|reason| Fault::at(name, reason))
    }
}

/// A file with a header.
#[derive(Debug)]
pub(super) struct Table<R> {
    records: Records<R>,
    /// The names as the file writes them.
    names: Vec<String>,
    places: HashMap<String, usize>,
}

/// One row of it.
pub(super) struct TableRow<'a> {
    record: &'a ByteRecord,
    places: &'a HashMap<String, usize>,
}

impl Cells for TableRow<'_> {
    fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => match self.places.get(&key(name)) {
                Some(place) => *place,
                None => return Ok(None),
            },
        };
        let bytes = self.record.get(place).unwrap_or_default();
        std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Fault::at(name, "not UTF-8"))
    }
}

/// What a format expects of its header: each entry is one column, under any of these names.
pub(super) struct Expected<'a> {
    pub format: &'static str,
    pub columns: &'a [&'a [&'a str]],
    pub separator: Option<u8>,
}

impl<R: BufRead> Table<R> {
    pub(super) fn open(input: R, expected: &Expected<'_>) -> Result<Self, StatementError> {
        let wanted = || {
            expected
                .columns
                .iter()
                .map(|it| it.join(" or "))
                .collect::<Vec<_>>()
        };
        let mut records = Records::new(input);
        let header = records
            .header()
            .map_err(|source| StatementError::Io { line_no: 1, source })?
            .unwrap_or_default();
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&header);
        if header.is_empty() {
            let expected = wanted().join(", ");
            return Err(StatementError::Empty { expected });
        }
        if header.len() >= LONGEST {
            return Err(StatementError::HeaderTooLong { limit: LONGEST });
        }
        let (separator, names) = names(header, expected);
        let mut places = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            if places.insert(key(name), place).is_some() && !name.is_empty() {
                return Err(StatementError::RepeatedColumn { column: name.clone() });
            }
        }
        let missing = expected
            .columns
            .iter()
            .find(|any| !any.iter().any(|it| places.contains_key(&key(it))));
        if let Some(missing) = missing {
            return Err(StatementError::MissingColumns {
                format: expected.format,
                missing: missing.join(" or "),
                expected: wanted().join(", "),
                seen: shown(&names),
            });
        }
        // Names as they are asked for most often, so that no row has to make a key of them.
        for name in expected.columns.iter().copied().flatten() {
            if let Some(place) = places.get(&key(name)).copied() {
                places.insert((*name).to_owned(), place);
            }
        }
        records.separate_by(separator);
        Ok(Self {
            records,
            names,
            places,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(&key(name))
    }

    /// Columns that `read` does not name.
    pub(super) fn ignored(&self, read: &[&str]) -> Vec<String> {
        let known = |it: &&String| read.iter().any(|name| key(name) == key(it));
        self.names.iter().filter(|it| !known(it)).cloned().collect()
    }

    /// The next row, as `read` understands it; a row that `read` keeps to itself (Ok(None)) is skipped.
    pub(super) fn next_row(
        &mut self,
        mut read: impl FnMut(u64, &TableRow<'_>) -> Result<Option<Line>, Fault>,
    ) -> Result<Option<Row>, StatementError> {
        loop {
            let line_no = self.records.line_no() + 1;
            let framed = self.records.next(self.names.len());
            let Some(Framed { line_no, raw, fields }) =
                framed.map_err(|source| StatementError::Io { line_no, source })?
            else {
                return Ok(None);
            };
            let line = match &fields {
                Ok(record) => read(
                    line_no,
                    &TableRow {
                        record,
                        places: &self.places,
                    },
                ),
                Err(reason) => Err(Fault::row(reason)),
            };
            match line {
                Ok(Some(line)) => return Ok(Some(Row::Line(line))),
                Ok(None) => {}
                Err(fault) => return Ok(Some(Row::Quarantined(fault.quarantined(line_no, &raw)))),
            }
        }
    }
}

/// The separator under which most of the expected columns are found, and the names.
fn names(header: &[u8], expected: &Expected<'_>) -> (u8, Vec<String>) {
    let separators = expected
        .separator
        .map_or_else(|| vec![b'|', b'\t', b';', b','], |it| vec![it]);
    let known = |name: &String| {
        let mut all = expected.columns.iter().copied().flatten();
        all.any(|it| key(it) == key(name))
    };
    let cut = separators.into_iter().map(|separator| {
        let record = split(header, separator).unwrap_or_default();
        let name = |it: &[u8]| String::from_utf8_lossy(it).trim().to_owned();
        let names: Vec<String> = record.iter().map(name).collect();
        (names.iter().filter(|it| known(it)).count(), separator, names)
    });
    // The last of the best: a comma wins a draw.
    let best = cut.max_by_key(|it| it.0);
    best.map_or((b',', Vec::new()), |(_, separator, names)| (separator, names))
}

/// Names are the same whatever the case of their Latin letters.
fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

fn shown(names: &[String]) -> String {
    let short = |it: &String| it.chars().take(40).collect::<String>();
    let mut shown = names.iter().take(30).map(short).collect::<Vec<_>>().join(", ");
    if names.len() > 30 {
        shown.push_str(", …");
    }
    shown
}

//! The generic CSV format: columns found by their names in the header, in any order.
//!
//! The same reader reads the ledger's extract, which has no fee and names its transaction. Row by row, or in
//! shares that are read on all cores; both give the same rows.

use std::io::BufRead;
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};

use super::blocks::{BLOCK, Block, Blocks, Found, Step, step};
use super::columns::Columns;
pub use super::columns::{ColumnMap, SignConvention};
use super::records::{Framed, LONGEST, Records, without_cr};
use super::row::{Cells, Fault, Layout, Memo};
use super::{LineSource, Row, Rows, Share, StatementError};
use crate::line::Line;

/// Reads a delimited file with a declared map of columns.
#[derive(Debug)]
pub struct GenericReader<R> {
    name: String,
    records: Records<R>,
    layout: Arc<Layout>,
    memo: Memo,
    blocks: Option<Blocks>,
    block: usize,
}

impl<R: BufRead> GenericReader<R> {
    /// Reads the header. `name` tells this file from others: it is part of the made-up event id of rows that
    /// have none.
    pub fn open(name: impl Into<String>, input: R, map: ColumnMap) -> Result<Self, StatementError> {
        let mut records = Records::new(input);
        let header = records
            .header()
            .map_err(|source| StatementError::Io { line_no: 1, source })?;
        let header = match header {
            None => {
                return Err(StatementError::Empty {
                    expected: map.expected(),
                });
            }
            Some(header) if header == b"\xef\xbb\xbf" => {
                return Err(StatementError::Empty {
                    expected: map.expected(),
                });
            }
            Some(header) if header.len() >= LONGEST => {
                return Err(StatementError::HeaderTooLong { limit: LONGEST });
            }
            Some(header) => header,
        };
        let (columns, separator) = Columns::find(&header, &map)?;
        records.separate_by(separator);
        Ok(Self {
            name: name.into(),
            records,
            layout: Arc::new(Layout { columns, map }),
            memo: Memo::default(),
            blocks: None,
            block: BLOCK,
        })
    }

    /// Reads shares of about so many bytes. The result is the same.
    #[must_use]
    pub fn with_block(mut self, bytes: usize) -> Self {
        self.block = bytes;
        self
    }
}

impl<R: BufRead + Send> LineSource for GenericReader<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_row(&mut self) -> Result<Option<Row>, StatementError> {
        let line_no = self.records.line_no() + 1;
        let framed = self.records.next(self.layout.columns.width);
        let Some(Framed { line_no, raw, fields }) =
            framed.map_err(|source| StatementError::Io { line_no, source })?
        else {
            return Ok(None);
        };
        let line = match &fields {
            Ok(record) => self.layout.read(line_no, &record, &mut self.memo),
            Err(reason) => Err(Fault {
                column: None,
                reason: reason.clone(),
            }),
        };
        Ok(Some(match line {
            Ok(fields) => Row::Line(Line::new(fields)),
            Err(fault) => Row::Quarantined(fault.quarantined(line_no, &raw)),
        }))
    }

    fn next_share(&mut self) -> Result<Option<Share>, StatementError> {
        let (block, lines) = (self.block, self.records.line_no());
        let blocks = self.blocks.get_or_insert_with(|| Blocks::new(block, lines));
        let (input, separator) = self.records.input();
        let shape = (separator, self.layout.columns.width);
        let next = blocks.next(input, shape);
        let Some(block) = next.map_err(|source| StatementError::Io {
            line_no: blocks.line_no(),
            source,
        })?
        else {
            return Ok(None);
        };
        let layout = Arc::clone(&self.layout);
        Ok(Some(Box::new(move |rows| {
            read_block(&block, shape, &layout, rows);
            Ok(())
        })))
    }

    fn ignored_columns(&self) -> &[String] {
        &self.layout.columns.ignored
    }
}

/// A line without quotes and where its cells end.
struct Plain<'a, 'e> {
    line: &'a [u8],
    /// The same, if the whole block is UTF-8.
    text: Option<&'a str>,
    ends: &'e [usize],
    no_nul: bool,
}

impl Plain<'_, '_> {
    #[inline]
    fn range(&self, column: usize) -> Range<usize> {
        let start = if column == 0 { 0 } else { self.ends[column - 1] + 1 };
        start..self.ends[column]
    }
}

impl<'a> Cells<'a> for Plain<'a, '_> {
    #[inline]
    fn cell(&self, column: usize) -> &'a [u8] {
        &self.line[self.range(column)]
    }

    #[inline]
    fn text(&self, column: usize) -> Option<&'a str> {
        let range = self.range(column);
        match self.text {
            Some(text) => text.get(range),
            None => std::str::from_utf8(&self.line[range]).ok(),
        }
    }

    #[inline]
    fn no_nul(&self) -> bool {
        self.no_nul
    }
}

/// One line without quotes, and what is known of the block around it.
#[derive(Clone, Copy)]
struct Whole<'a> {
    data: &'a [u8],
    text: Option<&'a str>,
    no_nul: bool,
}

fn read_block(block: &Block, shape: (u8, usize), layout: &Layout, rows: &mut dyn Rows) {
    let (data, mut line_no) = (block.bytes(), block.lines_before);
    let has_quotes = memchr(b'"', data).is_some();
    let whole = Whole {
        data,
        text: std::str::from_utf8(data).ok(),
        no_nul: memchr(0, data).is_none(),
    };
    let (mut memo, mut ends) = (Memo::default(), Vec::with_capacity(shape.1));
    let mut at = 0;
    while at < data.len() {
        let end = memchr(b'\n', &data[at..]).map_or(data.len(), |it| at + it);
        if has_quotes || end - at > LONGEST {
            // The block ends where a record does, so nothing is ever missing.
            let Some(Step { after, record }) = step(data, at, shape, true) else {
                return;
            };
            found(
                whole,
                record,
                line_no + 1,
                (shape, layout),
                (&mut memo, &mut ends),
                rows,
            );
            line_no += memchr_iter(b'\n', &data[at..after]).count() as u64;
            at = after;
        } else {
            line_no += 1;
            let end_of_text = at + without_cr(&data[at..end]).len();
            if end_of_text > at {
                plain(
                    whole,
                    at..end_of_text,
                    line_no,
                    (shape, layout),
                    (&mut memo, &mut ends),
                    rows,
                );
            }
            at = end + 1;
        }
    }
}

/// Where a separator stands, eight bytes at a time: cells are so short that a search that starts anew for each
/// takes longer.
#[inline]
fn places(separator: u8, line: &[u8], into: &mut Vec<usize>) {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let all = u64::from(separator) * 0x0101_0101_0101_0101;
    let (words, rest) = line.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        // Bytes that are the separator become 0, and of those alone the highest bit is set afterwards.
        let zero = u64::from_le_bytes(*word) ^ all;
        let mut found = !(((zero & LOW) + LOW) | zero | LOW);
        while found != 0 {
            into.push(number * 8 + (found.trailing_zeros() / 8) as usize);
            found &= found - 1;
        }
    }
    let start = line.len() - rest.len();
    let in_rest = rest.iter().enumerate().filter(|it| *it.1 == separator);
    into.extend(in_rest.map(|it| start + it.0));
}

type How<'a> = ((u8, usize), &'a Layout);
type Aids<'a> = (&'a mut Memo, &'a mut Vec<usize>);

fn found(whole: Whole<'_>, record: Found, line_no: u64, how: How<'_>, aids: Aids<'_>, rows: &mut dyn Rows) {
    let data = whole.data;
    let fault = |reason| Fault { column: None, reason };
    match record {
        Found::Empty => {}
        Found::Plain(range) => plain(whole, range, line_no, how, aids, rows),
        Found::Not(range, reason) => rows.quarantined(fault(reason).quarantined(line_no, &data[range])),
        Found::Quoted(raw, Err(reason)) => rows.quarantined(fault(reason).quarantined(line_no, &raw)),
        Found::Quoted(raw, Ok(record)) => match how.1.read(line_no, &&record, aids.0) {
            Ok(fields) => rows.line(&fields),
            Err(fault) => rows.quarantined(fault.quarantined(line_no, &raw)),
        },
    }
}

#[inline]
fn plain(
    whole: Whole<'_>,
    range: Range<usize>,
    line_no: u64,
    how: How<'_>,
    (memo, ends): Aids<'_>,
    rows: &mut dyn Rows,
) {
    let ((separator, width), layout) = how;
    let line = &whole.data[range.clone()];
    ends.clear();
    places(separator, line, ends);
    ends.push(line.len());
    if ends.len() != width {
        let reason = format!("the row has {} fields, the header has {width}", ends.len());
        rows.quarantined(Fault { column: None, reason }.quarantined(line_no, line));
        return;
    }
    let cells = Plain {
        line,
        text: whole.text.and_then(|it| it.get(range)),
        ends,
        no_nul: whole.no_nul,
    };
    match layout.read(line_no, &cells, memo) {
        Ok(fields) => rows.line(&fields),
        Err(fault) => rows.quarantined(fault.quarantined(line_no, line)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_separator_is_found_wherever_it_stands(line in prop::collection::vec(prop_oneof![Just(b','), Just(b'-'), Just(0xac), any::<u8>()], 0..60)) {
            let mut found = Vec::new();
            places(b',', &line, &mut found);
            prop_assert_eq!(found, memchr_iter(b',', &line).collect::<Vec<_>>());
        }
    }
}

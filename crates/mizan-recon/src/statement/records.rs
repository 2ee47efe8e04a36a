//! Cuts a delimited file into records: quoted line breaks belong to a record, a quote that is never closed
//! costs one line and not the rest of the file.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use csv::ByteRecord;
use memchr::{memchr, memchr_iter};

/// The longest line, and the longest record, in bytes. What is longer is quarantined, not held in memory.
pub(super) const LONGEST: usize = 64 * 1024;
/// How many lines a quoted field may run on.
pub(super) const MOST_LINES: usize = 32;

/// One line of the file without its line end.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    too_long: bool,
}

/// A record, or the reason why a line is none.
#[derive(Debug)]
pub(super) struct Framed {
    /// The line that the record begins at; the first of the file is 1.
    pub line_no: u64,
    /// As it stands in the file.
    pub raw: Vec<u8>,
    pub fields: Result<ByteRecord, String>,
}

/// Reads records one at a time.
#[derive(Debug)]
pub(super) struct Records<R> {
    input: R,
    separator: u8,
    /// Lines that were read while looking for the end of a quote, and are to be read again.
    ahead: VecDeque<Line>,
    line_no: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            separator: b',',
            ahead: VecDeque::new(),
            line_no: 0,
        }
    }

    pub(super) fn input(&mut self) -> (&mut R, u8) {
        (&mut self.input, self.separator)
    }

    pub(super) fn line_no(&self) -> u64 {
        self.line_no
    }

    pub(super) fn separate_by(&mut self, separator: u8) {
        self.separator = separator;
    }

    /// The first line, for whoever has to find out the separator. None: the file is empty.
    pub(super) fn header(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(line) = self.line()? {
            if !line.bytes.is_empty() {
                return Ok(Some(line.bytes));
            }
        }
        Ok(None)
    }

    /// The next record of `width` fields; empty lines are none.
    pub(super) fn next(&mut self, width: usize) -> io::Result<Option<Framed>> {
        let line = loop {
            match self.line()? {
                None => return Ok(None),
                Some(line) if line.bytes.is_empty() => {}
                Some(line) => break line,
            }
        };
        let line_no = self.line_no;
        if line.too_long {
            let fields = Err(format!("the line is longer than {LONGEST} bytes"));
            return Ok(Some(Framed {
                line_no,
                raw: line.bytes,
                fields,
            }));
        }
        let (raw, fields) = self.record(line.bytes, width)?;
        Ok(Some(Framed { line_no, raw, fields }))
    }

    fn record(&mut self, line: Vec<u8>, width: usize) -> io::Result<(Vec<u8>, Result<ByteRecord, String>)> {
        if memchr(b'"', &line).is_none() {
            let fields = of_width(split_plain(&line, self.separator), width);
            return Ok((line, fields));
        }
        if quotes(&line).is_multiple_of(2) {
            let fields = only_record(&line, self.separator).ok_or_else(|| "the quotes do not fit".to_owned());
            return Ok((line, fields.and_then(|it| of_width(it, width))));
        }
        if let Some((raw, fields)) = self.continued(&line, width)? {
            return Ok((raw, Ok(fields)));
        }
        if quotes_a_field(&line, self.separator) {
            return Ok((line, Err("a quote is opened and not closed".to_owned())));
        }
        let fields = only_record(&line, self.separator).ok_or_else(|| "the quotes do not fit".to_owned());
        Ok((line, fields.and_then(|it| of_width(it, width))))
    }

    /// Tries to end the open quote of `first` with the lines that follow, and takes them only if that gives
    /// one whole record.
    fn continued(&mut self, first: &[u8], width: usize) -> io::Result<Option<(Vec<u8>, ByteRecord)>> {
        let mut raw = first.to_vec();
        for taken in 0..MOST_LINES {
            if taken == self.ahead.len() {
                match self.read_line()? {
                    Some(line) => self.ahead.push_back(line),
                    None => return Ok(None),
                }
            }
            let next = &self.ahead[taken];
            if next.too_long || raw.len() + next.bytes.len() >= LONGEST {
                return Ok(None);
            }
            raw.push(b'\n');
            raw.extend_from_slice(&next.bytes);
            if quotes(&next.bytes).is_multiple_of(2) {
                continue;
            }
            return Ok(match only_record(&raw, self.separator) {
                Some(fields) if fields.len() == width => {
                    self.ahead.drain(..=taken);
                    self.line_no += taken as u64 + 1;
                    Some((raw, fields))
                }
                _ => None,
            });
        }
        Ok(None)
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        let line = match self.ahead.pop_front() {
            Some(line) => Some(line),
            None => self.read_line()?,
        };
        self.line_no += u64::from(line.is_some());
        Ok(line)
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Line::default();
        let mut any = false;
        loop {
            let block = match self.input.fill_buf() {
                Ok(block) => block,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if block.is_empty() {
                break;
            }
            any = true;
            let end = memchr(b'\n', block);
            let part = &block[..end.unwrap_or(block.len())];
            let room = LONGEST.saturating_sub(line.bytes.len());
            line.too_long |= part.len() > room;
            line.bytes.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(block.len(), |it| it + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if line.bytes.last() == Some(&b'\r') {
            line.bytes.pop();
        }
        Ok(any.then_some(line))
    }
}

/// Cuts a line at every separator, and reads quotes where there are some.
pub(super) fn split(line: &[u8], separator: u8) -> Option<ByteRecord> {
    if memchr(b'"', line).is_none() {
        return Some(split_plain(line, separator));
    }
    only_record(line, separator)
}

fn split_plain(line: &[u8], separator: u8) -> ByteRecord {
    let mut record = ByteRecord::with_capacity(line.len(), 16);
    let mut from = 0;
    for at in memchr_iter(separator, line) {
        record.push_field(&line[from..at]);
        from = at + 1;
    }
    record.push_field(&line[from..]);
    record
}

/// The fields of `raw`, if it is exactly one record.
pub(super) fn only_record(raw: &[u8], separator: u8) -> Option<ByteRecord> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(raw.len().max(16))
        .from_reader(raw);
    let (mut record, mut second) = (ByteRecord::new(), ByteRecord::new());
    let one = reader.read_byte_record(&mut record).ok()? && !reader.read_byte_record(&mut second).ok()?;
    one.then_some(record)
}

pub(super) fn quotes_a_field(line: &[u8], separator: u8) -> bool {
    line.first() == Some(&b'"') || line.windows(2).any(|it| it == [separator, b'"'])
}

pub(super) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) fn of_width(fields: ByteRecord, width: usize) -> Result<ByteRecord, String> {
    if fields.len() == width {
        Ok(fields)
    } else {
        Err(format!(
            "the row has {} fields, the header has {width}",
            fields.len()
        ))
    }
}

pub(super) fn quotes(line: &[u8]) -> usize {
    memchr_iter(b'"', line).count()
}

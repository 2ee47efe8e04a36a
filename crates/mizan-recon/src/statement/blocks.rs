//! Cuts a delimited file into blocks of whole records, which are then read on any thread.
//!
//! Where a record ends depends on the quotes before it: an odd number of them in a line may make the next lines
//! part of it, for at most [`MOST_LINES`]. So a line end with that many lines of even quotes before it is an end
//! of a record, whatever came before. Where there is none, the records are walked from the start of the block.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use csv::ByteRecord;
use memchr::{memchr, memchr_iter, memrchr};

use super::records::{LONGEST, MOST_LINES, of_width, only_record, quotes, quotes_a_field, without_cr};

/// How much is read at a time: enough that taking turns at the file costs little.
pub(super) const BLOCK: usize = 1 << 20;

/// Whole records of a file.
#[derive(Debug)]
pub(super) struct Block {
    buffer: Vec<u8>,
    length: usize,
    /// Lines of the file before this block.
    pub lines_before: u64,
    spare: Spare,
}

/// Buffers that were read and can be filled again.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

impl Block {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer);
    }
}

/// Where the reading of a file stands.
#[derive(Debug)]
pub(super) struct Blocks {
    size: usize,
    /// The beginning of the next block, which was read with the one before.
    carry: Vec<u8>,
    lines: u64,
    ended: bool,
    spare: Spare,
}

impl Blocks {
    /// `lines`: how many were read by other means already.
    pub(super) fn new(size: usize, lines: u64) -> Self {
        Self {
            size: size.max(1),
            carry: Vec::new(),
            lines,
            ended: false,
            spare: Spare::default(),
        }
    }

    /// The line that is read next.
    pub(super) fn line_no(&self) -> u64 {
        self.lines + 1 + memchr_iter(b'\n', &self.carry).count() as u64
    }

    pub(super) fn next(
        &mut self,
        input: &mut impl Read,
        (separator, width): (u8, usize),
    ) -> io::Result<Option<Block>> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = spare.unwrap_or_default();
        buffer.resize(self.size.max(buffer.len()).max(self.carry.len() + 1), 0);
        let mut filled = self.carry.len();
        buffer[..filled].copy_from_slice(&self.carry);
        let end = loop {
            while !self.ended && filled < buffer.len() {
                match input.read(&mut buffer[filled..]) {
                    Ok(0) => self.ended = true,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.carry = buffer[..filled].to_vec();
                        return Err(error);
                    }
                }
            }
            if filled == 0 {
                return Ok(None);
            }
            match last_end(&buffer[..filled], self.ended, separator, width) {
                0 if filled > LONGEST + 1 && memchr(b'\n', &buffer[..filled]).is_none() => {
                    // More of this line would change nothing: it is too long.
                    filled = LONGEST + 1;
                    self.ended |= skip_line(input, &mut buffer, &mut filled)?;
                }
                0 => buffer.resize(buffer.len() * 2, 0),
                end => break end,
            }
        };
        self.carry.clear();
        self.carry.extend_from_slice(&buffer[end..filled]);
        let lines_before = self.lines;
        self.lines += memchr_iter(b'\n', &buffer[..end]).count() as u64;
        Ok(Some(Block {
            buffer,
            length: end,
            lines_before,
            spare: Arc::clone(&self.spare),
        }))
    }
}

/// Reads and forgets up to the next line end, which is kept with what follows it. Answers whether the file ended.
fn skip_line(input: &mut impl Read, buffer: &mut Vec<u8>, filled: &mut usize) -> io::Result<bool> {
    buffer.resize(buffer.len().max(*filled * 2), 0);
    loop {
        match input.read(&mut buffer[*filled..]) {
            Ok(0) => return Ok(true),
            Ok(read) => {
                if let Some(at) = memchr(b'\n', &buffer[*filled..*filled + read]) {
                    buffer.copy_within(*filled + at..*filled + read, *filled);
                    *filled += read - at;
                    return Ok(false);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The last place in `data` that surely ends a record; 0 if there is none yet.
fn last_end(data: &[u8], ended: bool, separator: u8, width: usize) -> usize {
    if ended {
        return data.len();
    }
    let Some(end) = memrchr(b'\n', data).map(|it| it + 1) else {
        return 0;
    };
    if even_lines_before(&data[..end]) {
        return end;
    }
    let mut at = 0;
    while at < data.len() {
        match step(data, at, (separator, width), ended) {
            Some(Step { after, .. }) => at = after,
            None => break,
        }
    }
    at
}

fn even_lines_before(data: &[u8]) -> bool {
    let mut end = data.len();
    for _ in 0..MOST_LINES {
        if end == 0 {
            return true;
        }
        let start = memrchr(b'\n', &data[..end - 1]).map_or(0, |it| it + 1);
        if !quotes(&data[start..end]).is_multiple_of(2) {
            return false;
        }
        end = start;
    }
    true
}

/// One record, or one line that is none.
pub(super) struct Step {
    /// Where the next one begins.
    pub after: usize,
    pub record: Found,
}

pub(super) enum Found {
    Empty,
    /// A line without quotes, to be cut at every separator.
    Plain(Range<usize>),
    /// With quotes: as it stands in the file, and its fields.
    Quoted(Vec<u8>, Result<ByteRecord, String>),
    /// No record.
    Not(Range<usize>, String),
}

/// Reads one record of `data` from `at` on. None: where it ends is not in `data` yet.
pub(super) fn step(data: &[u8], at: usize, (separator, width): (u8, usize), ended: bool) -> Option<Step> {
    let (range, after) = line(data, at, ended)?;
    let found = |record| Some(Step { after, record });
    let text = &data[range.clone()];
    if text.is_empty() {
        return found(Found::Empty);
    }
    if too_long(data, at, after) {
        return found(Found::Not(
            range.start..range.end.min(range.start + LONGEST),
            format!("the line is longer than {LONGEST} bytes"),
        ));
    }
    if memchr(b'"', text).is_none() {
        return found(Found::Plain(range));
    }
    if !quotes(text).is_multiple_of(2) {
        match continued(data, &range, after, (separator, width), ended) {
            Continued::Unknown => return None,
            Continued::Yes { after, raw, fields } => {
                return Some(Step {
                    after,
                    record: Found::Quoted(raw, Ok(fields)),
                });
            }
            Continued::No if quotes_a_field(text, separator) => {
                return found(Found::Not(range, "a quote is opened and not closed".to_owned()));
            }
            Continued::No => {}
        }
    }
    let fields = only_record(text, separator).ok_or_else(|| "the quotes do not fit".to_owned());
    found(Found::Quoted(
        text.to_vec(),
        fields.and_then(|it| of_width(it, width)),
    ))
}

/// The line that begins at `at`, without its end, and where the next one begins.
fn line(data: &[u8], at: usize, ended: bool) -> Option<(Range<usize>, usize)> {
    let (end, after) = match memchr(b'\n', &data[at..]) {
        Some(length) => (at + length, at + length + 1),
        None if ended && at < data.len() => (data.len(), data.len()),
        None => return None,
    };
    Some((at..at + without_cr(&data[at..end]).len(), after))
}

fn too_long(data: &[u8], at: usize, after: usize) -> bool {
    let line = &data[at..after];
    line.strip_suffix(b"\n").unwrap_or(line).len() > LONGEST
}

enum Continued {
    No,
    Yes {
        after: usize,
        raw: Vec<u8>,
        fields: ByteRecord,
    },
    Unknown,
}

/// Tries to end the open quote of a line with the lines that follow.
fn continued(
    data: &[u8],
    first: &Range<usize>,
    mut at: usize,
    (separator, width): (u8, usize),
    ended: bool,
) -> Continued {
    let mut raw = data[first.clone()].to_vec();
    for _ in 0..MOST_LINES {
        let Some((range, after)) = line(data, at, ended) else {
            // A line that is too long already ends the search, wherever it may end itself.
            let known = ended || data.len() - at > LONGEST;
            return if known { Continued::No } else { Continued::Unknown };
        };
        if too_long(data, at, after) || raw.len() + range.len() >= LONGEST {
            return Continued::No;
        }
        raw.push(b'\n');
        raw.extend_from_slice(&data[range.clone()]);
        at = after;
        if quotes(&data[range]).is_multiple_of(2) {
            continue;
        }
        return match only_record(&raw, separator) {
            Some(fields) if fields.len() == width => Continued::Yes { after, raw, fields },
            _ => Continued::No,
        };
    }
    Continued::No
}

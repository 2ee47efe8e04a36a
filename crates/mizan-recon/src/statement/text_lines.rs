//! Lines of a text file in bounded memory: what is longer than a line may be is cut off and said to be so.

use std::io::{self, BufRead};

use memchr::memchr;

/// The longest line that is kept, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// One line without its line end.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct TextLine {
    /// The first line of the file is 1.
    pub line_no: u64,
    pub bytes: Vec<u8>,
    pub too_long: bool,
}

/// Reads lines one at a time; a byte order mark before the first is dropped.
#[derive(Debug)]
pub(super) struct TextLines<R> {
    input: R,
    line_no: u64,
}

impl<R: BufRead> TextLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line_no: 0 }
    }

    /// How many lines were read so far.
    pub(super) fn line_no(&self) -> u64 {
        self.line_no
    }

    pub(super) fn next(&mut self) -> io::Result<Option<TextLine>> {
        let mut line = TextLine::default();
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
        if !any {
            return Ok(None);
        }
        self.line_no += 1;
        line.line_no = self.line_no;
        if line.bytes.last() == Some(&b'\r') {
            line.bytes.pop();
        }
        if self.line_no == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
            line.bytes.drain(..3);
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_any_length_takes_bounded_memory_and_harms_no_other() {
        let long = "x".repeat(3 * LONGEST);
        let file = format!("\u{feff}first\r\n{long}\nlast");
        let mut lines = TextLines::new(io::BufReader::with_capacity(11, file.as_bytes()));
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            assert!(line.bytes.len() <= LONGEST && line.bytes.capacity() <= 2 * LONGEST);
            seen.push((line.line_no, line.bytes.len(), line.too_long));
        }
        assert_eq!(seen, [(1, 5, false), (2, LONGEST, true), (3, 4, false)]);
    }
}

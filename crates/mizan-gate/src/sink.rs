//! Outputs on their way to disk: masked first, then cut where they are too long, visibly.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use mizan_mask::MaskStream;

use crate::masking::Masking;
use crate::record::Output;

/// How much of one output is kept on disk. Beyond it, the end is kept as well.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub head: u64,
    pub tail: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            head: 16 * 1024 * 1024,
            tail: 64 * 1024,
        }
    }
}

/// A file that takes raw bytes and holds masked ones.
pub struct Sink {
    masking: Masking,
    version: u64,
    stream: Option<MaskStream<Capped>>,
}

impl Sink {
    pub fn create(path: &Path, masking: &Masking, limit: Limit) -> io::Result<Self> {
        let capped = Capped {
            file: File::create(path)?,
            limit,
            written: 0,
            dropped: 0,
            tail: VecDeque::new(),
        };
        let (masker, version) = masking.current();
        Ok(Self {
            masking: masking.clone(),
            version,
            stream: Some(MaskStream::new(masker, capped)),
        })
    }

    /// Takes bytes. When the masker has learned something since, it is changed at the next end of a line, so that
    /// nothing that is held back is let go half.
    pub fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (masker, version) = self.masking.current();
        let mut rest = bytes;
        if version != self.version
            && let Some(end) = bytes.iter().position(|it| *it == b'\n')
        {
            self.write(&bytes[..=end])?;
            rest = &bytes[end + 1..];
            if let Some(stream) = self.stream.take() {
                self.stream = Some(MaskStream::new(masker, stream.finish()?));
            }
            self.version = version;
        }
        self.write(rest)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Some(stream) => stream.write_all(bytes),
            None => Err(io::Error::other("the output is closed")),
        }
    }

    /// Writes what was held back. How many bytes were left out of the middle.
    pub fn finish(mut self) -> io::Result<u64> {
        match self.stream.take() {
            Some(stream) => stream.finish()?.close(),
            None => Ok(0),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // An attempt that was broken off: what it printed is kept, and nobody is left to tell of a failure.
        if let Some(stream) = self.stream.take() {
            drop(stream.finish().and_then(Capped::close));
        }
    }
}

/// Writes the beginning to the file at once and keeps the end for later.
struct Capped {
    file: File,
    limit: Limit,
    written: u64,
    dropped: u64,
    tail: VecDeque<u8>,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.limit.head.saturating_sub(self.written)).unwrap_or(usize::MAX);
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.file.write_all(head)?;
        self.written += head.len() as u64;
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.limit.tail);
        self.tail.drain(..excess);
        self.dropped += excess as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Capped {
    fn close(mut self) -> io::Result<u64> {
        if self.dropped > 0 {
            let words = format!("\n[gate: {} bytes of this output were not kept]\n", self.dropped);
            self.file.write_all(words.as_bytes())?;
        }
        let (first, second) = self.tail.as_slices();
        self.file.write_all(first)?;
        self.file.write_all(second)?;
        self.file.flush()?;
        Ok(self.dropped)
    }
}

/// Lines of an output in a report, at its beginning and at its end.
const LINES: usize = 10;
/// Characters of a line in a report.
const WIDTH: usize = 500;

/// Describes a file that is on disk.
pub fn describe(directory: &Path, file: &str) -> io::Result<Output> {
    let bytes = std::fs::read(directory.join(file))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let shown = |lines: &[&str]| lines.iter().map(|it| printable(it)).collect();
    let (head, tail, omitted) = if lines.len() <= 2 * LINES {
        (shown(&lines), Vec::new(), 0)
    } else {
        let end = lines.len() - LINES;
        (shown(&lines[..LINES]), shown(&lines[end..]), end - LINES)
    };
    Ok(Output {
        file: file.to_owned(),
        bytes: bytes.len() as u64,
        head,
        tail,
        omitted: omitted as u64,
    })
}

/// Without what would move a cursor.
fn printable(line: &str) -> String {
    let clean = |it: char| {
        if it.is_control() && it != '\t' {
            '\u{fffd}'
        } else {
            it
        }
    };
    let mut chars = line.chars().map(clean);
    let mut text: String = chars.by_ref().take(WIDTH).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    text
}

/// Raw bytes in memory for comparing and capturing: the beginning and the end.
#[derive(Debug, Default)]
pub struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: bool,
}

const KEPT_HEAD: usize = 4 * 1024 * 1024;
const KEPT_TAIL: usize = 1024 * 1024;

impl Kept {
    pub fn take(&mut self, bytes: &[u8]) {
        let room = KEPT_HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend(&bytes[room..]);
        let excess = self.tail.len().saturating_sub(KEPT_TAIL);
        self.cut |= excess > 0;
        self.tail.drain(..excess);
    }

    pub fn into_body(self) -> crate::expect::Body {
        let mut all = self.head;
        all.extend(self.tail);
        let text =
            String::from_utf8(all).unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        crate::expect::Body { text, cut: self.cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mizan_mask::Masker;

    #[test]
    fn a_long_output_keeps_both_ends_and_says_what_is_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.stdout");
        let limit = Limit { head: 100, tail: 50 };
        let mut sink = Sink::create(&path, &Masking::new(Masker::default()), limit).expect("a sink");
        for no in 0..1_000 {
            sink.take(format!("line {no}\n").as_bytes()).expect("room");
        }
        assert!(sink.finish().expect("an end") > 8_000);
        let text = std::fs::read_to_string(&path).expect("a text");
        assert!(
            text.starts_with("line 0\nline 1\n") && text.ends_with("line 999\n"),
            "{text}"
        );
        assert!(
            text.contains("bytes of this output were not kept]") && text.len() < 300,
            "{text}"
        );
    }

    #[test]
    fn what_is_learned_on_the_way_is_masked_from_the_next_line_on() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.log");
        let masking = Masking::new(Masker::default());
        let mut sink = Sink::create(&path, &masking, Limit::default()).expect("a sink");
        sink.take(b"first\nhalf ").expect("room");
        masking.learn("Tr0ub4dor&3x", "captured");
        sink.take(b"line\nnow Tr0ub").expect("room");
        sink.take(b"4dor&3x here\n").expect("room");
        sink.finish().expect("an end");
        assert_eq!(
            std::fs::read_to_string(&path).expect("a text"),
            "first\nhalf line\nnow *** here\n"
        );
    }

    #[test]
    fn a_report_shows_ten_lines_of_each_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let many = (1..=25).map(|it| it.to_string()).collect::<Vec<_>>().join("\n");
        std::fs::write(directory.path().join("many"), many).expect("a file");
        std::fs::write(directory.path().join("few"), b"\x00\xff\x1b[31m\n").expect("a file");
        let many = describe(directory.path(), "many").expect("a file");
        assert_eq!((many.head.len(), many.tail.len(), many.omitted), (10, 10, 5));
        assert_eq!(many.tail.last().map(String::as_str), Some("25"));
        let few = describe(directory.path(), "few").expect("a file");
        assert_eq!(few.head, ["\u{fffd}\u{fffd}\u{fffd}[31m"]);
    }
}

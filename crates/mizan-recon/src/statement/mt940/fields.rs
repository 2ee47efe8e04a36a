//! Cuts an MT940 file into fields `:tag:text`; a field runs on over lines until the next one begins. Bounded: a
//! field, like a line, is cut off at 64 KiB.

use std::io::{self, BufRead};

use crate::statement::StatementError;
use crate::statement::text_lines::{LONGEST, TextLine, TextLines};

/// One field, its lines apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub line_no: u64,
    pub tag: String,
    pub lines: Vec<String>,
    pub too_long: bool,
}

impl Field {
    /// The first line, without what stands around it.
    pub(super) fn text(&self) -> &str {
        self.lines.first().map_or("", |it| it.trim())
    }

    pub(super) fn excerpt(&self) -> String {
        self.text().chars().take(40).collect()
    }
}

/// What comes next in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Field(Field),
    /// A line inside a message that belongs to no field.
    Stray(Field),
    EndOfMessage,
}

/// Reads fields.
#[derive(Debug)]
pub(super) struct Fields<R> {
    lines: TextLines<R>,
    /// The field whose next lines may follow.
    current: Option<(Field, usize)>,
    /// An end that was seen while a field was open.
    ends: bool,
    in_message: bool,
}

impl<R: BufRead> Fields<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            lines: TextLines::new(input),
            current: None,
            ends: false,
            in_message: false,
        }
    }

    pub(super) fn line_no(&self) -> u64 {
        self.lines.line_no()
    }

    /// The file ended without a single field.
    pub(super) fn nothing_read(&self) -> StatementError {
        let expected = "MT940 fields such as :20:, :60F: and :61:";
        if self.lines.line_no() == 0 {
            return StatementError::Empty {
                expected: expected.to_owned(),
            };
        }
        StatementError::NotOfFormat {
            format: "mt940",
            reason: format!("no {expected} in it"),
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if self.ends {
                self.ends = false;
                self.in_message = false;
                return Ok(Some(Piece::EndOfMessage));
            }
            let Some(line) = self.lines.next()? else {
                return Ok(self.current.take().map(|it| Piece::Field(it.0)));
            };
            if let Some(piece) = self.take(&line) {
                return Ok(Some(piece));
            }
        }
    }

    fn take(&mut self, line: &TextLine) -> Option<Piece> {
        // Start and end of text, and blanks that banks fill lines up with.
        let controls = |it: char| it.is_control();
        let text = String::from_utf8_lossy(&line.bytes);
        let text = text.trim_matches(controls);
        if let Some((tag, rest)) = tagged(text) {
            self.in_message = true;
            let field = Field {
                line_no: line.line_no,
                tag: tag.to_owned(),
                lines: vec![rest.to_owned()],
                too_long: line.too_long,
            };
            let size = rest.len();
            return self.current.replace((field, size)).map(|it| Piece::Field(it.0));
        }
        if is_end(text) {
            let piece = self.current.take().map(|it| Piece::Field(it.0));
            self.ends = self.in_message || piece.is_some();
            return piece;
        }
        if text.trim().is_empty() || text.starts_with('{') {
            return None;
        }
        match &mut self.current {
            Some((field, size)) => {
                field.too_long |= line.too_long || *size + text.len() > LONGEST;
                if !field.too_long {
                    *size += text.len();
                    field.lines.push(text.to_owned());
                }
                None
            }
            // Before the first field of a message stands what the bank's own envelope says.
            None if !self.in_message => None,
            None => Some(Piece::Stray(Field {
                line_no: line.line_no,
                tag: String::new(),
                lines: vec![text.chars().take(200).collect()],
                too_long: line.too_long,
            })),
        }
    }
}

/// `:61:…` as tag and rest; also behind `{4:`, where a bank leaves out the line end.
fn tagged(text: &str) -> Option<(&str, &str)> {
    let text = match text.strip_prefix('{') {
        Some(envelope) => &envelope[envelope.find("{4:")? + 3..],
        None => text,
    };
    let (tag, rest) = text.strip_prefix(':')?.split_once(':')?;
    let known = (1..=4).contains(&tag.len()) && tag.bytes().all(|it| it.is_ascii_alphanumeric());
    known.then_some((tag, rest))
}

/// `-`, `-}…` of the envelope, or the trailer of Dutch banks.
fn is_end(text: &str) -> bool {
    let text = text.trim();
    text == "-" || text == "-XXX" || text.starts_with("-}")
}

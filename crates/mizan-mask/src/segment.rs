//! Cuts text into segments that are masked one by one. The cuts depend on the text alone, never on how it
//! arrived: that is why a stream and the whole text come out the same.
//!
//! A segment is a line, or several when something goes on over the line end (a wrapped base64 text, a private
//! key, a known value broken by a terminal). A line without an end is cut at a place where nothing is covered.

use crate::engine::{Edges, Engine};
use crate::span::{STARS, Span};

/// A segment never gets longer, bytes.
pub(crate) const LONGEST: usize = 64 * 1024;
/// What is looked at again after the cut of an endless line, at least.
const OVERLAP: usize = 4 * 1024;
/// An open segment is looked at again with every line up to this size, then with every quarter that it grows.
const EVERY_LINE_UP_TO: usize = 4 * 1024;
/// A line that ends with this much base64 is one of a wrapped text.
const WRAPPED_BASE64: usize = 60;

/// What is remembered from one segment to the next.
#[derive(Debug)]
pub(crate) struct Progress {
    first: bool,
    /// Inside a value longer than a segment: everything is dropped up to the line end.
    swallowing: bool,
    /// Bytes of the current segment in which no line end is left to be found.
    searched: usize,
    /// Byte after the last line end that did not end the segment.
    held: usize,
    /// A segment that stays open is looked at again only when it has grown to this.
    look_again: usize,
    spans: Vec<Span>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            first: true,
            swallowing: false,
            searched: 0,
            held: 0,
            look_again: 0,
            spans: Vec::new(),
        }
    }
}

impl Progress {
    /// Masks every segment of `text` that is complete, or all of it `at_end`; returns how much that was.
    pub fn advance(&mut self, engine: &Engine, text: &[u8], at_end: bool, out: &mut Vec<u8>) -> usize {
        let mut done = 0;
        while done < text.len() {
            let rest = &text[done..];
            let step = if self.swallowing {
                Some(self.swallow(rest))
            } else {
                self.segment(engine, rest, at_end, out)
            };
            let Some(step) = step else { break };
            done += step;
            (self.searched, self.held, self.look_again) = (0, 0, 0);
        }
        done
    }

    fn swallow(&mut self, rest: &[u8]) -> usize {
        let end = memchr::memchr(b'\n', rest);
        self.swallowing = end.is_none();
        end.unwrap_or(rest.len())
    }

    fn segment(&mut self, engine: &Engine, rest: &[u8], at_end: bool, out: &mut Vec<u8>) -> Option<usize> {
        let limit = rest.len().min(LONGEST);
        let mut spans = std::mem::take(&mut self.spans);
        let end = loop {
            let end = match self.line_end(&rest[..limit]) {
                Some(end) => end,
                None if rest.len() >= LONGEST => break None,
                None if at_end => rest.len(),
                None => {
                    self.spans = spans;
                    return None;
                }
            };
            let last = at_end && end == rest.len();
            let open = engine.find(
                &rest[..end],
                Edges {
                    first: self.first,
                    last,
                },
                &mut spans,
            );
            if !open || last {
                break Some(end);
            }
            (self.held, self.searched) = (end, end);
            self.look_again = if end < EVERY_LINE_UP_TO { 0 } else { end + end / 4 };
        };
        let edges = |last| Edges {
            first: self.first,
            last,
        };
        let done = if let Some(end) = end {
            engine.write(&rest[..end], &mut spans, edges(at_end && end == rest.len()), out);
            end
        } else {
            let (cut, swallowing) = cut_endless(engine, &rest[..LONGEST], edges(false), &mut spans, out);
            self.swallowing = swallowing;
            cut
        };
        self.first = false;
        self.spans = spans;
        Some(done)
    }

    /// The next line end after `held` that ends the segment as far as the lines alone can tell.
    fn line_end(&mut self, text: &[u8]) -> Option<usize> {
        loop {
            let from = self.searched.max(self.held);
            let Some(end) = memchr::memchr(b'\n', &text[from.min(text.len())..]).map(|it| from + it + 1)
            else {
                self.searched = text.len();
                return None;
            };
            let line = &text[self.held..end];
            self.searched = end;
            if end >= self.look_again && !is_wrapped_base64(line) {
                return Some(end);
            }
            self.held = end;
        }
    }
}

fn is_wrapped_base64(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let is_base64 = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_');
    line.len() >= WRAPPED_BASE64 && line[line.len() - WRAPPED_BASE64..].iter().rev().all(is_base64)
}

/// Cuts a segment out of a line that has no end, at the last place that nothing covered reaches over. When one
/// value fills everything, it is covered and the rest of its line swallowed.
fn cut_endless(
    engine: &Engine,
    text: &[u8],
    edges: Edges,
    spans: &mut Vec<Span>,
    out: &mut Vec<u8>,
) -> (usize, bool) {
    engine.find(text, edges, spans);
    let overlap = OVERLAP.max(2 * engine.longest()).min(LONGEST / 2);
    let mut cut = text.len() - overlap;
    while let Some(over) = spans.iter().find(|it| it.context < cut && cut < it.end) {
        cut = over.context;
    }
    // Between two characters, not inside one.
    let cut = (0..=cut).rev().find(|it| text[*it] & 0xC0 != 0x80).unwrap_or(0);
    spans.retain(|it| it.end <= cut);
    engine.write(&text[..cut], spans, edges, out);
    if cut >= OVERLAP {
        return (cut, false);
    }
    out.extend_from_slice(STARS);
    (text.len(), true)
}

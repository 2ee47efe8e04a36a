//! The document as a stream of elements that begin and end, each under its path. What could make a small file
//! large in memory is refused: document types, entities, tokens and texts over their limit, deep nesting.

use std::io::{self, BufRead, Read};

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::statement::StatementError;

const NAMESPACE: &[u8] = b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
/// The versions that are read.
const VERSIONS: std::ops::RangeInclusive<u8> = 2..=8;
/// The largest tag, text or comment, in bytes.
const LARGEST_TOKEN: usize = 64 * 1024;
/// The longest text of one element, in bytes.
const LONGEST_TEXT: usize = 8 * 1024;
const DEEPEST: usize = 64;

/// What happens in the document.
#[derive(Debug)]
pub(super) enum Step {
    Start {
        path: String,
        line_no: u64,
    },
    /// The text of an element without children, and its attribute `Ccy`.
    End {
        path: String,
        text: Result<String, String>,
        currency: Option<String>,
    },
}

/// An element that is open.
#[derive(Debug, Default)]
struct Level {
    /// How long the path was before it.
    path: usize,
    text: Vec<u8>,
    /// Why the text cannot be used.
    fault: Option<String>,
    currency: Option<String>,
}

/// Reads steps.
#[derive(Debug)]
pub(super) struct Xml<R> {
    reader: NsReader<Guarded<R>>,
    token: Vec<u8>,
    path: String,
    open: Vec<Level>,
    namespace: Option<Vec<u8>>,
    /// An element without content begins and ends at once.
    pending: Option<Step>,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(input: R) -> Self {
        let mut reader = NsReader::from_reader(Guarded::new(input));
        reader.config_mut().check_end_names = true;
        Self {
            reader,
            token: Vec::new(),
            path: String::new(),
            open: Vec::new(),
            namespace: None,
            pending: None,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Step>, StatementError> {
        if let Some(step) = self.pending.take() {
            return Ok(Some(step));
        }
        loop {
            let line_no = self.reader.get_ref().lines + 1;
            self.reader.get_mut().since = 0;
            let mut token = std::mem::take(&mut self.token);
            token.clear();
            let step = match self.reader.read_resolved_event_into(&mut token) {
                Ok((space, event)) => {
                    let foreign = match space {
                        ResolveResult::Bound(it) => Some(it.0.to_vec()),
                        _ => None,
                    };
                    let event = event.into_owned();
                    self.take(foreign, event, line_no)
                }
                Err(error) => Err(self.failed(error, line_no)),
            };
            self.token = token;
            match step? {
                Taken::Nothing => {}
                Taken::Step(step) => return Ok(Some(step)),
                Taken::End => return Ok(None),
            }
        }
    }

    fn take(
        &mut self,
        space: Option<Vec<u8>>,
        event: Event<'static>,
        line_no: u64,
    ) -> Result<Taken, StatementError> {
        let refused = |reason: &str| refused(line_no, reason);
        match event {
            Event::Start(tag) => self.start(space, &tag, line_no),
            Event::Empty(tag) => {
                let begun = self.start(space, &tag, line_no)?;
                self.pending = Some(self.end(line_no)?);
                Ok(begun)
            }
            Event::End(_) => self.end(line_no).map(Taken::Step),
            Event::Text(text) => {
                let text = text.decode().map(std::borrow::Cow::into_owned);
                self.text(
                    text.map_err(|_| "the text is not in the encoding of the document"),
                    line_no,
                )
            }
            Event::CData(text) => {
                let text = text.decode().map(std::borrow::Cow::into_owned);
                self.text(
                    text.map_err(|_| "the text is not in the encoding of the document"),
                    line_no,
                )
            }
            Event::GeneralRef(entity) => {
                let text = resolve(&entity).ok_or_else(|| {
                    refused("an entity other than the five of XML; document types are not read")
                })?;
                self.text(Ok(text), line_no)
            }
            Event::DocType(_) => Err(refused("a document type (DTD); it is not read")),
            Event::Eof => self.eof(line_no),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(Taken::Nothing),
        }
    }

    fn start(
        &mut self,
        space: Option<Vec<u8>>,
        tag: &BytesStart<'_>,
        line_no: u64,
    ) -> Result<Taken, StatementError> {
        if self.open.len() >= DEEPEST {
            return Err(refused(
                line_no,
                &format!("elements are nested deeper than {DEEPEST}"),
            ));
        }
        let name = tag.local_name();
        if self.open.is_empty() {
            if self.namespace.is_some() {
                return Err(refused(line_no, "a second document in the file"));
            }
            root(space.as_deref(), name.as_ref(), line_no)?;
            self.namespace.clone_from(&space);
        }
        let known = space.is_some() && space == self.namespace;
        let level = Level {
            path: self.path.len(),
            currency: currency(tag),
            ..Level::default()
        };
        if !self.path.is_empty() {
            self.path.push('/');
        }
        // What belongs to another namespace is under no path that is looked at.
        match std::str::from_utf8(name.as_ref()) {
            Ok(name) if known => self.path.push_str(name),
            _ => self.path.push('?'),
        }
        self.open.push(level);
        Ok(Taken::Step(Step::Start {
            path: self.path.clone(),
            line_no,
        }))
    }

    fn end(&mut self, line_no: u64) -> Result<Step, StatementError> {
        let level = self
            .open
            .pop()
            .ok_or_else(|| refused(line_no, "an element ends that never began"))?;
        let path = self.path.clone();
        self.path.truncate(level.path);
        let text = match level.fault {
            Some(fault) => Err(fault),
            None => Ok(String::from_utf8_lossy(&level.text).trim().to_owned()),
        };
        Ok(Step::End {
            path,
            text,
            currency: level.currency,
        })
    }

    fn text(&mut self, text: Result<String, &str>, line_no: u64) -> Result<Taken, StatementError> {
        match (self.open.last_mut(), text) {
            (None, Ok(text)) if text.trim().is_empty() => {}
            (None, _) => return Err(refused(line_no, "text outside of the document")),
            (Some(level), Err(reason)) => level.fault = Some(reason.to_owned()),
            (Some(level), Ok(text)) => {
                if level.text.len() + text.len() > LONGEST_TEXT {
                    level.text = Vec::new();
                    level.fault = Some(format!("the text is longer than {LONGEST_TEXT} bytes"));
                } else if level.fault.is_none() {
                    level.text.extend_from_slice(text.as_bytes());
                }
            }
        }
        Ok(Taken::Nothing)
    }

    fn eof(&self, line_no: u64) -> Result<Taken, StatementError> {
        if !self.open.is_empty() {
            return Err(StatementError::Truncated {
                line_no,
                inside: self.path.clone(),
            });
        }
        if self.namespace.is_none() {
            return Err(StatementError::Empty {
                expected: "a camt.053 document".to_owned(),
            });
        }
        Ok(Taken::End)
    }

    fn failed(&self, error: quick_xml::Error, line_no: u64) -> StatementError {
        match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => refused(
                line_no,
                &format!("a tag or text is longer than {LARGEST_TOKEN} bytes"),
            ),
            quick_xml::Error::Io(error) => StatementError::Io {
                line_no,
                source: io::Error::new(error.kind(), error.to_string()),
            },
            quick_xml::Error::Syntax(_) | quick_xml::Error::IllFormed(_) if self.reader.get_ref().ended => {
                StatementError::Truncated {
                    line_no,
                    inside: self.path.clone(),
                }
            }
            error => refused(line_no, &format!("not well-formed XML: {error}")),
        }
    }
}

/// What one event came to.
enum Taken {
    Nothing,
    Step(Step),
    End,
}

fn refused(line_no: u64, reason: &str) -> StatementError {
    StatementError::NotOfFormat {
        format: "camt053",
        reason: format!("line {line_no}: {reason}"),
    }
}

fn root(space: Option<&[u8]>, name: &[u8], line_no: u64) -> Result<(), StatementError> {
    let space = space.unwrap_or_default();
    let version = space
        .strip_prefix(NAMESPACE)
        .and_then(|it| std::str::from_utf8(it).ok())
        .and_then(|it| it.parse::<u8>().ok());
    match version {
        Some(version) if VERSIONS.contains(&version) && name == b"Document" => Ok(()),
        Some(version) if name == b"Document" => Err(refused(
            line_no,
            &format!("version {version} of camt.053; versions 2 to 8 are read"),
        )),
        _ => {
            let space: String = String::from_utf8_lossy(space).chars().take(80).collect();
            let name: String = String::from_utf8_lossy(name).chars().take(40).collect();
            let reason = format!("the document is '{name}' of '{space}', not Document of camt.053");
            Err(refused(line_no, &reason))
        }
    }
}

fn currency(tag: &BytesStart<'_>) -> Option<String> {
    let ccy = tag.try_get_attribute("Ccy").ok().flatten()?;
    let value = std::str::from_utf8(&ccy.value).ok()?;
    Some(value.trim().chars().take(16).collect())
}

fn resolve(entity: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return Some(character.to_string());
    }
    resolve_predefined_entity(&entity.decode().ok()?).map(str::to_owned)
}

/// Counts lines, and stops a token that would not fit.
#[derive(Debug)]
struct Guarded<R> {
    input: R,
    lines: u64,
    /// Bytes of the token that is being read.
    since: usize,
    ended: bool,
}

impl<R: BufRead> Guarded<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            lines: 0,
            since: 0,
            ended: false,
        }
    }
}

impl<R: BufRead> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block = self.fill_buf()?;
        let taken = block.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&block[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Guarded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > LARGEST_TOKEN {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let block = self.input.fill_buf()?;
        self.ended |= block.is_empty();
        // A block may be large; a token is not let through it in one piece.
        Ok(&block[..block.len().min(LARGEST_TOKEN)])
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(block) = self.input.fill_buf() {
            let taken = &block[..amount.min(block.len())];
            self.lines += memchr::memchr_iter(b'\n', taken).count() as u64;
        }
        self.since = self.since.saturating_add(amount);
        self.input.consume(amount);
    }
}

//! Private keys in PEM: over many lines, or on one line with escaped line ends.

use crate::span::Span;
use memchr::memmem;

const BEGIN: &[u8] = b"-----BEGIN ";
const PRIVATE: &[u8] = b"PRIVATE KEY";
const DASHES: &[u8] = b"-----";
/// Sixteen kilobytes hold an RSA key of 32768 bits and an OpenPGP block.
const LONGEST_KEY: usize = 16 * 1024;
const END: &[u8] = b"-----END ";

/// Covers the body of the private key that begins at `start`. Certificates and public keys stay. True when the
/// text ends inside the key, so that the next line belongs to it.
pub(crate) fn find(text: &[u8], start: usize, spans: &mut Vec<Span>) -> bool {
    let Some(body) = body_start(text, start) else {
        return false;
    };
    let rest = &text[body..];
    let (length, open) = match memmem::find(&rest[..rest.len().min(LONGEST_KEY)], END) {
        Some(end) => (end, false),
        None => (open_body(rest), open_body(rest) == rest.len()),
    };
    if !rest[..length].trim_ascii().is_empty() {
        spans.push(Span::stars(start, body, body + length));
    }
    open
}

fn body_start(text: &[u8], start: usize) -> Option<usize> {
    let label = start + BEGIN.len();
    let line = &text[label.min(text.len())..text.len().min(label + 64)];
    let close = memmem::find(line, DASHES)?;
    memmem::find(&line[..close], PRIVATE).map(|_| label + close + DASHES.len())
}

/// How much of an unfinished block is still key material: lines of base64, PEM headers, empty lines.
fn open_body(rest: &[u8]) -> usize {
    let mut length = 0;
    for line in rest.split_inclusive(|it| *it == b'\n') {
        let first = length == 0;
        let word = line
            .trim_ascii()
            .rsplit(|it| matches!(it, b' ' | b'|'))
            .next()
            .unwrap_or_default();
        let base64 = word
            .iter()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'=' | b'\\'));
        let header = [&b"Proc-Type:"[..], b"DEK-Info:", b"Version:", b"Comment:"]
            .iter()
            .any(|it| memmem::find(line, it).is_some());
        let key_line = base64
            && (word.is_empty()
                || word.len() >= 32
                || (!first && word.len().is_multiple_of(4) && line.trim_ascii().len() == word.len()));
        if !(key_line || header || (first && word.len() >= 16)) {
            break;
        }
        length += line.len();
    }
    length
}

//! Lists and objects whose name says that what they hold is secret: `"passwords": […]`, `"credentials": {…}`.

use super::value::{Quote, any};
use crate::span::Span;

/// Fields of a credentials object that are not secret.
const HARMLESS: &[&[u8]] = &[
    b"user",
    b"username",
    b"login",
    b"email",
    b"name",
    b"type",
    b"host",
    b"port",
    b"id",
    b"kind",
    b"provider",
    b"region",
    b"scheme",
    b"expires",
    b"expires_at",
    b"expires_in",
];

/// Every string of `["a", "b"]`.
pub(crate) fn list(text: &[u8], context: usize, open: usize, spans: &mut Vec<Span>) {
    let mut at = open + 1;
    while at < text.len() && text[at] != b']' {
        let Some((quote, length)) = Quote::at(text, at) else {
            at += 1;
            continue;
        };
        let end = quote.end(text, at + length);
        if end > at + length {
            spans.push(Span::stars(context, at + length, end));
        }
        at = end + length;
    }
}

/// Every string value of a credentials object whose own name is not harmless.
pub(crate) fn object(text: &[u8], context: usize, open: usize, spans: &mut Vec<Span>) {
    let mut at = open + 1;
    let mut name: Option<(usize, usize)> = None;
    while at < text.len() && text[at] != b'}' {
        let Some((quote, length)) = Quote::at(text, at) else {
            name = name.filter(|_| text[at] != b',');
            at += 1;
            continue;
        };
        let (from, end) = (at + length, quote.end(text, at + length));
        match name.take() {
            None => name = Some((from, end)),
            Some((start, stop)) if !any(HARMLESS, &text[start..stop]) && end > from => {
                spans.push(Span::stars(context, from, end));
            }
            Some(_) => {}
        }
        at = end + length;
    }
}

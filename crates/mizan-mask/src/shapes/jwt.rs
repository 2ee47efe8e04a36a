//! JSON Web Tokens: `eyJ…` and at least one more part.

use crate::span::Span;

/// Parts shorter than this are words with dots between them.
const SHORTEST_PART: usize = 8;

/// The token whose `eyJ` is at `hit`.
pub(crate) fn at(text: &[u8], hit: usize) -> Option<Span> {
    if !text[hit..].starts_with(b"eyJ") || (hit > 0 && text[hit - 1].is_ascii_alphanumeric()) {
        return None;
    }
    let is_part = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
    if text[hit..]
        .iter()
        .take(SHORTEST_PART)
        .take_while(|it| is_part(it))
        .count()
        < SHORTEST_PART
    {
        return None;
    }
    let length = text[hit..]
        .iter()
        .take_while(|it| is_part(it) || **it == b'.')
        .count();
    let token = &text[hit..hit + length];
    // The full stop of a sentence is no part of a complete token.
    let complete = token.split(|it| *it == b'.').count() > 3;
    let token = token.strip_suffix(b".").filter(|_| complete).unwrap_or(token);
    let mut parts = token.split(|it| *it == b'.');
    let body = parts.nth(1).is_some_and(|it| it.len() >= SHORTEST_PART);
    body.then_some(Span::stars(hit, hit, hit + token.len()))
}

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
    let length = text[hit..].iter().take_while(|it| is_part(it) || **it == b'.').count();
    let token = &text[hit..hit + length];
    let token = token.strip_suffix(b".").filter(|it| it.iter().filter(|it| **it == b'.').count() >= 2).unwrap_or(token);
    let mut parts = token.split(|it| *it == b'.');
    let header = parts.next().is_some_and(|it| it.len() >= SHORTEST_PART);
    let body = parts.any(|it| it.len() >= SHORTEST_PART);
    (header && body).then_some(Span::stars(hit, hit, hit + token.len()))
}

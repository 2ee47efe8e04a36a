//! `Authorization`, `Proxy-Authorization`, `Cookie` and `Set-Cookie`, and a bare `Bearer …`.

use super::field::name_around;
use super::value::{Bare, Quote, bare_end};
use crate::span::Span;

/// First words of an authorization that say how, not what.
const SCHEMES: &[&[u8]] = &[
    b"bearer",
    b"basic",
    b"digest",
    b"token",
    b"negotiate",
    b"ntlm",
    b"apikey",
    b"hmac",
    b"signature",
    b"key",
    b"hawk",
    b"aws4-hmac-sha256",
    b"dpop",
];
const COOKIE_ATTRIBUTES: &[&[u8]] = &[
    b"path",
    b"domain",
    b"expires",
    b"max-age",
    b"samesite",
    b"priority",
    b"version",
];

/// Covers the credentials of the authorization header whose name contains `hit`; the scheme stays.
pub(crate) fn authorization(text: &[u8], hit: usize, spans: &mut Vec<Span>) {
    let (start, end) = name_around(text, hit);
    if !ends_with(&text[start..end], b"authorization") {
        return;
    }
    let Some((from, end)) = content(text, start, end) else {
        return;
    };
    let scheme = text[from..end]
        .iter()
        .position(|it| matches!(it, b' ' | b'\t'))
        .unwrap_or(0);
    let named = SCHEMES
        .iter()
        .any(|it| it.eq_ignore_ascii_case(&text[from..from + scheme]));
    let secret = if named { from + scheme + 1 } else { from };
    let secret = secret + text[secret..end].iter().take_while(|it| **it == b' ').count();
    let empty = text[secret..end].is_empty()
        || SCHEMES
            .iter()
            .any(|it| it.eq_ignore_ascii_case(&text[secret..end]));
    if !empty {
        spans.push(Span::stars(start, secret, end));
    }
}

/// Covers every cookie value; the names and the attributes of `Set-Cookie` stay.
pub(crate) fn cookie(text: &[u8], hit: usize, spans: &mut Vec<Span>) {
    let (start, end) = name_around(text, hit);
    let name = &text[start..end];
    let option = name == b"--cookie";
    if !(option
        || name.eq_ignore_ascii_case(b"cookie")
        || ends_with(name, b"set-cookie")
        || ends_with(name, b"set_cookie"))
    {
        return;
    }
    let content = if option {
        option_value(text, end)
    } else {
        content(text, start, end)
    };
    let Some((from, end)) = content else { return };
    let mut at = from;
    for pair in text[from..end].split(|it| *it == b';') {
        let name = pair.iter().position(|it| *it == b'=').unwrap_or(pair.len());
        let attribute = COOKIE_ATTRIBUTES
            .iter()
            .any(|it| it.eq_ignore_ascii_case(pair[..name].trim_ascii()));
        let value = pair.get(name + 1..).unwrap_or_default().trim_ascii_end();
        if !attribute && !value.is_empty() {
            spans.push(Span::stars(start, at + name + 1, at + name + 1 + value.len()));
        }
        at += pair.len() + 1;
    }
}

/// Covers what follows `Bearer ` or `Basic ` outside a header. A plain word is prose; what a known header
/// already covers is covered twice, which does no harm.
pub(crate) fn bare_scheme(text: &[u8], start: usize, from: usize, spans: &mut Vec<Span>) {
    if start > 0 && text[start - 1].is_ascii_alphanumeric() {
        return;
    }
    let is_token =
        |it: &&u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
    let token = &text[from..from + text[from..].iter().take_while(is_token).count()];
    let prose = token
        .iter()
        .all(|it| it.is_ascii_lowercase() || matches!(it, b'.' | b'-' | b'='));
    if token.len() >= 8 && !prose && (token.len() >= 16 || token.iter().any(u8::is_ascii_digit)) {
        spans.push(Span::stars(start, from, from + token.len()));
    }
}

/// The content of a header in whatever quoting it stands: a header line, `-H '…'`, a JSON or Python pair.
fn content(text: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let mut at = end;
    let closing = Quote::at(text, at);
    at += closing.map_or(0, |(_, length)| length);
    at += blanks(text, at);
    let separator =
        matches!(text.get(at), Some(b':' | b'=')) || (closing.is_some() && text.get(at) == Some(&b','));
    if !separator || text.get(at + 1) == Some(&b':') {
        return None;
    }
    at += 1 + usize::from(text.get(at + 1) == Some(&b'>'));
    at += blanks(text, at);
    at += usize::from(matches!(text.get(at), Some(b'b' | b'u')) && Quote::at(text, at + 1).is_some());
    if let Some((quote, open)) = Quote::at(text, at) {
        let empty = closing.is_none() && quote.ends_what_is_around(text, start, at, open);
        return (!empty).then(|| (at + open, quote.end(text, at + open)));
    }
    if closing.is_some() {
        return Some((at, bare_end(text, at, Bare::Inline)));
    }
    let line = at + memchr::memchr2(b'\n', b'\r', &text[at..]).unwrap_or(text.len() - at);
    let outer = start.checked_sub(1).and_then(|before| match text[before] {
        mark @ (b'"' | b'\'' | b'`') => {
            let backslashes = text[..before].iter().rev().take_while(|it| **it == b'\\').count();
            Some(Quote::Char { mark, backslashes })
        }
        _ => None,
    });
    let end = outer.map_or(line, |quote| quote.end(&text[..line], at));
    // A header quoted in the middle of a JSON string goes no further than its escaped line end or quotation mark.
    let escape = |it: &[u8]| it[0] == b'\\' && matches!(it[1], b'n' | b'r' | b'"');
    let end = at + text[at..end].windows(2).position(escape).unwrap_or(end - at);
    Some((at, at + text[at..end].trim_ascii_end().len()))
}

fn option_value(text: &[u8], end: usize) -> Option<(usize, usize)> {
    let at = end + usize::from(matches!(text.get(end), Some(b' ' | b'=')));
    let (quote, open) = Quote::at(text, at)?;
    Some((at + open, quote.end(text, at + open)))
}

fn blanks(text: &[u8], at: usize) -> usize {
    text[at.min(text.len())..]
        .iter()
        .take_while(|it| matches!(it, b' ' | b'\t'))
        .count()
}

fn ends_with(name: &[u8], ending: &[u8]) -> bool {
    name.len() >= ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending)
}

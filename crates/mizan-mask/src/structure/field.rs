//! Fields whose name says that the value is secret: JSON, forms, settings, conninfo, XML, options.

use super::collection;
use super::field_name::{Promise, promise};
use super::value::{Bare, Quote, any, bare_end};
use crate::span::{Cover, Span};

/// Values that hide nothing.
const EMPTY: &[&[u8]] = &[
    b"null",
    b"none",
    b"nil",
    b"true",
    b"false",
    b"undefined",
    b"\"\"",
    b"''",
];
/// What prose says after `token:`; a password that is one of these is no secret either.
const PROSE: &[&[u8]] = &[
    b"expired",
    b"invalid",
    b"missing",
    b"required",
    b"not",
    b"unset",
    b"empty",
    b"set",
    b"unknown",
    b"no",
    b"ok",
    b"failed",
    b"denied",
    b"is",
    b"was",
    b"must",
    b"cannot",
    b"could",
];
/// Names are not longer than twice this; a longer run of letters is data.
const HALF_A_NAME: usize = 64;

/// Where the name around `hit` starts and ends.
pub(crate) fn name_around(text: &[u8], hit: usize) -> (usize, usize) {
    let is_name = |it: &&u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.');
    let start = hit
        - text[..hit]
            .iter()
            .rev()
            .take(HALF_A_NAME)
            .take_while(is_name)
            .count();
    (
        start,
        hit + text[hit..].iter().take(HALF_A_NAME).take_while(is_name).count(),
    )
}

/// Covers the value of the field whose name contains `hit`, if that name promises a secret. True when the text
/// ends before the value of a JSON name, so that the next line may hold it.
pub(crate) fn find(text: &[u8], hit: usize, spans: &mut Vec<Span>) -> bool {
    let (start, end) = name_around(text, hit);
    if text[..start].ends_with(b"://") {
        return false; // the user of an address, not a name
    }
    let Some(value) = after_name(text, start, end) else {
        return false;
    };
    match promise(&text[start..end]) {
        Promise::Nothing => {}
        Promise::Credentials if text.get(value.at) == Some(&b'{') => {
            collection::object(text, start, value.at, spans);
        }
        Promise::Pass if is_result(text, &value) => {}
        Promise::Secret | Promise::Credentials | Promise::Pass => cover(text, start, &value, spans),
    }
    value.quoted_name && value.at >= text.len() && promise(&text[start..end]) != Promise::Nothing
}

/// `pass: 12` and `PASS: name of a test` are results; `"pass":"x"` and `pass=x9` are secrets.
fn is_result(text: &[u8], value: &Value) -> bool {
    let bare = &text[value.at..bare_end(text, value.at, Bare::Inline)];
    !value.quoted_name && (value.separator == b':' || bare.iter().all(u8::is_ascii_digit))
}

/// `?code=…` of an OAuth redirect. Short numbers are status codes.
pub(crate) fn find_code(text: &[u8], from: usize, spans: &mut Vec<Span>) {
    let end = bare_end(text, from, Bare::Inline);
    let status = end - from < 6 && text[from..end].iter().all(u8::is_ascii_digit);
    if !status {
        spans.push(Span::stars(from, from, end));
    }
}

/// `curl -u user:secret`: `from` is the first byte of the option's value.
pub(crate) fn find_user(text: &[u8], from: usize, spans: &mut Vec<Span>) {
    let (from, end) = shell_word(text, from);
    if let Some(colon) = text[from..end]
        .iter()
        .position(|it| *it == b':')
        .filter(|it| from + it + 1 < end)
    {
        spans.push(Span::stars(from, from + colon + 1, end));
    }
}

struct Value {
    at: usize,
    separator: u8,
    quoted_name: bool,
    style: Bare,
}

/// Finds the value that belongs to the name at `start..end`.
fn after_name(text: &[u8], start: usize, end: usize) -> Option<Value> {
    let mut at = end;
    let is_option = text[start..].starts_with(b"-");
    if text.get(at) == Some(&b']') {
        at += 1;
    }
    let closing = Quote::at(text, at);
    if let Some((_, length)) = closing {
        at += length;
    }
    let quoted_name = closing.is_some();
    let element =
        !quoted_name && text.get(at) == Some(&b'>') && start > 0 && matches!(text[start - 1], b'<' | b':');
    if element {
        return Some(Value {
            at: at + 1,
            separator: b'>',
            quoted_name,
            style: Bare::Within(b'<'),
        });
    }
    let gap = skip_blanks(text, at);
    let separator = *text.get(gap)?;
    let style = match style(text, start) {
        Bare::Within(_) if separator == b'=' => Bare::Inline,
        style => style,
    };
    let value = match separator {
        b'=' | b':' => after_separator(text, gap)?,
        // `["--token", "value"]` and `(b'authorization', b'value')`
        b',' if quoted_name => quoted_at(text, skip_blanks(text, gap + 1))?,
        b'\'' if gap > at => gap, // ALTER USER app PASSWORD 'value'
        b'-' => return None,
        _ if is_option && gap > at => {
            return Some(Value {
                at: gap,
                separator: b' ',
                quoted_name,
                style: Bare::Inline,
            });
        }
        _ => return None,
    };
    let value = if quoted_name {
        skip_lines(text, value)
    } else {
        value
    };
    Some(Value {
        at: value,
        separator,
        quoted_name,
        style,
    })
}

/// After `=`, `:`, `=>`, `:=` and blanks; `==` and `::` are no separators.
fn after_separator(text: &[u8], at: usize) -> Option<usize> {
    let length = match (text[at], text.get(at + 1)) {
        (b'=', Some(b'=')) | (b':', Some(b':')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => 2,
        _ => 1,
    };
    Some(skip_blanks(text, at + length))
}

fn quoted_at(text: &[u8], at: usize) -> Option<usize> {
    let prefixed = at + usize::from(matches!(text.get(at), Some(b'b' | b'u' | b'r' | b'f')));
    Quote::at(text, prefixed).is_some().then_some(at)
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    at + text[at.min(text.len())..]
        .iter()
        .take_while(|it| matches!(it, b' ' | b'\t'))
        .count()
}

fn skip_lines(text: &[u8], at: usize) -> usize {
    at + text[at..]
        .iter()
        .take_while(|it| it.is_ascii_whitespace())
        .count()
}

/// What stands before the name tells how far a bare value may reach.
fn style(text: &[u8], start: usize) -> Bare {
    let near = start.saturating_sub(HALF_A_NAME);
    let line = text[near..start]
        .iter()
        .rposition(|it| *it == b'\n')
        .map_or(near, |it| near + it + 1);
    let before = &text[line..start];
    let prompt = before.strip_suffix(b"export ").unwrap_or(before);
    if prompt
        .iter()
        .all(|it| matches!(it, b' ' | b'\t' | b'<' | b'>' | b'*' | b'$' | b'-'))
    {
        return Bare::Line;
    }
    match before.last() {
        Some(mark @ (b'"' | b'\'')) => Bare::Within(*mark),
        _ => Bare::Inline,
    }
}

fn cover(text: &[u8], context: usize, value: &Value, spans: &mut Vec<Span>) {
    let at = unwrap(text, value.at);
    if let Some((quote, open)) = Quote::at(text, at) {
        let from = at + open;
        if !value.quoted_name && quote.ends_what_is_around(text, context, at, open) {
            return;
        }
        let end = quote.end(text, from);
        if end > from {
            spans.push(Span::stars(context, from, end));
        }
        return;
    }
    match text.get(at) {
        None | Some(b'\n' | b'\r') => return,
        Some(b'{') if value.quoted_name => return,
        Some(b'[') if value.quoted_name => return collection::list(text, context, at, spans),
        _ => {}
    }
    let style = if value.quoted_name {
        Bare::Inline
    } else {
        value.style
    };
    let end = bare_end(text, at, style);
    let bare = &text[at..end];
    let prose =
        value.separator == b':' && any(PROSE, bare.split(|it| *it == b' ').next().unwrap_or_default());
    if bare.is_empty() || any(EMPTY, bare) || prose || (value.separator == b' ' && bare[0] == b'-') {
        return;
    }
    let json = value.quoted_name
        && text[value.at - 1..].first() != Some(&b'\\')
        && bare.iter().all(u8::is_ascii_digit);
    let cover = if json { Cover::QuotedStars } else { Cover::Stars };
    spans.push(Span {
        context,
        start: at,
        end,
        cover,
    });
}

/// Steps over `Some(`, `SecretStr(`, and the `b` of `b'…'`, when a quotation mark follows.
fn unwrap(text: &[u8], at: usize) -> usize {
    let name = text[at.min(text.len())..]
        .iter()
        .take(25)
        .take_while(|it| it.is_ascii_alphanumeric() || **it == b'_')
        .count();
    let inner = at + name + usize::from(text.get(at + name) == Some(&b'('));
    let wraps = name > 0 && (inner > at + name || name == 1);
    if wraps && Quote::at(text, inner).is_some() {
        inner
    } else {
        at
    }
}

/// One word of a command line, without its quotes.
fn shell_word(text: &[u8], at: usize) -> (usize, usize) {
    match Quote::at(text, at) {
        Some((quote, open)) => (at + open, quote.end(text, at + open)),
        None => (at, bare_end(text, at, Bare::Inline)),
    }
}

//! Where the value of a field ends: quoted at any depth of escaping, or bare.

/// A quotation mark as it stands in the text: `"`, `\"` inside a JSON string, `\\\"` inside that, or `&quot;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    Char { mark: u8, backslashes: usize },
    Entity(&'static [u8]),
}

const ENTITIES: [&[u8]; 5] = [b"&quot;", b"&#34;", b"&#39;", b"&#x27;", b"&apos;"];

impl Quote {
    /// The quotation mark at `at`, and its length.
    pub fn at(text: &[u8], at: usize) -> Option<(Self, usize)> {
        let rest = text.get(at..)?;
        if let Some(entity) = ENTITIES.iter().find(|it| rest.starts_with(it)) {
            return Some((Self::Entity(entity), entity.len()));
        }
        let backslashes = rest.iter().take(16).take_while(|it| **it == b'\\').count();
        let mark = *rest.get(backslashes)?;
        let quote = matches!(mark, b'"' | b'\'' | b'`');
        quote.then_some((Self::Char { mark, backslashes }, backslashes + 1))
    }

    /// Where the text quoted from `from` on ends: at its closing mark, or at the mark of a quotation around
    /// it, or at the end of the text when it is cut off.
    pub fn end(self, text: &[u8], from: usize) -> usize {
        let (mark, backslashes) = match self {
            Self::Entity(entity) => {
                let found = text[from..].windows(entity.len()).position(|it| it == entity);
                return found.map_or(text.len(), |it| from + it);
            }
            Self::Char { mark, backslashes } => (mark, backslashes),
        };
        let mut at = from;
        while let Some(found) = memchr::memchr(mark, &text[at..]) {
            let hit = at + found;
            let run = text[from..hit]
                .iter()
                .rev()
                .take_while(|it| **it == b'\\')
                .count();
            if run < backslashes || (run - backslashes).is_multiple_of(2 * (backslashes + 1)) {
                return hit - run.min(backslashes);
            }
            at = hit + 1;
        }
        text.len()
    }
}

/// How far back the beginning of a quotation is looked for.
const NEAR: usize = 4096;

impl Quote {
    /// Whether this mark, `length` bytes at `at`, ends a quotation that began before the name at `start`, so that the
    /// value is empty: `["API_KEY=", "next"]`. Taken for a beginning, it would cover what stands between two strings.
    pub fn ends_what_is_around(self, text: &[u8], start: usize, at: usize, length: usize) -> bool {
        let Self::Char { mark, backslashes } = self else {
            return false;
        };
        let after = text[at + length..].iter().find(|it| !matches!(it, b' ' | b'\t'));
        if !matches!(
            after,
            None | Some(b',' | b']' | b'}' | b')' | b':' | b'\n' | b'\r' | b'\\')
        ) {
            return false;
        }
        let near = &text[start.saturating_sub(NEAR)..start];
        let mut end = near.len();
        while let Some(hit) = memchr::memrchr(mark, &near[..end]) {
            let run = near[..hit].iter().rev().take_while(|it| **it == b'\\').count();
            if run == backslashes {
                let before = near[..hit - run].trim_ascii_end().last();
                let line = near[..hit - run]
                    .iter()
                    .rev()
                    .find(|it| !matches!(it, b' ' | b'\t'));
                return line == Some(&b'\n')
                    || matches!(before, None | Some(b'[' | b'{' | b'(' | b',' | b':' | b'='));
            }
            end = hit;
        }
        false
    }
}

/// How a bare value stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// The only thing on its line: `X-API-Key: value`, `DB_PASSWORD=value`.
    Line,
    /// One of several things: `a=1 password=value, b=2`, `?token=value&page=2`.
    Inline,
    /// Inside a quotation that began before its name: `-H 'X-API-Key: value'`.
    Within(u8),
}

/// Where a bare value ends.
pub(crate) fn bare_end(text: &[u8], from: usize, style: Bare) -> usize {
    let rest = &text[from..];
    from + match style {
        Bare::Inline => inline_length(rest),
        Bare::Within(mark) => memchr::memchr3(mark, b'\n', b'\r', rest).unwrap_or(rest.len()),
        Bare::Line => {
            let line = &rest[..memchr::memchr3(b'\n', b'\r', 0, rest).unwrap_or(rest.len())];
            if more_fields(line) {
                inline_length(line)
            } else {
                line.trim_ascii_end().len()
            }
        }
    }
}

fn inline_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while at < rest.len() {
        let next = &rest[at + 1..];
        let stops = match rest[at] {
            0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            b'\\' => matches!(next.first(), Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\')),
            b'&' => {
                next.is_empty()
                    || next.starts_with(b"amp;")
                    || ENTITIES.iter().any(|it| rest[at..].starts_with(it))
                    || names_a_field(next)
            }
            b',' | b';' => ends_a_word(next) || names_a_field(next),
            b')' | b']' | b'}' => ends_a_word(next),
            _ => false,
        };
        if stops {
            break;
        }
        at += 1;
    }
    at
}

/// White space, the end, or closing punctuation.
fn ends_a_word(next: &[u8]) -> bool {
    next.first().is_none_or(|it| {
        matches!(
            it,
            0..=b' ' | b')' | b']' | b'}' | b',' | b';' | b'"' | b'\'' | b'`' | b'.' | b'\\' | b'<' | b'&'
        )
    })
}

/// `name=`, `name:`, `"name":`.
fn names_a_field(next: &[u8]) -> bool {
    let next = next.trim_ascii_start();
    let next = next.strip_prefix(b"\"").unwrap_or(next);
    let name = next
        .iter()
        .take_while(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b'[' | b']' | b'%'))
        .count();
    let after = next[name..].strip_prefix(b"\"").unwrap_or(&next[name..]);
    name > 0 && matches!(after.trim_ascii_start().first(), Some(b'=' | b':'))
}

/// Whether a line goes on with other fields, options or a pipe after the first word.
fn more_fields(rest: &[u8]) -> bool {
    let mut words = rest
        .split(|it| matches!(it, b' ' | b'\t' | b',' | b';'))
        .filter(|it| !it.is_empty())
        .skip(1);
    words.any(|word| {
        let name = word
            .iter()
            .take_while(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b'"'))
            .count();
        word.starts_with(b"-") || word == b"|" || (name > 0 && matches!(word.get(name), Some(b'=' | b':')))
    })
}

/// Whether a word is in a list, whatever its letter case.
pub(crate) fn any(list: &[&[u8]], word: &[u8]) -> bool {
    list.iter().any(|it| it.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::{Bare, Quote, bare_end};

    #[test]
    fn a_quoted_value_ends_at_its_own_closing_mark() {
        let check = |text: &str, value: &str| {
            let (quote, open) = Quote::at(text.as_bytes(), 0).expect("opens with a quotation mark");
            assert_eq!(&text[open..quote.end(text.as_bytes(), open)], value, "{text}");
        };
        check(r#""abc","x""#, "abc");
        check(r#""a\"b\\","x""#, r#"a\"b\\"#);
        check(r#"\"abc\",\"x\""#, "abc");
        check(r#"\"a\\\"b\",\"x\""#, r#"a\\\"b"#);
        check(r#"\"cut","x""#, "cut");
        check("'sp ace' d", "sp ace");
        check("&quot;abc&quot;,", "abc");
        check("\"cut off", "cut off");
    }

    #[test]
    fn a_bare_value_ends_where_the_next_thing_begins() {
        let check = |text: &str, style, value: &str| {
            assert_eq!(&text[..bare_end(text.as_bytes(), 0, style)], value, "{text}");
        };
        check("a,b;c&d x=1", Bare::Inline, "a,b;c&d");
        check("abc, env=1", Bare::Inline, "abc");
        check("abc;Server=x", Bare::Inline, "abc");
        check("abc&page=2 HTTP", Bare::Inline, "abc");
        check("abc)", Bare::Inline, "abc");
        check("a)b", Bare::Inline, "a)b");
        check("abc def\r\nnext", Bare::Line, "abc def");
        check("abc psql -h db", Bare::Line, "abc");
        check("abc run_id=7", Bare::Line, "abc");
        check("a \"b\" c' -H x", Bare::Within(b'\''), "a \"b\" c");
    }
}

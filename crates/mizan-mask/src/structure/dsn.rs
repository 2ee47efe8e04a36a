//! Credentials in addresses of any scheme: `postgresql+asyncpg://user:secret@host:5432/db`.
//!
//! A strict URL parser gives up on, or misreads, the passwords that people really put into addresses (raw `@`,
//! `/`, `#`, a space). This one only asks where the secret can end, and takes the last possible place.

use crate::span::Span;

/// Schemes whose paths and ports are free text, so that an `@` there says nothing about credentials.
const WEB: &[&[u8]] = &[
    b"http", b"https", b"ws", b"wss", b"ftp", b"file", b"ssh", b"git", b"git+ssh", b"s3", b"npm",
];
/// How far past a space a raw password is looked for.
const SPACED_PASSWORD: usize = 64;
/// A user name this long with a digit in it, standing without a password, is a token.
const TOKEN_AS_USER: usize = 16;

/// The parts of one address inside a text, as byte positions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dsn {
    /// First byte of the scheme.
    pub scheme: usize,
    /// First byte after `://`.
    pub authority: usize,
    /// User and password, when there are any: `authority..at`, with the `@` at `at`.
    pub at: Option<usize>,
    /// First byte that does not belong to the address.
    pub end: usize,
}

/// Reads the address whose `://` (or `:\/\/`) is at `separator..authority`.
pub(crate) fn parse(text: &[u8], separator: usize, authority: usize) -> Option<Dsn> {
    let scheme = scheme_start(text, separator)?;
    let end = token_end(text, authority);
    let web = WEB
        .iter()
        .any(|it| it.eq_ignore_ascii_case(&text[scheme..separator]));
    Some(Dsn {
        scheme,
        authority,
        at: credentials_end(text, authority, end, web),
        end,
    })
}

/// Covers the password, and a token that stands as the user.
pub(crate) fn find(text: &[u8], separator: usize, authority: usize, spans: &mut Vec<Span>) {
    let Some(dsn) = parse(text, separator, authority) else {
        return;
    };
    let Some(at) = dsn.at else { return };
    let userinfo = &text[authority..at];
    let colon = userinfo.iter().position(|it| *it == b':');
    let (user, password) = match colon {
        Some(colon) => (&userinfo[..colon], &userinfo[colon + 1..]),
        None => (userinfo, &userinfo[userinfo.len()..]),
    };
    if !password.is_empty() {
        spans.push(Span::stars(dsn.scheme, at - password.len(), at));
    }
    let alone = password.is_empty() || password == b"x-oauth-basic" || password == crate::span::STARS;
    if alone && looks_like_token(user) {
        spans.push(Span::stars(dsn.scheme, authority, authority + user.len()));
    }
}

/// User, password and hosts of a whole text that is one address; used to learn them.
pub(crate) fn whole(text: &str) -> Option<Dsn> {
    let separator = text.find("://")?;
    let dsn = parse(text.as_bytes(), separator, separator + 3)?;
    (dsn.scheme == 0).then_some(dsn)
}

/// The hosts of an address, without ports and brackets.
pub(crate) fn hosts<'t>(text: &'t [u8], dsn: &Dsn) -> impl Iterator<Item = (usize, &'t [u8])> {
    let from = dsn.at.map_or(dsn.authority, |at| at + 1);
    let rest = &text[from..dsn.end.max(from)];
    let stop = rest
        .iter()
        .position(|it| matches!(it, b'/' | b'?' | b'#' | b'\\'))
        .unwrap_or(rest.len());
    let mut at = from;
    rest[..stop].split(|it| *it == b',').map(move |part| {
        let start = at;
        at += part.len() + 1;
        if part.first() == Some(&b'[') {
            let close = part.iter().position(|it| *it == b']').unwrap_or(part.len());
            return (start + 1, &part[1..close]);
        }
        (start, part.split(|it| *it == b':').next().unwrap_or_default())
    })
}

fn scheme_start(text: &[u8], separator: usize) -> Option<usize> {
    let is_scheme = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'.' | b'-');
    let length = text[..separator]
        .iter()
        .rev()
        .take(40)
        .take_while(|it| is_scheme(it))
        .count();
    let start = separator - length;
    let skip = text[start..separator].iter().position(u8::is_ascii_alphabetic)?;
    Some(start + skip)
}

/// An address ends at white space, a quote, an angle bracket, an escaped quote or line end, or where the next
/// address begins.
fn token_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() {
        match text[at] {
            0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' => break,
            b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\'' | b'n' | b'r' | b't' | b'\\')) => break,
            b':' if text[at..].starts_with(b"://") => {
                return scheme_start(text, at).map_or(at, |it| it.max(from));
            }
            _ => at += 1,
        }
    }
    at
}

/// The `@` that ends the credentials, if the address has any.
fn credentials_end(text: &[u8], authority: usize, end: usize, web: bool) -> Option<usize> {
    let token = &text[authority..end];
    let strict = token
        .iter()
        .position(|it| matches!(it, b'/' | b'?' | b'#'))
        .unwrap_or(token.len());
    let last_at = |part: &[u8]| part.iter().rposition(|it| *it == b'@');
    if let Some(at) = last_at(&token[..strict]) {
        if web {
            return Some(authority + at);
        }
        // `u:a@b/c@host`: the password goes on past what a URL parser calls the authority.
        let query = token.iter().position(|it| *it == b'?').unwrap_or(token.len());
        return Some(authority + last_at(&token[..query]).unwrap_or(at));
    }
    let colon = token[..strict].iter().position(|it| *it == b':')?;
    let after = &token[colon + 1..strict];
    if token.first() == Some(&b'[') || is_port(after) && (web || !token[strict..].contains(&b'@')) {
        return None;
    }
    if let Some(at) = last_at(token) {
        return Some(authority + at);
    }
    if web {
        return None;
    }
    spaced_password_end(text, end).or_else(|| unfinished(after).then_some(end))
}

/// `5432`, nothing, a variable, or the rest of a list of hosts.
fn is_port(after: &[u8]) -> bool {
    let first = after
        .split(|it| matches!(it, b',' | b')' | b']' | b'}' | b';' | b'.' | b':' | b'|'))
        .next();
    let first = first.unwrap_or_default();
    first.iter().all(u8::is_ascii_digit) || matches!(first[0], b'$' | b'{' | b'%' | b'*')
}

/// A password with a raw space: the `@` is then further on in the same line, before any other address.
fn spaced_password_end(text: &[u8], end: usize) -> Option<usize> {
    if text.get(end) != Some(&b' ') {
        return None;
    }
    let ahead = &text[end..text.len().min(end + SPACED_PASSWORD)];
    let stop = ahead
        .iter()
        .position(|it| matches!(it, b'\n' | b'\r' | b'"' | b'\''))
        .unwrap_or(ahead.len());
    let at = ahead[..stop].iter().position(|it| *it == b'@')?;
    let another = ahead[..at].windows(3).any(|it| it == b"://");
    (!another).then_some(end + at)
}

/// An address that was cut off inside its password; `***` may be the mark of an earlier masking.
fn unfinished(after: &[u8]) -> bool {
    !after.is_empty() && after != crate::span::STARS
}

fn looks_like_token(user: &[u8]) -> bool {
    user.len() >= TOKEN_AS_USER && user.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::span::{join, render};

    fn check(input: &str, expected: &str) {
        let mut spans = Vec::new();
        for (at, _) in input.match_indices("://") {
            find(input.as_bytes(), at, at + 3, &mut spans);
        }
        let mut out = Vec::new();
        join(&mut spans);
        render(input.as_bytes(), &spans, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn the_password_goes_and_everything_else_stays() {
        check(
            "postgresql+asyncpg://user:s3cret@host:5432/db",
            "postgresql+asyncpg://user:***@host:5432/db",
        );
        check("redis://:s3cret@host:6379/0", "redis://:***@host:6379/0");
        check(
            "rediss://default:s3@host:6379/0?ssl=true",
            "rediss://default:***@host:6379/0?ssl=true",
        );
        check(
            "amqp://guest:pw@mq:5672/%2F, mongodb+srv://r:x@c/a",
            "amqp://guest:***@mq:5672/%2F, mongodb+srv://r:***@c/a",
        );
        check("(see postgres://u:p@h/db)", "(see postgres://u:***@h/db)");
    }

    #[test]
    fn passwords_that_no_url_may_contain_go_whole() {
        check("postgresql://u:S@rt@P@db:5432/m", "postgresql://u:***@db:5432/m");
        check(
            "'postgres://svc:pa/ss#w?rd9@db.m:5432/m'",
            "'postgres://svc:***@db.m:5432/m'",
        );
        check("postgres://svc:a@b/c@db/m", "postgres://svc:***@db/m");
        check("postgres://svc:12/34@db/m", "postgres://svc:***@db/m");
        check("postgres://svc:pa ss@db/m", "postgres://svc:***@db/m");
        check("cut off: postgres://svc:hunt", "cut off: postgres://svc:***");
    }

    #[test]
    fn several_addresses_and_several_hosts_are_told_apart() {
        check(
            "a=pg://a:1x@h1:5432/x b=pg://b:2x@h2/x",
            "a=pg://a:***@h1:5432/x b=pg://b:***@h2/x",
        );
        check("pg://a:1x@h1/x,pg://b:2x@h2/x", "pg://a:***@h1/x,pg://b:***@h2/x");
        check(
            "pg://a:p@h1:5432,h2:5433/x?a=b",
            "pg://a:***@h1:5432,h2:5433/x?a=b",
        );
    }

    #[test]
    fn a_token_as_user_goes_and_a_user_name_stays() {
        check("https://0123456789abcdefghij@git.x/a", "https://***@git.x/a");
        check(
            "https://0123456789abcdefghij:x-oauth-basic@git.x/a",
            "https://***:***@git.x/a",
        );
        check("ssh://git@github.com/a", "ssh://git@github.com/a");
    }

    #[test]
    fn addresses_without_credentials_stay_as_they_are() {
        for kept in [
            "http://localhost:8001/api/ready",
            "http://registry:4873/@scope/pkg",
            "https://h/path?email=a@b.com",
            "http://[::1]:80/@x",
            "redis://:***@127.0.0.1:1/0 -> Connection refused",
            "redis://localhost:6379/0",
            "jdbc:postgresql://db.m:5432/m?user=app",
            "pg://h1:5432,h2:5433/x",
            "sqlite:///var/lib/mizan.db",
            "redis://cache:${PORT}/0",
            "postgres://h:5432.",
        ] {
            check(kept, kept);
        }
    }
}

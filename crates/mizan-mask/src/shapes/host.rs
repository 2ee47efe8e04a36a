//! Host names and addresses, shortened on request so that two of them can still be told apart.

use crate::span::{Cover, Span};
use crate::structure::dsn;

/// `db-1.mizan.internal` becomes `db-1.***`, `10.0.12.7` becomes `*.*.12.7`, `2001:db8::7` becomes `2001:***:7`.
/// A name without a dot stays: there is nothing to shorten.
pub(crate) fn shorten(host: &[u8], out: &mut Vec<u8>) {
    if is_ipv4(host) {
        let kept = host
            .rsplitn(3, |it| *it == b'.')
            .take(2)
            .map(<[u8]>::len)
            .sum::<usize>()
            + 1;
        out.extend_from_slice(b"*.*.");
        out.extend_from_slice(&host[host.len() - kept..]);
    } else if host.contains(&b':') {
        let first = host.split(|it| *it == b':').next().unwrap_or_default();
        let last = host.rsplit(|it| *it == b':').next().unwrap_or_default();
        out.extend_from_slice(first);
        out.extend_from_slice(b":***:");
        out.extend_from_slice(last);
    } else if let Some(dot) = host.iter().position(|it| *it == b'.') {
        out.extend_from_slice(&host[..dot]);
        out.extend_from_slice(b".***");
    } else {
        out.extend_from_slice(host);
    }
}

pub(crate) fn is_ipv4(host: &[u8]) -> bool {
    let parts = || host.split(|it| *it == b'.');
    parts().count() == 4
        && parts().all(|it| !it.is_empty() && it.len() <= 3 && it.iter().all(u8::is_ascii_digit))
        && parts().all(|it| {
            it.iter()
                .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
                < 256
        })
}

/// Words that say an address follows; without one, `3.0.19.1` is a version.
const BEFORE_ADDRESS: &[&[u8]] = &[
    b"host",
    b"at",
    b"to",
    b"from",
    b"addr",
    b"address",
    b"ip",
    b"peer",
    b"client",
    b"server",
    b"server_ip",
    b"hostname",
];

/// Covers the hosts of the address whose `://` ends at `authority`.
pub(crate) fn in_address(text: &[u8], separator: usize, authority: usize, spans: &mut Vec<Span>) {
    let Some(dsn) = dsn::parse(text, separator, authority) else {
        return;
    };
    for (at, host) in dsn::hosts(text, &dsn) {
        let end = at + host.iter().take_while(|it| is_host(**it) || **it == b':').count();
        push(text, dsn.scheme, at, end, spans);
    }
}

/// Covers IPv4 addresses that a word, a port or a prefix length marks as addresses.
pub(crate) fn addresses(text: &[u8], spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(dot) = memchr::memchr(b'.', &text[at..]).map(|it| at + it) {
        let start = dot
            - text[at..dot]
                .iter()
                .rev()
                .take_while(|it| it.is_ascii_digit())
                .count();
        let end = start
            + text[start..]
                .iter()
                .take_while(|it| it.is_ascii_digit() || **it == b'.')
                .count();
        at = end.max(dot + 1);
        let host = text[start..end].strip_suffix(b".").unwrap_or(&text[start..end]);
        let joined = start > 0 && (text[start - 1].is_ascii_alphanumeric() || text[start - 1] == b'.');
        if !joined && is_ipv4(host) && is_marked(text, start, start + host.len()) {
            push(text, start, start, start + host.len(), spans);
        }
    }
}

fn is_marked(text: &[u8], start: usize, end: usize) -> bool {
    let after = text.get(end).is_some_and(|it| matches!(it, b':' | b'/'))
        && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    let before = text[..start].trim_ascii_end();
    let bare = without_separators(before);
    let word = bare.len()
        - bare
            .iter()
            .rev()
            .take_while(|it| it.is_ascii_alphabetic() || **it == b'_')
            .count();
    let named = BEFORE_ADDRESS
        .iter()
        .any(|it| it.eq_ignore_ascii_case(&bare[word..]));
    after || named || matches!(before.last(), Some(b'@' | b'('))
}

/// Without the `=`, `:` and quotation marks that stand between a name and its value.
fn without_separators(before: &[u8]) -> &[u8] {
    let tail = before
        .iter()
        .rev()
        .take_while(|it| matches!(it, b'=' | b':' | b'"' | b'\'' | b' ' | b'['))
        .count();
    &before[..before.len() - tail]
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// Loopback and names without a dot tell nothing; a shortened one is followed by its stars.
pub(crate) fn push(text: &[u8], context: usize, start: usize, end: usize, spans: &mut Vec<Span>) {
    let host = &text[start..end];
    let local = host.starts_with(b"127.") || matches!(host, b"localhost" | b"::1" | b"0.0.0.0" | b"::");
    let done = text.get(end) == Some(&b'*')
        || !(host.contains(&b'.') || host.contains(&b':'))
        || host.ends_with(b".");
    if !local && !done {
        spans.push(Span {
            context,
            start,
            end,
            cover: Cover::Host,
        });
    }
}

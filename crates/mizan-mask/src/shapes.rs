//! Layer three: credentials that are recognised by what they look like.

pub(crate) mod card;
pub(crate) mod host;
pub(crate) mod iban;
pub(crate) mod jwt;
pub(crate) mod provider_key;

use crate::span::Span;

/// Looks at every run of digits once: a card number starts with one, an IBAN has one after its country.
///
/// Every second byte is looked at: both shapes begin with at least two digits.
pub(crate) fn find_numbers(text: &[u8], spans: &mut Vec<Span>) {
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 2;
            continue;
        }
        let start = if at > 0 && text[at - 1].is_ascii_digit() {
            at - 1
        } else {
            at
        };
        let run = text[start..].iter().take_while(|it| it.is_ascii_digit()).count();
        let found = card::at(text, start, run).or_else(|| iban::at(text, start));
        spans.extend(found);
        at = found.map_or(start + run, |it| it.end).max(at) + 1;
    }
}

//! Layer one: values the masker was told, wherever and however encoded they appear.
//!
//! The automaton looks for the first bytes of every form; here the rest of the form is compared.

pub(crate) mod encodings;
pub(crate) mod environment;

use crate::Secret;
use crate::weakness::WHOLE_TOKEN_BELOW;
use encodings::Form;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many bytes of a form the automaton knows. Fewer states, and any longer rest is compared in one go.
const PREFIX: usize = 8;
/// A fragment at the very beginning or end of a text is masked from this length on.
const FRAGMENT: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Value,
    Base64,
    Host,
}

struct Pattern {
    bytes: Vec<u8>,
    kind: Kind,
}

/// All forms of all known values, grouped by their first bytes.
#[derive(Default)]
pub(crate) struct Known {
    prefixes: Vec<Vec<u8>>,
    groups: Vec<Vec<Pattern>>,
    /// Where in which value eight bytes stand that are not its beginning.
    middles: HashMap<[u8; FRAGMENT], Vec<(usize, usize)>>,
    plain: Vec<Secret<Vec<u8>>>,
    longest: usize,
}

/// What a prefix found by the automaton turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Whole {
        end: usize,
        kind: Kind,
    },
    /// The text ends inside the form; `half` when at least half of it is there.
    CutOff {
        half: bool,
    },
}

impl Known {
    pub fn new(values: &[Secret], hosts: &[String]) -> Self {
        let mut forms: BTreeSet<(Vec<u8>, Kind)> = BTreeSet::new();
        let mut known = Self::default();
        for value in values {
            for plain in encodings::plain(value.reveal()) {
                forms.extend(encodings::forms(&plain, true).into_iter().map(keyed));
                known.learn_middles(plain);
            }
            for line in encodings::lines(value.reveal()) {
                forms.extend(encodings::forms(line.as_bytes(), false).into_iter().map(keyed));
            }
        }
        forms.extend(hosts.iter().map(|it| (it.as_bytes().to_vec(), Kind::Host)));
        known.group(forms);
        known
    }

    fn learn_middles(&mut self, plain: Vec<u8>) {
        for at in 1..=plain.len() / 2 {
            let Some(gram) = plain.get(at..at + FRAGMENT) else {
                break;
            };
            let gram: [u8; FRAGMENT] = gram.try_into().unwrap_or_default();
            self.middles.entry(gram).or_default().push((self.plain.len(), at));
        }
        self.plain.push(Secret::new(plain));
    }

    fn group(&mut self, forms: BTreeSet<(Vec<u8>, Kind)>) {
        let mut groups: BTreeMap<Vec<u8>, Vec<Pattern>> = BTreeMap::new();
        for (bytes, kind) in forms
            .into_iter()
            .filter(|(bytes, _)| bytes.len() >= crate::weakness::SHORTEST)
        {
            self.longest = self.longest.max(bytes.len());
            let prefix = bytes[..bytes.len().min(PREFIX)].to_ascii_lowercase();
            groups.entry(prefix).or_default().push(Pattern { bytes, kind });
        }
        (self.prefixes, self.groups) = groups.into_iter().unzip();
    }

    /// First bytes to look for, ignoring ASCII case; the index is the group.
    pub fn prefixes(&self) -> &[Vec<u8>] {
        &self.prefixes
    }

    /// Length in bytes of the longest form.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Compares the forms of a group with the text at `start`; the longest wins.
    pub fn at(&self, text: &[u8], start: usize, group: usize) -> Found {
        let mut found = Found::Nothing;
        let rest = &text[start..];
        for Pattern { bytes, kind } in &self.groups[group] {
            let length = bytes.len();
            if rest.len() < length {
                let seen = rest.trim_ascii_end();
                let cut_off = seen.len() >= FRAGMENT && same(seen, &bytes[..seen.len().min(length)], *kind);
                if cut_off && !matches!(found, Found::Whole { .. }) {
                    let half = seen.len() * 2 >= length || found == Found::CutOff { half: true };
                    found = Found::CutOff { half };
                }
                continue;
            }
            let longer = !matches!(found, Found::Whole { end, .. } if end >= start + length);
            if longer && same(&rest[..length], bytes, *kind) && fits(text, start, length, *kind) {
                found = Found::Whole {
                    end: start + length,
                    kind: *kind,
                };
            }
        }
        found
    }

    /// Length of the end of a known value with which the text begins: what is left when its head was cut off.
    pub fn fragment_at_start(&self, text: &[u8]) -> Option<usize> {
        let gram: [u8; FRAGMENT] = text.get(..FRAGMENT)?.try_into().ok()?;
        let ends = self
            .middles
            .get(&gram)?
            .iter()
            .map(|(value, at)| &self.plain[*value].reveal()[*at..]);
        ends.filter(|end| text.starts_with(end)).map(<[u8]>::len).max()
    }
}

fn keyed(form: Form) -> (Vec<u8>, Kind) {
    (form.bytes, if form.base64 { Kind::Base64 } else { Kind::Value })
}

/// A long value is the same in any letter case: terminals and databases change it.
fn same(text: &[u8], form: &[u8], kind: Kind) -> bool {
    if kind == Kind::Base64 || form.len() < WHOLE_TOKEN_BELOW {
        text == form
    } else {
        text.eq_ignore_ascii_case(form)
    }
}

/// Short values and host names count as whole tokens only, so that no run id is shredded.
fn fits(text: &[u8], start: usize, length: usize, kind: Kind) -> bool {
    if length >= WHOLE_TOKEN_BELOW && kind != Kind::Host {
        return true;
    }
    let joins = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-') || it >= 0x80;
    let before = start.checked_sub(1).map(|it| text[it]);
    let after = text.get(start + length).copied();
    let point = |it: Option<&u8>| kind != Kind::Host && it.is_some_and(u8::is_ascii_digit);
    let left = before.is_some_and(joins) || (before == Some(b'.') && start > 1 && point(text.get(start - 2)));
    let right = after.is_some_and(joins) || (after == Some(b'.') && point(text.get(start + length + 1)));
    !left && !right
}

/// `start..end` widened over the base64 around it, whose characters at the edges carry bits of the value.
pub(crate) fn whole_base64(text: &[u8], start: usize, end: usize) -> (usize, usize) {
    let is_base64 = |it: &&u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_');
    let start = start - text[..start].iter().rev().take_while(is_base64).count();
    let end = end + text[end..].iter().take_while(is_base64).count();
    (
        start,
        end + text[end..].iter().take(2).take_while(|it| **it == b'=').count(),
    )
}

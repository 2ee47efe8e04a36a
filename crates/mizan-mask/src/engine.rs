//! One pass of one automaton over a segment of text finds where any layer has to look; the layers do the rest.

use crate::known::{Found, Kind, Known, whole_base64};
use crate::shapes::{self, host, jwt, provider_key};
use crate::span::{Cover, Span, join, render};
use crate::structure::{dsn, field, header, pem};
use aho_corasick::{AhoCorasick, AhoCorasickKind, Match};

/// What a literal in the text leads to.
#[derive(Clone, Copy, Debug)]
enum Lead {
    Address,
    Authorization,
    Cookie,
    Scheme,
    Pem,
    Jwt,
    Name,
    Code,
    User,
    Aws,
    ProviderKey(usize),
    Known(usize),
}

const LEADS: &[(&str, Lead)] = &[
    ("://", Lead::Address),
    (":\\/\\/", Lead::Address),
    ("authorization", Lead::Authorization),
    ("cookie", Lead::Cookie),
    ("bearer ", Lead::Scheme),
    ("basic ", Lead::Scheme),
    ("-----begin ", Lead::Pem),
    ("eyj", Lead::Jwt),
    ("pass", Lead::Name),
    ("pwd", Lead::Name),
    ("secret", Lead::Name),
    ("token", Lead::Name),
    ("key", Lead::Name),
    ("credential", Lead::Name),
    ("cvv", Lead::Name),
    ("cvc", Lead::Name),
    ("jwt", Lead::Name),
    ("pin=", Lead::Name),
    ("\"pin\"", Lead::Name),
    ("?code=", Lead::Code),
    ("&code=", Lead::Code),
    ("?sig=", Lead::Code),
    ("&sig=", Lead::Code),
    ("x-amz-signature=", Lead::Code),
    (" -u ", Lead::User),
    (" --user ", Lead::User),
];

/// Up to this many patterns the automaton is a full table: quicker, and still a few megabytes.
const TABLE_UP_TO: usize = 1500;
/// Covering a span can uncover a neighbour (a card number that touched a secret). It settles at once or twice.
const ROUNDS: usize = 4;

/// Which ends of the whole text a segment has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Edges {
    pub first: bool,
    pub last: bool,
}

pub(crate) struct Engine {
    automaton: Option<AhoCorasick>,
    leads: Vec<Lead>,
    known: Known,
    shorten_hosts: bool,
}

impl Engine {
    pub fn new(known: Known, shorten_hosts: bool) -> Self {
        let aws = provider_key::AWS_IDS.iter().map(|it| (*it, Lead::Aws));
        let keys = provider_key::KEYS
            .iter()
            .enumerate()
            .map(|(which, (prefix, _))| (*prefix, Lead::ProviderKey(which)));
        let (texts, mut leads): (Vec<&str>, Vec<Lead>) = LEADS.iter().copied().chain(aws).chain(keys).unzip();
        let prefixes = known.prefixes();
        leads.extend((0..prefixes.len()).map(Lead::Known));
        let patterns: Vec<&[u8]> = texts
            .into_iter()
            .map(str::as_bytes)
            .chain(prefixes.iter().map(Vec::as_slice))
            .collect();
        let kind = if patterns.len() <= TABLE_UP_TO {
            AhoCorasickKind::DFA
        } else {
            AhoCorasickKind::ContiguousNFA
        };
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(kind))
            .build(patterns)
            .ok();
        Self {
            automaton,
            leads,
            known,
            shorten_hosts,
        }
    }

    /// Length in bytes of the longest known form.
    pub fn longest(&self) -> usize {
        self.known.longest()
    }

    /// Everything to cover in a segment, joined. True when the segment ends inside something: a known value or
    /// a private key that may go on in the next line, a JSON name whose value is still to come.
    pub fn find(&self, text: &[u8], edges: Edges, spans: &mut Vec<Span>) -> bool {
        spans.clear();
        let Some(automaton) = &self.automaton else {
            spans.push(Span::stars(0, 0, text.len()));
            return false;
        };
        let mut open = false;
        let mut structured = 0..0;
        for hit in automaton.find_overlapping_iter(text) {
            let lead = self.leads[hit.pattern().as_usize()];
            if let Lead::Known(group) = lead {
                open |= self.known_at(text, hit.start(), group, edges, spans);
            } else if !(structured.start <= hit.start() && hit.end() <= structured.end) {
                let before = spans.len();
                open |= self.follow(lead, text, &hit, spans);
                if let Some(widest) = spans[before..].iter().max_by_key(|it| it.end) {
                    structured = widest.start..widest.end;
                }
            }
        }
        shapes::find_numbers(text, spans);
        if self.shorten_hosts {
            host::addresses(text, spans);
        }
        if edges.first
            && let Some(end) = self.known.fragment_at_start(text)
        {
            spans.push(Span::stars(0, 0, end));
        }
        open |= self.find_wrapped(automaton, text, spans);
        join(spans);
        leave_line_end(text, spans);
        open
    }

    /// Hands a hit of the automaton to whoever knows what it means.
    fn follow(&self, lead: Lead, text: &[u8], hit: &Match, spans: &mut Vec<Span>) -> bool {
        match lead {
            Lead::Address => {
                dsn::find(text, hit.start(), hit.end(), spans);
                if self.shorten_hosts {
                    host::in_address(text, hit.start(), hit.end(), spans);
                }
            }
            Lead::Authorization => header::authorization(text, hit.start(), spans),
            Lead::Cookie => header::cookie(text, hit.start(), spans),
            Lead::Scheme => header::bare_scheme(text, hit.start(), hit.end(), spans),
            Lead::Pem => return pem::find(text, hit.start(), spans),
            Lead::Jwt => spans.extend(jwt::at(text, hit.start())),
            Lead::Name => {
                let inside = hit.start() + usize::from(text[hit.start()] == b'"');
                return field::find(text, inside, spans);
            }
            Lead::Code => field::find_code(text, hit.end(), spans),
            Lead::User => field::find_user(text, hit.end(), spans),
            Lead::Aws => provider_key::aws(text, hit.start(), spans),
            Lead::ProviderKey(which) => spans.extend(provider_key::at(text, hit.start(), which)),
            Lead::Known(_) => {}
        }
        false
    }

    fn known_at(&self, text: &[u8], start: usize, group: usize, edges: Edges, spans: &mut Vec<Span>) -> bool {
        match self.known.at(text, start, group) {
            Found::Nothing => false,
            Found::Whole {
                end,
                kind: Kind::Value,
            } => {
                spans.push(Span::stars(start, start, end));
                false
            }
            Found::Whole {
                end,
                kind: Kind::Base64,
            } => {
                let (start, end) = whole_base64(text, start, end);
                spans.push(Span::stars(start, start, end));
                false
            }
            Found::Whole {
                end,
                kind: Kind::Host,
            } => {
                spans.push(Span {
                    context: start,
                    start,
                    end,
                    cover: Cover::Host,
                });
                false
            }
            Found::CutOff { half } => {
                if edges.last && half {
                    let end = start + text[start..].trim_ascii_end().len();
                    spans.push(Span::stars(start, start, end));
                }
                true
            }
        }
    }

    /// Known values that a terminal or an encoder wrapped over several lines: looked for without the line ends.
    fn find_wrapped(&self, automaton: &AhoCorasick, text: &[u8], spans: &mut Vec<Span>) -> bool {
        let body = text.trim_ascii_end();
        if memchr::memchr(b'\n', body).is_none() {
            return false;
        }
        let is_text = |it: &(usize, &u8)| !matches!(it.1, b'\n' | b'\r');
        let (places, flat): (Vec<usize>, Vec<u8>) = body
            .iter()
            .enumerate()
            .filter(is_text)
            .map(|(at, it)| (at, *it))
            .unzip();
        let mut open = false;
        for hit in automaton.find_overlapping_iter(&flat) {
            let Lead::Known(group) = self.leads[hit.pattern().as_usize()] else {
                continue;
            };
            match self.known.at(&flat, hit.start(), group) {
                Found::Whole { end, kind } => {
                    let (start, end) = (places[hit.start()], places[end - 1] + 1);
                    let wrapped = text[start..end].contains(&b'\n');
                    let (start, end) = if kind == Kind::Base64 {
                        whole_base64(text, start, end)
                    } else {
                        (start, end)
                    };
                    if wrapped && end - start >= 8 {
                        spans.push(Span::stars(start, start, end));
                    }
                }
                Found::CutOff { .. } => open = true,
                Found::Nothing => {}
            }
        }
        open
    }

    /// Writes a segment to `out` with the spans covered, and again until nothing more is found.
    pub fn write(&self, text: &[u8], spans: &mut Vec<Span>, edges: Edges, out: &mut Vec<u8>) {
        if spans.is_empty() {
            out.extend_from_slice(text);
            return;
        }
        let mut now = Vec::with_capacity(text.len());
        render(text, spans, &mut now);
        for _ in 1..ROUNDS {
            self.find(&now, edges, spans);
            let mut next = Vec::with_capacity(now.len());
            render(&now, spans, &mut next);
            if next == now {
                break;
            }
            now = next;
        }
        out.extend_from_slice(&now);
    }
}

/// The end of the last line stays, so that two lines never become one.
fn leave_line_end(text: &[u8], spans: &mut Vec<Span>) {
    let body = text
        .strip_suffix(b"\n")
        .map_or(text.len(), |it| it.strip_suffix(b"\r").unwrap_or(it).len());
    while let Some(last) = spans.last_mut().filter(|it| it.end > body) {
        last.end = body;
        if last.start < body {
            break;
        }
        spans.pop();
    }
}

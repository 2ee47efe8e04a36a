//! Keys that providers mark with a prefix of their own, and the AWS secret that stands beside its key id.

use crate::span::Span;

/// Prefix, and how many characters of `[A-Za-z0-9_-]` (and `.` for some) must follow at least. The prefixes
/// are the ones the providers publish for secret scanning.
pub(crate) const KEYS: &[(&str, usize)] = &[
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("whsec_", 12),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("gldt-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("xoxr-", 16),
    ("xoxs-", 16),
    ("xapp-", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("SG.", 30),
    ("npm_", 30),
    ("pypi-AgE", 30),
    ("dop_v1_", 30),
    ("hvs.", 20),
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sq0atp-", 16),
    ("sq0csp-", 16),
    ("shpat_", 24),
    ("shpss_", 24),
    ("shpca_", 24),
    ("lin_api_", 24),
    ("figd_", 24),
    ("AGE-SECRET-KEY-1", 40),
    ("access_token$production$", 20),
    ("AQE", 60),
];
/// Key ids of AWS: sixteen capitals and digits follow, and the secret is near.
pub(crate) const AWS_IDS: &[&str] = &["AKIA", "ASIA"];
const AWS_ID_TAIL: usize = 16;
const AWS_SECRET: usize = 40;
const NEAR: usize = 200;

/// The key whose prefix number `which` is at `hit`.
pub(crate) fn at(text: &[u8], hit: usize, which: usize) -> Option<Span> {
    let (prefix, least) = KEYS[which];
    if !text[hit..].starts_with(prefix.as_bytes()) || (hit > 0 && text[hit - 1].is_ascii_alphanumeric()) {
        return None;
    }
    let tail = &text[hit + prefix.len()..];
    let dotted = prefix.ends_with('.');
    let is_key =
        |it: &&u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-') || (dotted && **it == b'.');
    let length = tail.iter().take_while(is_key).count();
    (length >= least).then_some(Span::stars(hit, hit, hit + prefix.len() + length))
}

/// The key id at `hit`, and every string of forty base64 characters near it.
pub(crate) fn aws(text: &[u8], hit: usize, spans: &mut Vec<Span>) {
    let end = hit + 4 + AWS_ID_TAIL;
    let id = text
        .get(hit..end)
        .is_some_and(|it| it.iter().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit()));
    if !id
        || text.get(end).is_some_and(u8::is_ascii_alphanumeric)
        || (hit > 0 && text[hit - 1].is_ascii_alphanumeric())
    {
        return;
    }
    spans.push(Span::stars(hit, hit, end));
    let is_secret = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/');
    let mut at = end;
    let stop = text.len().min(end + NEAR);
    while at < stop {
        let length = text[at..].iter().take_while(|it| is_secret(it)).count();
        let word = &text[at..at + length];
        if length == AWS_SECRET && !word.iter().all(u8::is_ascii_hexdigit) {
            spans.push(Span::stars(hit, at, at + length));
        }
        at += length + 1;
    }
}

//! Every way in which a value is written on its way through shells, URLs, JSON, HTML and base64.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;

/// One written form of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Form {
    pub bytes: Vec<u8>,
    /// Base64: letter case matters, and the characters around it carry bits of the value.
    pub base64: bool,
}

/// Lines of a value with several lines are values too, from this many letters and digits on.
const LINE_THAT_MATTERS: usize = 8;
/// Base64 cores shorter than this turn up by chance.
const SHORTEST_CORE: usize = 6;
/// A value longer than this is written in one layer of encoding only: two would be kilobytes of pattern each.
const TWICE_UP_TO: usize = 512;

/// The value as it may stand in text before any encoding.
pub(crate) fn plain(value: &str) -> BTreeSet<Vec<u8>> {
    let trimmed = value.trim();
    let mut all: BTreeSet<Vec<u8>> = [value, trimmed].map(|it| it.as_bytes().to_vec()).into();
    all.insert(trimmed.nfc().collect::<String>().into_bytes());
    all.insert(trimmed.nfd().collect::<String>().into_bytes());
    all.insert(percent_decoded(trimmed.as_bytes()));
    let bare: Vec<u8> = trimmed
        .bytes()
        .filter(|it| !matches!(it, b'\n' | b'\r'))
        .collect();
    all.insert(bare);
    all
}

/// The lines of a value that has several, without those that are only brackets.
pub(crate) fn lines(value: &str) -> Vec<&str> {
    let matters = |it: &&str| it.chars().filter(|it| it.is_alphanumeric()).count() >= LINE_THAT_MATTERS;
    let key_frame = |it: &&str| !(it.starts_with("-----") && it.ends_with("-----"));
    let lines: Vec<&str> = value.trim().lines().map(str::trim).collect();
    if lines.len() < 2 {
        Vec::new()
    } else {
        lines.into_iter().filter(matters).filter(key_frame).collect()
    }
}

/// Every form of `plain`, each encoding applied once and, for values of ordinary length, twice.
pub(crate) fn forms(plain: &[u8], twice: bool) -> BTreeSet<Form> {
    let once = encodings(&Form {
        bytes: plain.to_vec(),
        base64: false,
    });
    if !twice || plain.len() > TWICE_UP_TO {
        return once;
    }
    once.iter()
        .flat_map(encodings)
        .chain(once.iter().cloned())
        .collect()
}

fn encodings(form: &Form) -> BTreeSet<Form> {
    let value = &form.bytes;
    let mut all = BTreeSet::from([form.clone()]);
    let mut keep = |bytes: Vec<u8>| {
        all.insert(Form {
            bytes,
            base64: form.base64,
        })
    };
    for unreserved in [
        "-._~",
        "-._~!'()*",
        "-._~/",
        "-._*",
        "-._~;,/?:@&=+$#!'()*",
        "-._~!$&'()*+,;=",
    ] {
        keep(percent(value, unreserved, false));
        keep(percent(value, unreserved, true));
    }
    keep(hex::encode(value).into_bytes());
    if let Ok(text) = std::str::from_utf8(value) {
        for written in json(text).into_iter().chain(html(text)).chain(shell(text)) {
            keep(written.into_bytes());
        }
    }
    for shift in 0..3 {
        for core in base64_cores(value, shift) {
            all.insert(Form {
                bytes: core.into_bytes(),
                base64: true,
            });
        }
    }
    all
}

fn percent(value: &[u8], unreserved: &str, plus: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() * 3);
    for &byte in value {
        if byte.is_ascii_alphanumeric() || unreserved.as_bytes().contains(&byte) {
            out.push(byte);
        } else if plus && byte == b' ' {
            out.push(b'+');
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

/// `%41` read back, so that the text of a driver's error is known as well as the address it came from.
pub(crate) fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        let mut byte = [0];
        let decoded = value[at] == b'%'
            && value
                .get(at + 1..at + 3)
                .is_some_and(|it| hex::decode_to_slice(it, &mut byte).is_ok());
        out.push(if decoded { byte[0] } else { value[at] });
        at += if decoded { 3 } else { 1 };
    }
    out
}

/// As JSON writers do it: plain, with `\/`, with everything beyond ASCII escaped, and safe to embed in HTML.
fn json(text: &str) -> [String; 4] {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let plain = quoted.trim_start_matches('"');
    let plain = plain.strip_suffix('"').unwrap_or(plain).to_owned();
    let ascii = plain.chars().fold(String::new(), |mut out, it| {
        if it.is_ascii() {
            out.push(it);
        } else {
            for unit in it.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").unwrap_or_default();
            }
        }
        out
    });
    let embedded = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\'', "\\u0027"),
    ];
    let embedded = embedded
        .iter()
        .fold(ascii.clone(), |text, (from, to)| text.replace(*from, to));
    [plain.replace('/', "\\/"), plain, ascii, embedded]
}

fn html(text: &str) -> [String; 5] {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let quoted = text.replace('"', "&quot;");
    [
        quoted.replace('\'', "&#39;"),
        quoted.replace('\'', "&#x27;"),
        text.replace('"', "&#34;").replace('\'', "&#39;"),
        quoted.replace('\'', "&apos;"),
        text,
    ]
}

/// Inside single quotes (two habits), inside double quotes, and with backslashes alone.
fn shell(text: &str) -> [String; 4] {
    let escaped = |special: &dyn Fn(char) -> bool| {
        text.chars().fold(String::new(), |mut out, it| {
            if special(it) {
                out.push('\\');
            }
            out.push(it);
            out
        })
    };
    [
        text.replace('\'', "'\\''"),
        text.replace('\'', "'\"'\"'"),
        escaped(&|it| matches!(it, '"' | '$' | '`' | '\\')),
        escaped(&|it| {
            it.is_ascii()
                && !it.is_ascii_alphanumeric()
                && !matches!(it, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',')
        }),
    ]
}

/// The characters of base64 that depend on the value alone when `shift` bytes (mod 3) stand before it.
fn base64_cores(value: &[u8], shift: usize) -> Vec<String> {
    let mut shifted = vec![0; shift];
    shifted.extend_from_slice(value);
    let head = (shift * 8).div_ceil(6);
    let tail = shifted.len() * 8 / 6;
    let core = |text: String| text[head.min(tail)..tail].to_owned();
    let cores = [
        core(STANDARD_NO_PAD.encode(&shifted)),
        core(URL_SAFE_NO_PAD.encode(&shifted)),
    ];
    cores.into_iter().filter(|it| it.len() >= SHORTEST_CORE).collect()
}

#[cfg(test)]
mod tests {
    use super::{forms, lines, plain};

    #[test]
    fn every_named_encoding_of_a_value_is_among_its_forms() {
        let all = forms("a b/'<é>&\"$x".as_bytes(), true);
        let has = |form: &str| assert!(all.iter().any(|it| it.bytes == form.as_bytes()), "{form}");
        has("a%20b%2F%27%3C%C3%A9%3E%26%22%24x");
        has("a+b%2F%27%3C%C3%A9%3E%26%22%24x");
        has("a b/'<\\u00e9>&\\\"$x");
        has("a b\\/'<é>&\\\"$x");
        has("a b/&#39;&lt;é&gt;&amp;&quot;$x");
        has("a b/'\\''<é>&\"$x");
        has("a b/'<é>&\\\"\\$x");
        has(&hex::encode("a b/'<é>&\"$x"));
        has("YSBiLyc8w6k+JiIke"); // without the last character: its bits depend on what follows
    }

    #[test]
    fn a_value_is_known_trimmed_decoded_and_in_both_unicode_forms() {
        let all = plain(" p%40ss%C5%9F\n");
        let has = |form: &str| assert!(all.contains(form.as_bytes()), "{form}");
        has("p%40ss%C5%9F");
        has("p@ssş");
        assert!(plain("ş").contains("s\u{327}".as_bytes()));
    }

    #[test]
    fn brackets_are_no_lines_of_a_secret() {
        assert_eq!(
            lines("{\n\"k\":\"jsonS3cretVal\"\n}"),
            ["\"k\":\"jsonS3cretVal\""]
        );
        assert!(lines("one line only").is_empty());
    }
}

//! Properties over generated text: no listed encoding of a known value survives, masking twice is masking once,
//! a stream is the whole, and what identifies things stays readable.

use base64_forms::{base64, base64_url};
use mizan_mask::{MaskStream, Masker, MaskingWriter};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io::Write;

/// Base64 written out independently of the crate under test.
mod base64_forms {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub fn base64(bytes: &[u8]) -> String {
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let group = chunk
                .iter()
                .chain([&0; 3])
                .take(3)
                .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
            for place in 0..4 {
                let index = (group >> (18 - 6 * place)) & 63;
                let filled = place <= chunk.len();
                out.push(if filled {
                    char::from(STANDARD[index as usize])
                } else {
                    '='
                });
            }
        }
        out
    }

    pub fn base64_url(bytes: &[u8]) -> String {
        base64(bytes)
            .replace('+', "-")
            .replace('/', "_")
            .trim_end_matches('=')
            .to_owned()
    }
}

fn percent(text: &str, upper: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else if upper {
            write!(out, "%{byte:02X}").expect("a String takes everything");
        } else {
            write!(out, "%{byte:02x}").expect("a String takes everything");
        }
        out
    })
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

/// The encodings the masker promises, by name.
fn encoded(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(secret).expect("text is JSON");
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    vec![
        ("raw", secret.to_owned()),
        ("percent, upper case", percent(secret, true)),
        ("percent, lower case", percent(secret, false)),
        ("form", percent(secret, true).replace("%20", "+")),
        ("JSON", json[1..json.len() - 1].to_owned()),
        (
            "JSON twice",
            json[1..json.len() - 1].replace('\\', "\\\\").replace('"', "\\\""),
        ),
        ("HTML", html.replace('"', "&quot;").replace('\'', "&#39;")),
        ("shell", secret.replace('\'', "'\\''")),
        ("hex", hex(secret)),
        ("HEX", hex(secret).to_uppercase()),
        ("base64", base64(secret.as_bytes())),
        ("base64 at 1", base64(format!("u{secret}").as_bytes())),
        ("base64 at 2", base64(format!("u:{secret}!").as_bytes())),
        ("base64url", base64_url(secret.as_bytes())),
        ("base64 twice", base64(base64(secret.as_bytes()).as_bytes())),
        ("percent of base64", percent(&base64(secret.as_bytes()), true)),
        ("base64 of JSON", base64(json.as_bytes())),
        ("percent twice", percent(&percent(secret, true), true)),
    ]
}

/// Values as generators make them: printable, with what breaks quoting, and long enough not to turn up by chance.
fn secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9 @:/?#&=+%'\"<>$`,;!*()ş-]{10,30}[A-Za-z0-9]".prop_map(|it| it + "Q7")
}

fn noise() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9 :=,\"'/.\n@{}\\\\-]|password|token=|://|Bearer |key|[0-9]{4}|\\*\\*\\*|eyJ|ş){0,40}"
}

/// Names of secrets as programs print them.
const NAMES: &str = "API_KEY|password|--token|JWT_SECRET";
/// And what may follow: nothing, words, quotations.
const VALUES: &str = "|x9-Secret-42|'x9'|\"x9 Secret\"|Bearer 9f8e7d6c5b4a3928|, and more";

fn streamed(masker: &Masker, bytes: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut stream = MaskStream::new(masker.clone(), Vec::new());
    let mut at = 0;
    for cut in cuts {
        let next = (at + cut).min(bytes.len());
        stream
            .write_all(&bytes[at..next])
            .expect("a Vec takes everything");
        at = next;
    }
    stream.write_all(&bytes[at..]).expect("a Vec takes everything");
    stream.finish().expect("a Vec takes everything")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_encoding_of_a_known_value_survives(secret in secret(), before in noise(), after in noise()) {
        let masker = Masker::builder().known(&secret, "S").build();
        prop_assert!(masker.refused().is_empty());
        for (name, form) in encoded(&secret) {
            let out = masker.mask(&format!("{before} {form} {after}")).into_string();
            prop_assert!(!out.contains(&form), "{name}: {form} in {out}");
        }
    }

    #[test]
    fn masking_twice_is_masking_once(secret in secret(), a in noise(), b in noise()) {
        let masker = Masker::builder().known(&secret, "S").build();
        let once = masker.mask(&format!("{a}{secret}{b}")).into_string();
        let twice = masker.mask(&once).into_string();
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn a_stream_in_any_pieces_is_the_whole(
        secret in secret(), a in noise(), b in noise(), cuts in prop::collection::vec(0_usize..9, 0..40)
    ) {
        let masker = Masker::builder().known(&secret, "S").build();
        let text = format!("{a}{secret}\n{b} {}", base64(secret.as_bytes()));
        let whole = masker.mask(&text).into_string();
        prop_assert_eq!(String::from_utf8(streamed(&masker, text.as_bytes(), &cuts)).expect("text stays text"), whole);
    }

    #[test]
    fn bytes_that_are_no_text_neither_panic_nor_leak(
        secret in secret(), junk in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(0_usize..40, 0..9)
    ) {
        let masker = Masker::builder().known(&secret, "S").build();
        let mut bytes = junk.clone();
        bytes.extend_from_slice(secret.as_bytes());
        bytes.extend_from_slice(&junk);
        let out = streamed(&masker, &bytes, &cuts);
        prop_assert!(!out.windows(secret.len()).any(|it| it == secret.as_bytes()));
        prop_assert_eq!(out, masker.mask_bytes(&bytes));
    }

    #[test]
    fn what_identifies_things_stays(
        secret in secret(), id in "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        ulid in "01[0-9A-HJKMNP-TV-Z]{24}", sha in "[0-9a-f]{40}", sha256 in "[0-9a-f]{64}",
        time in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z", port in 1_u16.., migration in "[0-9]{4}_[a-z_]{5,20}"
    ) {
        let masker = Masker::builder().known(&secret, "S").known("1234", "PIN").build();
        let line = format!("{time} run_id={id} ulid={ulid} sha={sha} digest sha256:{sha256} migration {migration} listening on http://localhost:{port}/x");
        prop_assert_eq!(masker.mask(&line).into_string(), line);
    }

    /// Reports hold lines of logs as JSON; masked, they are read again.
    #[test]
    fn json_stays_json_whatever_its_lines_are(
        lines in prop::collection::vec(("[a-z0-9 :,.]{0,20}", NAMES, "[=:]? ?", VALUES), 1..5),
    ) {
        let lines: Vec<String> = lines.into_iter().map(|(before, name, sign, value)| format!("{before} {name}{sign}{value}")).collect();
        for text in [serde_json::to_string(&lines), serde_json::to_string_pretty(&lines)] {
            let text = text.expect("texts are JSON");
            let masked = Masker::default().mask(&text).into_string();
            let read = serde_json::from_str::<Vec<String>>(&masked);
            prop_assert!(read.is_ok_and(|it| it.len() == lines.len()), "{} became {}", text, masked);
        }
    }
}

#[test]
fn a_line_without_an_end_is_masked_wherever_the_secret_stands() {
    let secret = "Tr0ub4dor&3-endless";
    let masker = Masker::builder().known(secret, "S").build();
    for place in [0, 61_000, 61_430, 61_440, 61_445, 65_520, 65_530, 65_536, 130_000] {
        let text = format!("{}{secret}{}", "x ".repeat(place / 2), " y".repeat(40_000));
        let whole = masker.mask(&text).into_string();
        assert!(!whole.contains("Tr0ub") && whole.contains("*** y"), "at {place}");
        assert_eq!(
            streamed(&masker, text.as_bytes(), &[60_000, 5_000, 536, 3, 10_000]),
            whole.as_bytes(),
            "at {place}"
        );
    }
}

#[test]
fn a_value_longer_than_any_segment_is_swallowed_to_the_end_of_its_line() {
    let masker = Masker::default();
    let text = format!("{{\"password\":\"{}\"}}\nnext line\n", "v4lue".repeat(50_000));
    let whole = masker.mask(&text).into_string();
    assert!(
        !whole.contains("v4lue") && whole.ends_with("\nnext line\n"),
        "{}",
        &whole[..200.min(whole.len())]
    );
    assert_eq!(
        streamed(&masker, text.as_bytes(), &[7, 70_000, 100_000]),
        whole.as_bytes()
    );
}

#[test]
fn a_log_writer_passes_whole_lines_on_at_once_and_the_rest_when_dropped() {
    let masker = Masker::builder().known("Tr0ub4dor&3", "S").build();
    let mut sink = Vec::new();
    let mut writer = MaskingWriter::new(masker, &mut sink);
    writer.write_all(b"one Tr0ub4").expect("a Vec takes everything");
    writer
        .write_all(b"dor&3 two\nthree Tr0ub4dor&3")
        .expect("a Vec takes everything");
    drop(writer);
    assert_eq!(sink, b"one *** two\nthree ***");
}

//! Undoing encodings: whatever part of some bytes can be read in one of them is handed on, decoded.

use std::io::Read;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::{GzDecoder, ZlibDecoder};

pub const NAMES: &[&str] = &[
    "base64",
    "hex",
    "percent",
    "escapes",
    "entities",
    "quoted-printable",
    "UTF-16",
    "gzip",
    "zlib",
];

/// What may come out of one compressed stream.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;
/// Shorter runs hold no secret that the masker would take for one.
const SHORTEST_BASE64: usize = 8;
const SHORTEST_HEX: usize = 12;

/// Hands on every decoding of `bytes`; `None` for one that is too large to be made. What is decoded from runs (base64,
/// hex) comes as one text with a line for each, so that a long log costs few searches.
pub fn each(bytes: &[u8], on: &mut impl FnMut(&'static str, Option<Vec<u8>>)) {
    let (mut base64, mut hex) = (<[Vec<u8>; 4]>::default(), <[Vec<u8>; 2]>::default());
    runs(bytes, SHORTEST_BASE64, is_base64, |run| {
        base64_alignments(run, &mut base64);
    });
    runs(
        bytes,
        SHORTEST_HEX,
        |it| it.is_ascii_hexdigit(),
        |run| hex_alignments(run, &mut hex),
    );
    for decoded in base64.into_iter().filter(|it| !it.is_empty()) {
        on("base64", Some(decoded));
    }
    for decoded in hex.into_iter().filter(|it| !it.is_empty()) {
        on("hex", Some(decoded));
    }
    let mut lines = |name, decode: fn(&[u8]) -> Vec<u8>, text: &[u8]| {
        let decoded = changed_lines(text, decode);
        if !decoded.is_empty() {
            on(name, Some(decoded));
        }
    };
    lines("percent", |it| hex_after(it, b'%'), bytes);
    if bytes.contains(&b'+') {
        lines("percent", form, bytes);
    }
    lines("escapes", escapes, bytes);
    lines("entities", entities, bytes);
    lines(
        "quoted-printable",
        |it| hex_after(it, b'='),
        &without_soft_breaks(bytes),
    );
    if bytes.contains(&0) {
        utf16(bytes, on);
    }
    for at in memchr::memmem::find_iter(bytes, &[0x1f, 0x8b, 8]) {
        unpack("gzip", GzDecoder::new(&bytes[at..]), on);
    }
    for at in memchr::memchr_iter(0x78, bytes) {
        // The four headers of zlib without a dictionary.
        if matches!(bytes.get(at + 1), Some(0x01 | 0x5e | 0x9c | 0xda)) {
            unpack("zlib", ZlibDecoder::new(&bytes[at..]), on);
        }
    }
}

/// In both orders of bytes, from both places where a letter may begin; and whatever it is, without its zeros.
fn utf16(bytes: &[u8], on: &mut impl FnMut(&'static str, Option<Vec<u8>>)) {
    on(
        "UTF-16",
        Some(bytes.iter().copied().filter(|it| *it != 0).collect()),
    );
    for from in [bytes, bytes.get(1..).unwrap_or_default()] {
        for order in [u16::from_le_bytes, u16::from_be_bytes] {
            let units = from.as_chunks().0.iter().map(|it| order(*it));
            let letters = char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER));
            let text: String = letters.filter(|it| *it != '\0').collect();
            on("UTF-16", Some(text.into_bytes()));
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Calls `on` with every run of such bytes; lines that an encoder wrapped are one run too.
fn runs(bytes: &[u8], shortest: usize, is: impl Fn(u8) -> bool, mut on: impl FnMut(&[u8])) {
    let (mut joined, mut lines) = (Vec::new(), 0);
    let mut at = 0;
    while at < bytes.len() {
        if !is(bytes[at]) {
            at += 1;
            continue;
        }
        let end = bytes[at..]
            .iter()
            .position(|it| !is(*it))
            .map_or(bytes.len(), |it| at + it);
        let run = &bytes[at..end];
        if run.len() >= shortest {
            on(run);
        }
        let line_end = bytes[end..].strip_prefix(b"\r").unwrap_or(&bytes[end..]);
        joined.extend_from_slice(run);
        lines += 1;
        if line_end.first() == Some(&b'\n') {
            at = bytes.len() - line_end.len() + 1;
            if bytes.get(at).is_some_and(|it| is(*it)) {
                continue;
            }
        } else {
            at = end;
        }
        if lines > 1 && joined.len() >= shortest {
            on(&joined);
        }
        joined.clear();
        lines = 0;
    }
    if lines > 1 && joined.len() >= shortest {
        on(&joined);
    }
}

/// Base64 that something else is glued to begins at any of four offsets.
fn base64_alignments(run: &[u8], out: &mut [Vec<u8>; 4]) {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const READER: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    let standard = |it: &u8| match it {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    let run: Vec<u8> = run.iter().map(standard).collect();
    for (shift, out) in out.iter_mut().enumerate().take(run.len()) {
        let mut part = &run[shift..];
        if part.len() % 4 == 1 {
            part = &part[..part.len() - 1];
        }
        if READER.decode_vec(part, out).is_ok() {
            out.push(b'\n');
        }
    }
}

/// Hex digits that a digit is glued to begin at one of two offsets.
fn hex_alignments(run: &[u8], out: &mut [Vec<u8>; 2]) {
    for (shift, out) in out.iter_mut().enumerate() {
        let even = &run[shift..shift + (run.len() - shift) / 2 * 2];
        if let Ok(decoded) = hex::decode(even) {
            out.extend_from_slice(&decoded);
            out.push(b'\n');
        }
    }
}

/// A form's value: `+` is a space.
fn form(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|it| if *it == b'+' { b' ' } else { *it })
        .collect();
    hex_after(&spaced, b'%')
}

/// The lines that decoding changes, decoded. The others were looked at as they are; handing them on again, and again
/// in every combination of encodings, would multiply the work by forty.
fn changed_lines(bytes: &[u8], decode: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in bytes.split_inclusive(|it| *it == b'\n') {
        let decoded = decode(line);
        if decoded != line {
            out.extend_from_slice(&decoded);
        }
    }
    out
}

/// Quoted-printable breaks long lines with `=` at their end.
fn without_soft_breaks(bytes: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let soft = after.strip_prefix(b"\n").or_else(|| after.strip_prefix(b"\r\n"));
        match soft {
            Some(after) if *first == b'=' => rest = after,
            _ => {
                joined.push(*first);
                rest = after;
            }
        }
    }
    joined
}

/// `%41` or `=41` becomes the byte.
fn hex_after(bytes: &[u8], mark: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| first == mark);
        let byte = digits.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        out.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}

/// `\u0041`, `\x41`, `\/`, `\"` and `\\`, as JSON, Python and shells write them.
fn escapes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let number = |skip: usize, digits: usize| {
            let text = std::str::from_utf8(after.get(skip..skip + digits)?).ok()?;
            char::from_u32(u32::from_str_radix(text, 16).ok()?)
        };
        let (letter, used) = match (first, after.first()) {
            (b'\\', Some(b'u')) => (number(1, 4), 6),
            (b'\\', Some(it @ (b'/' | b'"' | b'\\' | b'\''))) => (Some(char::from(*it)), 2),
            _ => (None, 1),
        };
        let byte = after.get(1..3).filter(|_| first == b'\\' && after[0] == b'x');
        let byte = byte.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        if let Some(byte) = byte {
            out.push(byte);
            rest = &rest[4..];
        } else if let Some(letter) = letter {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[used..];
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

/// `&#65;`, `&#x41;` and the five names of XML.
fn entities(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let name = (first == b'&')
            .then(|| after.iter().take(10).position(|it| *it == b';'))
            .flatten()
            .and_then(|end| std::str::from_utf8(&after[..end]).ok());
        let letter = name.and_then(|it| match it {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = it.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        if let (Some(letter), Some(name)) = (letter, name) {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &after[name.len() + 1..];
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

/// What can be unpacked, also of a stream that breaks off.
fn unpack(name: &'static str, stream: impl Read, on: &mut impl FnMut(&'static str, Option<Vec<u8>>)) {
    let mut out = Vec::new();
    let mut stream = stream.take(MOST_UNPACKED + 1);
    let mut piece = [0; 16 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        out.extend_from_slice(&piece[..read]);
    }
    if out.len() as u64 > MOST_UNPACKED {
        on(name, None);
    } else if !out.is_empty() {
        on(name, Some(out));
    }
}

//! IBANs: a country, its length, and ISO 7064 mod 97.

use crate::span::{Cover, Span};

/// Country and length, from the SWIFT IBAN registry.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The IBAN whose check digits begin at `digits`, written in one piece or in groups of four.
pub(crate) fn at(text: &[u8], digits: usize) -> Option<Span> {
    let start = digits.checked_sub(2)?;
    let country: &[u8; 2] = text[start..digits].try_into().ok()?;
    let joined = start > 0 && text[start - 1].is_ascii_alphanumeric();
    if joined || !country.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let (_, length) = COUNTRIES.iter().find(|(code, _)| *code == country)?;
    let grouped = text.get(start + 4) == Some(&b' ');
    let mut at = start;
    let mut seen = 0;
    let mut remainder = 0_u32;
    let mut head = [0_u8; 4];
    while seen < *length {
        let byte = *text.get(at)?;
        at += 1;
        if byte == b' ' && grouped && seen % 4 == 0 && seen > 0 && text[at - 2] != b' ' {
            continue;
        }
        if !(byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
            return None;
        }
        if seen < 4 {
            head[seen] = byte;
        } else {
            remainder = append(remainder, byte);
        }
        seen += 1;
    }
    let valid = head.iter().fold(remainder, |sum, byte| append(sum, *byte)) == 1;
    let ends = !text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (valid && ends).then_some(Span {
        context: start,
        start,
        end: at,
        cover: Cover::Account,
    })
}

fn append(remainder: u32, byte: u8) -> u32 {
    if byte.is_ascii_digit() {
        (remainder * 10 + u32::from(byte - b'0')) % 97
    } else {
        (remainder * 100 + u32::from(byte - b'A') + 10) % 97
    }
}

//! Card numbers: an issuer's prefix, a length that issuer uses, the Luhn digit, and a grouping that cards have.

use crate::span::{Cover, Span};

const LONGEST: usize = 19;
/// Digits per group as printed on cards; the last one is for numbers written without gaps.
const GROUPINGS: &[&[usize]] = &[
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 4, 3],
    &[4, 4, 5],
    &[4, 4, 4, 1],
];

/// The card number whose first run of digits is `start..start + run`.
pub(crate) fn at(text: &[u8], start: usize, run: usize) -> Option<Span> {
    let end = match run {
        4 => grouped_end(text, start)?,
        13..=LONGEST => start + run,
        _ => return None,
    };
    let mut digits = [0_u8; LONGEST];
    let mut count = 0;
    for digit in text[start..end].iter().filter(|it| it.is_ascii_digit()) {
        *digits.get_mut(count)? = digit - b'0';
        count += 1;
    }
    let number = &digits[..count];
    let card = stands_alone(text, start, end) && issued(number) && luhn(number);
    card.then_some(Span {
        context: start,
        start,
        end,
        cover: Cover::Card,
    })
}

/// The end of `4111 1111 1111 1111` or `4111-1111-1111-1111`: one separator throughout.
fn grouped_end(text: &[u8], start: usize) -> Option<usize> {
    let separator = *text.get(start + 4)?;
    if !matches!(separator, b' ' | b'-') {
        return None;
    }
    let mut groups = [0_usize; 5];
    let (mut at, mut count) = (start, 0);
    while count < groups.len() {
        let run = text[at..].iter().take_while(|it| it.is_ascii_digit()).count();
        groups[count] = run;
        count += 1;
        at += run;
        let goes_on = text.get(at) == Some(&separator) && text.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !goes_on || count == groups.len() {
            break;
        }
        at += 1;
    }
    // What follows a complete number may be another number: `4111 1111 1111 1111 12/29`.
    (3..=count)
        .rev()
        .find(|it| GROUPINGS.contains(&&groups[..*it]))
        .map(|it| start + groups[..it].iter().sum::<usize>() + it - 1)
}

/// Not a part of a longer word, a hex id or a decimal number.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|it| text[it]);
    let (after, then) = (text.get(end), text.get(end + 1));
    let joined = |it: Option<&u8>| it.is_some_and(u8::is_ascii_alphanumeric);
    let decimal = after == Some(&b'.') && then.is_some_and(u8::is_ascii_digit);
    let hyphened = before == Some(b'-') && start > 1 && text[start - 2].is_ascii_alphanumeric()
        || after == Some(&b'-') && joined(then);
    !(joined(before.as_ref()) || before == Some(b'.') || joined(after) || decimal || hyphened)
}

/// Issuer prefixes and lengths (ISO/IEC 7812 ranges as the schemes publish them; 9792 is Troy, 2200-2204 Mir).
fn issued(number: &[u8]) -> bool {
    let prefix = number
        .iter()
        .take(4)
        .fold(0_u16, |sum, digit| sum * 10 + u16::from(*digit));
    let length = number.len();
    match prefix {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        6011 | 6440..=6599 | 6200..=6299 | 3528..=3589 | 2200..=2204 => (16..=19).contains(&length),
        5000..=5899 | 2221..=2720 | 6300..=6399 | 6700..=6799 | 9792 => length == 16,
        _ => false,
    }
}

fn luhn(number: &[u8]) -> bool {
    let sum = number
        .iter()
        .rev()
        .enumerate()
        .fold(0_u32, |sum, (place, digit)| {
            let doubled = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            sum + doubled / 10 + doubled % 10
        });
    sum.is_multiple_of(10)
}

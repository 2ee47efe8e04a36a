//! One cell of a file to one value, or a reason. Nothing is trimmed, rounded or guessed.

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use mizan_core::clock::to_micros;
use mizan_core::{Currency, Money, Timestamp};

/// The longest id or reference, in bytes.
const LONGEST_TEXT: usize = 255;

/// An amount in minor units. `decimal_comma` reads `10,50`; then a point is refused, as grouping is anyway.
pub(super) fn amount(text: &str, currency: Currency, decimal_comma: bool) -> Result<i64, String> {
    let money = if decimal_comma {
        if text.contains('.') {
            return Err("an amount with a decimal comma has no point".to_owned());
        }
        Money::parse(&text.replacen(',', ".", 1), currency)
    } else {
        Money::parse(text, currency)
    };
    money
        .map(|it| it.minor)
        .map_err(|error| format!("{error}; seen {}", quoted(text)))
}

/// The usual amount, `-?[0-9]+(.[0-9]+)?` of up to 18 digits and no more decimals than the currency has. None:
/// [`amount`] has to look at it.
#[inline]
pub(super) fn usual_amount(text: &[u8], exponent: u8, point: u8) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let (mut minor, mut decimals, mut count) = (0_i64, None, 0_u8);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            minor = minor * 10 + i64::from(digit);
            count += 1;
        } else if *byte == point && decimals.is_none() && count > 0 {
            decimals = Some(count);
        } else {
            return None;
        }
    }
    let decimals = match decimals {
        Some(before) if count > before => count - before,
        Some(_) => return None,
        None => 0,
    };
    if decimals > exponent || count + (exponent - decimals) > 18 {
        return None;
    }
    let minor = minor * 10_i64.pow(u32::from(exponent - decimals));
    Some(if negative { -minor } else { minor })
}

/// The usual time, `2026-11-01T09:30:00.123456Z` or with `+03:00`, of the years 1970 to 9999. None: [`time`] has
/// to look at it.
#[inline]
pub(super) fn usual_time(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_first_chunk::<19>()?;
    let two = |at: usize| -> Option<i64> {
        let (tens, ones) = (date[at].wrapping_sub(b'0'), date[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
    };
    let separators = [date[4], date[7], date[13], date[16]] == *b"--::" && matches!(date[10], b'T' | b' ');
    if !separators {
        return None;
    }
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, zone) = fraction(rest)?;
    let offset = offset_seconds(zone)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    if seconds < 0 {
        return None;
    }
    DateTime::from_timestamp_micros(seconds * 1_000_000 + micros)
}

/// Microseconds of `.123456789`, cut, and what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', rest @ ..] = text else {
        return Some((0, text));
    };
    let digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
    if digits == 0 || digits > 9 {
        return None;
    }
    let padded = rest[..digits].iter().chain(std::iter::repeat(&b'0')).take(6);
    let micros = padded.fold(0, |sum, it| sum * 10 + i64::from(it - b'0'));
    Some((micros, &rest[digits..]))
}

fn offset_seconds(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let digit = |it: &u8| it.is_ascii_digit().then(|| i64::from(it - b'0'));
            let (hours, minutes) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
            let seconds = hours * 3_600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Days of the Gregorian calendar, with years that begin in March so that a leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// A time: RFC 3339, or a local date and time of `zone`, or a date (its first moment). Cut to microseconds.
pub(super) fn time(text: &str, zone: Tz) -> Result<Timestamp, String> {
    let unreadable = || {
        format!(
            "a time is written like 2026-11-01T09:30:00Z; seen {}",
            quoted(text)
        )
    };
    if !has_the_shape_of_a_time(text.as_bytes()) {
        return Err(unreadable());
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(to_micros(at.to_utc()));
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|it| NaiveDateTime::parse_from_str(text, it).ok())
        .or_else(|| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(date.and_time(NaiveTime::MIN))
        })
        .ok_or_else(|| {
            format!(
                "a time is written like 2026-11-01T09:30:00Z; seen {}",
                quoted(text)
            )
        })?;
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Ok(to_micros(at.to_utc())),
        MappedLocalTime::None => Err(format!(
            "{local} does not exist in {zone}: clocks go forward over it"
        )),
    }
}

/// The date takes ten places, and one character stands between it and the time: the parser itself would read
/// past white space and short numbers.
fn has_the_shape_of_a_time(text: &[u8]) -> bool {
    let date = |it: &[u8]| {
        it.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    match text.split_at_checked(10) {
        Some((day, [])) => date(day),
        Some((day, [b'T' | b't' | b' ', hour, ..])) => date(day) && hour.is_ascii_digit(),
        _ => false,
    }
}

/// An id or a reference; empty is none.
pub(super) fn text(text: &str) -> Result<Option<&str>, String> {
    text_of(text, false)
}

/// As [`text`]. `no_nul`: it is known already that there is no NUL byte.
#[inline]
pub(super) fn text_of(text: &str, no_nul: bool) -> Result<Option<&str>, String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("longer than {LONGEST_TEXT} bytes"));
    }
    let plain = |it: Option<&u8>| it.is_none_or(u8::is_ascii_graphic);
    let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
    if !(plain(first) && plain(last)) && text.trim() != text {
        return Err(format!("white space around the text {}", quoted(text)));
    }
    if !no_nul && text.as_bytes().contains(&0) {
        return Err("a NUL byte in the text".to_owned());
    }
    Ok((!text.is_empty()).then_some(text))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_time(text: &str, zone: Tz, expected: Result<&str, &str>) {
        match (time(text, zone), expected) {
            (Ok(at), Ok(rfc3339)) => assert_eq!(at, rfc3339.parse::<Timestamp>().unwrap(), "{text}"),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{text}: {reason}"),
            (seen, expected) => panic!("{text}: {seen:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_local_time_falls_into_a_stable_day() {
        use chrono_tz::Europe::{Berlin, Istanbul};
        check_time(
            "2026-11-01T12:00:00.123456+03:00",
            Tz::UTC,
            Ok("2026-11-01T09:00:00.123456Z"),
        );
        check_time(
            "2026-11-01T12:00:00.1234569Z",
            Tz::UTC,
            Ok("2026-11-01T12:00:00.123456Z"),
        );
        check_time("2026-11-01 23:59:59", Istanbul, Ok("2026-11-01T20:59:59Z"));
        check_time("2026-11-01 23:59:59.5", Tz::UTC, Ok("2026-11-01T23:59:59.5Z"));
        check_time("2026-11-01", Istanbul, Ok("2026-10-31T21:00:00Z"));
        // Clocks go back at 03:00 summer time: 02:30 occurs twice, the earlier one counts.
        check_time("2026-10-25 02:30:00", Berlin, Ok("2026-10-25T00:30:00Z"));
        check_time("2026-10-25 02:30:00+01:00", Berlin, Ok("2026-10-25T01:30:00Z"));
        check_time("2026-03-29 02:30:00", Berlin, Err("does not exist"));
        for text in [
            "",
            "yesterday",
            "01/11/2026",
            "2026-13-01",
            "2026-11-01T25:00:00Z",
            "1793500000",
            "2026-11-01 ",
            "2026-11-0112:00:00",
            "2026-1-1",
            "2026-11-01  12:00:00",
            " 2026-11-01",
        ] {
            check_time(text, Tz::UTC, Err("a time is written like"));
        }
    }

    #[test]
    fn a_decimal_comma_is_read_where_it_is_declared_and_grouping_never() {
        let check = |text: &str, comma: bool, expected: Option<i64>| {
            assert_eq!(amount(text, Currency::TRY, comma).ok(), expected, "{text}");
        };
        check("10,50", true, Some(1050));
        check("10,50", false, None);
        check("10.50", true, None);
        check("1.234,56", true, None);
        check("1,234,56", true, None);
        check("1,234.56", false, None);
        check("7", true, Some(700));
        check(",5", true, None);
    }

    proptest! {
        #[test]
        fn an_amount_reads_the_same_with_a_comma_as_with_a_point(minor: i64) {
            let written = Money::new(minor, Currency::KWD).major();
            prop_assert_eq!(amount(&written, Currency::KWD, false), Ok(minor));
            prop_assert_eq!(amount(&written.replace('.', ","), Currency::KWD, true), Ok(minor));
        }

        #[test]
        fn what_is_usual_is_read_as_anything_else_is(
            amounts in "-?[0-9]{0,20}[.,]?[0-9]{0,4}",
            year in 1960..2110_i32, numbers in (0..14_u32, 0..33_u32, 0..26_u32, 0..62_u32, 0..62_u32),
            between in "[T t]", fraction in "(\\.[0-9]{0,10})?", zone in "(Z|z|[+-][0-2][0-9]:[0-6][0-9]|)",
        ) {
            let (month, day, hour, minute, second) = numbers;
            let times = format!(
                "{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
            );
            if let Some(at) = usual_time(times.as_bytes()) {
                prop_assert_eq!(Ok(at), time(&times, Tz::UTC), "{}", times);
            } else if let Ok(at) = DateTime::parse_from_rfc3339(&times) {
                let rare = fraction.len() > 10 || between == "t" || zone == "z" || at.timestamp() < 0 || second == 60
                    || year < 1970;
                prop_assert!(rare, "{} takes the slow road", times);
            }
            for (currency, comma) in [(Currency::TRY, false), (Currency::KWD, true), (Currency::JPY, false)] {
                let point = if comma { b',' } else { b'.' };
                if let Some(minor) = usual_amount(amounts.as_bytes(), currency.exponent(), point) {
                    prop_assert_eq!(Ok(minor), amount(&amounts, currency, comma), "{}", amounts);
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(it in ".{0,40}") {
            let _ = (amount(&it, Currency::TRY, true), time(&it, Tz::UTC), text(&it).is_ok());
        }
    }
}

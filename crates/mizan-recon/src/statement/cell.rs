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
    if text.len() > LONGEST_TEXT {
        return Err(format!("longer than {LONGEST_TEXT} bytes"));
    }
    if text.trim() != text {
        return Err(format!("white space around the text {}", quoted(text)));
    }
    if text.contains('\0') {
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
        fn any_text_is_read_or_refused_without_a_panic(it in ".{0,40}") {
            let _ = (amount(&it, Currency::TRY, true), time(&it, Tz::UTC), text(&it).is_ok());
        }
    }
}

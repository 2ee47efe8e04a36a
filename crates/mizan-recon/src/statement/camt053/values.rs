//! Values of ISO 20022: amounts, dates and indicators.

use chrono::NaiveDate;
use mizan_core::{Currency, Money};

/// Text of an element, or why it cannot be used; None where the element is not there.
pub(super) type Text = Option<Result<String, String>>;

/// An amount with its currency. An `xs:decimal`: zeros at its end change nothing, so they are taken off where the
/// currency has fewer decimals; any other digit there is refused, never rounded.
pub(super) fn amount(text: &Text, currency: Option<&str>) -> Result<Money, String> {
    let text = present(text)?;
    let code = currency.ok_or("no attribute Ccy")?;
    let currency: Currency = code.parse().map_err(|error| format!("{error}"))?;
    number(text, currency).map(|minor| Money::new(minor, currency))
}

pub(super) fn number(text: &str, currency: Currency) -> Result<i64, String> {
    if text.starts_with('-') {
        return Err("an amount has no sign; CdtDbtInd gives the direction".to_owned());
    }
    let exponent = usize::from(currency.exponent());
    let whole_zeros = |it: &str| it.bytes().all(|it| it == b'0');
    let text = match text.split_once('.') {
        Some((whole, decimals)) if decimals.len() > exponent => match decimals.split_at_checked(exponent) {
            Some(("", rest)) if whole_zeros(rest) => whole,
            Some((kept, rest)) if whole_zeros(rest) => &text[..whole.len() + 1 + kept.len()],
            _ => text,
        },
        _ => text,
    };
    Money::parse(text, currency)
        .map(|it| it.minor)
        .map_err(|error| error.to_string())
}

/// +1 for CRDT, −1 for DBIT: the direction of the entry itself, also where it is a reversal.
pub(super) fn direction(text: &Text) -> Result<i64, String> {
    match present(text)? {
        "CRDT" => Ok(1),
        "DBIT" => Ok(-1),
        other => Err(format!("CRDT or DBIT is expected; seen '{}'", short(other))),
    }
}

/// The day of a date or of a time, as it is written: `2014-12-31`, `2014-12-31+01:00`, `2014-12-31T13:15:00+01:00`.
pub(super) fn day(text: &str) -> Result<NaiveDate, String> {
    let wanted = || format!("a date is written like 2026-11-01; seen '{}'", short(text));
    let (date, rest) = text.split_at_checked(10).ok_or_else(wanted)?;
    let follows = rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-']);
    NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .ok()
        .filter(|_| follows && date.bytes().all(|it| it.is_ascii_digit() || it == b'-'))
        .ok_or_else(wanted)
}

pub(super) fn present(text: &Text) -> Result<&str, String> {
    match text {
        Some(Ok(text)) => Ok(text),
        Some(Err(reason)) => Err(reason.clone()),
        None => Err("missing".to_owned()),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_that_change_nothing_are_taken_off_and_no_other_digit_is() {
        let check = |text: &str, currency: Currency, expected: Option<i64>| {
            assert_eq!(number(text, currency).ok(), expected, "{text} {currency}");
        };
        check("8.85000", Currency::EUR, Some(885));
        check("8.850", Currency::EUR, Some(885));
        check("8.8", Currency::EUR, Some(880));
        check("8", Currency::EUR, Some(800));
        check("8.00000", Currency::JPY, Some(8));
        check("8.855", Currency::EUR, None);
        check("8.00001", Currency::EUR, None);
        check("8.1", Currency::JPY, None);
        check("1.2340", Currency::KWD, Some(1234));
        check("-8.85", Currency::EUR, None);
        check("8,85", Currency::EUR, None);
        check("8.", Currency::EUR, None);
        check("", Currency::EUR, None);
        check("1e3", Currency::EUR, None);
    }
}

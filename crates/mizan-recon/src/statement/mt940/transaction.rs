//! Field 61: `6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]` and a line of supplementary details.

use chrono::{Datelike, NaiveDate};
use mizan_core::{Currency, Money};

use super::details;
use super::fields::Field;
use crate::bank::BankLine;
use crate::statement::fault::Fault;

/// One entry, and what its field 86 says of it.
#[derive(Debug)]
pub(super) struct Transaction {
    line_no: u64,
    value_on: NaiveDate,
    booked_on: NaiveDate,
    booked: bool,
    reversal: bool,
    amount_minor: i64,
    currency: Currency,
    references: Vec<String>,
    text: String,
}

impl Transaction {
    pub(super) fn parse(field: &Field, currency: Currency) -> Result<Self, Fault> {
        let fault = |part: &str, reason: String| Fault::at(format!("61 {part}"), reason);
        if field.too_long {
            return Err(fault("line", "longer than 65536 bytes".to_owned()));
        }
        let text = field.text();
        let value = text.get(..6).unwrap_or(text);
        let value_on = date(value).map_err(|reason| fault("value date", reason))?;
        let mut rest = text.get(6..).unwrap_or_default();
        let mut booked_on = value_on;
        if let Some(day) = rest
            .get(..4)
            .filter(|it| it.bytes().all(|it| it.is_ascii_digit()))
        {
            booked_on = entry_date(day, value_on).map_err(|reason| fault("entry date", reason))?;
            rest = &rest[4..];
        }
        let (sign, booked, reversal, length) = mark(rest).ok_or_else(|| {
            let seen: String = rest.chars().take(4).collect();
            fault(
                "mark",
                format!("C, D, RC, RD, EC or ED is expected; seen '{seen}'"),
            )
        })?;
        rest = rest.get(length..).unwrap_or_default();
        // The third letter of the currency, which some banks write.
        if rest.bytes().next().is_some_and(|it| it.is_ascii_alphabetic()) {
            rest = &rest[1..];
        }
        let digits = rest
            .bytes()
            .take_while(|it| it.is_ascii_digit() || *it == b',')
            .count();
        let amount_minor = amount(&rest[..digits], currency).map_err(|reason| fault("amount", reason))?;
        rest = &rest[digits..];
        let code = rest.get(..4).filter(|it| {
            it.as_bytes()[0].is_ascii_uppercase() && it.bytes().all(|it| it.is_ascii_alphanumeric())
        });
        if code.is_none() {
            let seen: String = rest.chars().take(8).collect();
            let reason = format!("a type such as NTRF is expected after the amount; seen '{seen}'");
            return Err(fault("type", reason));
        }
        let (customers, banks) = rest[4..].split_once("//").unwrap_or((&rest[4..], ""));
        // `KREF+` and its like only say that the reference stands in field 86.
        let named = |it: &&str| !it.is_empty() && *it != "NONREF" && !it.ends_with("REF+");
        let references = [customers.trim(), banks.trim()];
        let references = references
            .iter()
            .copied()
            .filter(|it| named(it))
            .map(str::to_owned)
            .collect();
        let text = field.lines[1..]
            .iter()
            .map(|it| it.trim())
            .collect::<Vec<_>>()
            .join(" ");
        Ok(Self {
            line_no: field.line_no,
            value_on,
            booked_on,
            booked,
            reversal,
            amount_minor: sign * amount_minor,
            currency,
            references,
            text,
        })
    }

    /// What field 86 says: references and the purpose.
    pub(super) fn details(&mut self, field: &Field) {
        let details = details::read(&field.lines);
        for reference in details.references {
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
        if !details.text.is_empty() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(&details.text);
        }
    }

    pub(super) fn into_line(self, account: Option<String>) -> BankLine {
        BankLine {
            line_no: self.line_no,
            account,
            amount_minor: self.amount_minor,
            currency: self.currency,
            booked_on: self.booked_on,
            value_on: Some(self.value_on),
            booked: self.booked,
            reversal: self.reversal,
            references: self.references,
            text: self.text,
        }
    }
}

/// Sign, booked, reversal and length of a debit or credit mark. The reversal of a credit takes.
fn mark(text: &str) -> Option<(i64, bool, bool, usize)> {
    Some(match (text.as_bytes().first()?, text.as_bytes().get(1)) {
        (b'C', _) => (1, true, false, 1),
        (b'D', _) => (-1, true, false, 1),
        (b'R', Some(b'C')) => (-1, true, true, 2),
        (b'R', Some(b'D')) => (1, true, true, 2),
        (b'E', Some(b'C')) => (1, false, false, 2),
        (b'E', Some(b'D')) => (-1, false, false, 2),
        _ => return None,
    })
}

/// `1234,5`: digits, one comma, digits; never a point, and never more decimals than the currency has.
pub(super) fn amount(text: &str, currency: Currency) -> Result<i64, String> {
    let text = text.trim();
    let wanted = || {
        let seen: String = text.chars().take(20).collect();
        format!("an amount is written like 1234,56; seen '{seen}'")
    };
    let (whole, decimals) = text.split_once(',').ok_or_else(wanted)?;
    let plain = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(decimals) {
        return Err(wanted());
    }
    let written = if decimals.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{decimals}")
    };
    Money::parse(&written, currency)
        .map(|it| it.minor)
        .map_err(|error| error.to_string())
}

/// `YYMMDD`; 80 and later is of the last century.
pub(super) fn date(text: &str) -> Result<NaiveDate, String> {
    let number = |part: Option<&str>| -> Option<u32> {
        part.filter(|it| it.bytes().all(|it| it.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let wanted = || {
        let seen: String = text.chars().take(8).collect();
        format!("a date is written YYMMDD; seen '{seen}'")
    };
    let year = number(text.get(..2)).ok_or_else(wanted)?;
    let (month, day) = (number(text.get(2..4)), number(text.get(4..6)));
    let century = if year >= 80 { 1900 } else { 2000 };
    NaiveDate::from_ymd_opt(
        century + i32::try_from(year).unwrap_or_default(),
        month.ok_or_else(wanted)?,
        day.ok_or_else(wanted)?,
    )
    .ok_or_else(|| format!("'{text}' is no day of the calendar"))
}

/// `MMDD` in the year that is nearest to the value date.
fn entry_date(text: &str, value_on: NaiveDate) -> Result<NaiveDate, String> {
    let (month, day) = (text[..2].parse().unwrap_or(0), text[2..].parse().unwrap_or(0));
    let years = [value_on.year(), value_on.year() - 1, value_on.year() + 1];
    years
        .into_iter()
        .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
        .min_by_key(|it| it.signed_duration_since(value_on).num_days().abs())
        .ok_or_else(|| format!("'{text}' is no day of the calendar"))
}

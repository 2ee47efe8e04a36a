//! Balances of a statement: `C100722EUR1234,56`, and whether what was read lies between them.

use chrono::NaiveDate;
use mizan_core::money::major;
use mizan_core::{Currency, Money};

use super::transaction::{amount, date};
use crate::bank::BankLine;
use crate::statement::check::Check;

/// An opening or closing balance, with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Balance {
    pub money: Money,
    pub on: NaiveDate,
}

impl Balance {
    /// Reads mark, date, currency and amount. Some banks leave the currency of the closing balance out; then it
    /// is `known`.
    pub(super) fn parse(text: &str, known: Option<Currency>) -> Result<Self, String> {
        let sign = match text.get(..1) {
            Some("C") => 1,
            Some("D") => -1,
            _ => return Err("a balance begins with C or D".to_owned()),
        };
        let on = date(text.get(1..7).unwrap_or_default())?;
        let rest = text.get(7..).unwrap_or_default();
        let unnamed = rest.bytes().next().is_some_and(|it| it.is_ascii_digit());
        let (currency, rest) = if let (true, Some(known)) = (unnamed, known) {
            (known, rest)
        } else {
            let code = rest.get(..3).unwrap_or(rest);
            let currency: Currency = code.parse().map_err(|error| format!("{error}"))?;
            (currency, rest.get(3..).unwrap_or_default())
        };
        let minor = sign * amount(rest, currency)?;
        Ok(Self {
            money: Money::new(minor, currency),
            on,
        })
    }
}

/// A statement whose closing balance has not come yet.
#[derive(Debug)]
pub(super) struct Open {
    pub line_no: u64,
    account: Option<String>,
    opening: Result<Balance, String>,
    rows: u64,
    sum_minor: i128,
    pub quarantined: u64,
}

impl Open {
    pub(super) fn new(line_no: u64, account: Option<String>, opening: Result<Balance, String>) -> Self {
        Self {
            line_no,
            account,
            opening,
            rows: 0,
            sum_minor: 0,
            quarantined: 0,
        }
    }

    pub(super) fn currency(&self) -> Result<Currency, &str> {
        let opening = self.opening.as_ref();
        opening.map(|it| it.money.currency).map_err(String::as_str)
    }

    pub(super) fn add(&mut self, line: &BankLine) {
        if line.booked {
            self.rows += 1;
            self.sum_minor += i128::from(line.amount_minor);
        }
    }

    /// Opening + Σ = closing.
    pub(super) fn compare(self, closing: Option<(u64, Result<Balance, String>)>) -> Check {
        let account = self.account.map_or_else(String::new, |it| format!(" of {it}"));
        let what = format!("balance{account}, from line {}", self.line_no);
        let opening = match self.opening {
            Ok(opening) => opening,
            Err(reason) => {
                return Check::new(
                    what,
                    false,
                    format!("the opening balance cannot be read: {reason}"),
                );
            }
        };
        let (line_no, closing) = match closing {
            None => {
                let reason = "no closing balance (:62F:): the statement may be cut off";
                return Check::new(what, false, reason);
            }
            Some((line_no, Err(reason))) => {
                let reason = format!("the closing balance of line {line_no} cannot be read: {reason}");
                return Check::new(what, false, reason);
            }
            Some((line_no, Ok(closing))) => (line_no, closing),
        };
        let currency = opening.money.currency;
        if closing.money.currency != currency {
            let reason = format!("opening in {currency}, closing in {}", closing.money.currency);
            return Check::new(what, false, reason);
        }
        let expected = i128::from(opening.money.minor) + self.sum_minor;
        let [opened, moved, reached, closed] = [
            i128::from(opening.money.minor),
            self.sum_minor,
            expected,
            i128::from(closing.money.minor),
        ]
        .map(|it| major(it, currency));
        let missing = match self.quarantined {
            0 => String::new(),
            rows => format!("; {rows} quarantined"),
        };
        Check::new(
            what,
            expected == i128::from(closing.money.minor),
            format!(
                "opening {opened} + {} rows {moved} = {reached}, closing {closed} {currency} (line {line_no}){missing}",
                self.rows
            ),
        )
    }
}

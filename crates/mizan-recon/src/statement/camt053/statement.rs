//! What a statement (`Stmt`) says of itself: account, balances, sums and counts, compared with its entries.

use chrono::NaiveDate;
use mizan_core::money::major;
use mizan_core::{Currency, Money};

use super::entry::Made;
use super::values::{Text, amount, day, direction, number, present};
use crate::statement::check::Check;

/// The most balances of one statement that are kept.
const MOST_BALANCES: usize = 100;

/// A statement while it is read.
#[derive(Debug, Default)]
pub(super) struct Statement {
    line_no: u64,
    id: Option<String>,
    account: Option<String>,
    balances: Vec<Balance>,
    balance: Balance,
    summary: Summary,
    until: Option<NaiveDate>,
    credits: Side,
    debits: Side,
    quarantined: u64,
    other_currencies: u64,
    currency: Option<Currency>,
}

#[derive(Debug, Default)]
struct Balance {
    code: String,
    amount: (Text, Option<String>),
    direction: Text,
    on: Text,
}

/// Booked entries of one direction.
#[derive(Debug, Default)]
struct Side {
    rows: u64,
    sum_minor: i128,
}

/// `TxsSummry`.
#[derive(Debug, Default)]
struct Summary {
    entries: Text,
    credits: (Text, Text),
    debits: (Text, Text),
}

impl Statement {
    pub(super) fn new(line_no: u64) -> Self {
        Self {
            line_no,
            ..Self::default()
        }
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    pub(super) fn end(&mut self, path: &str, text: Result<String, String>, currency: Option<&str>) {
        match path {
            "Id" => self.id = text.ok(),
            "Acct/Id/IBAN" => self.account = text.ok(),
            "Acct/Id/Othr/Id" if self.account.is_none() => self.account = text.ok(),
            "Acct/Ccy" => self.currency = text.ok().and_then(|it| it.parse().ok()),
            "FrToDt/ToDtTm" | "FrToDt/ToDt" => {
                self.until = text.ok().and_then(|it| day(&it).ok());
            }
            "Bal/Tp/CdOrPrtry/Cd" => self.balance.code = text.unwrap_or_default(),
            "Bal/Amt" => self.balance.amount = (Some(text), currency.map(str::to_owned)),
            "Bal/CdtDbtInd" => self.balance.direction = Some(text),
            "Bal/Dt/Dt" | "Bal/Dt/DtTm" => self.balance.on = Some(text),
            "Bal" => {
                let balance = std::mem::take(&mut self.balance);
                if self.balances.len() < MOST_BALANCES {
                    self.balances.push(balance);
                }
            }
            "TxsSummry/TtlNtries/NbOfNtries" => self.summary.entries = Some(text),
            "TxsSummry/TtlCdtNtries/NbOfNtries" => self.summary.credits.0 = Some(text),
            "TxsSummry/TtlCdtNtries/Sum" => self.summary.credits.1 = Some(text),
            "TxsSummry/TtlDbtNtries/NbOfNtries" => self.summary.debits.0 = Some(text),
            "TxsSummry/TtlDbtNtries/Sum" => self.summary.debits.1 = Some(text),
            _ => {}
        }
    }

    pub(super) fn add(&mut self, made: &Made) {
        let Some(money) = made.money else {
            self.quarantined += 1;
            return;
        };
        if !made.booked {
            return;
        }
        let currency = *self.currency.get_or_insert(money.currency);
        if currency != money.currency {
            self.other_currencies += 1;
            return;
        }
        let side = if money.minor < 0 {
            &mut self.debits
        } else {
            &mut self.credits
        };
        side.rows += 1;
        side.sum_minor += i128::from(money.minor);
    }

    /// The day of the closing balance, else the end of the period.
    pub(super) fn covers_until(&self) -> Option<NaiveDate> {
        let closing = self
            .closing()
            .and_then(|it| present(&it.on).ok()?.get(..10).map(str::to_owned));
        closing.and_then(|it| day(&it).ok()).or(self.until)
    }

    fn of(&self, code: &str) -> impl DoubleEndedIterator<Item = &Balance> {
        self.balances.iter().filter(move |it| it.code == code)
    }

    fn opening(&self) -> Option<&Balance> {
        let intraday = || self.of("ITBD").next().filter(|_| self.of("ITBD").count() > 1);
        self.of("OPBD")
            .next()
            .or_else(|| self.of("PRCD").next())
            .or_else(intraday)
    }

    fn closing(&self) -> Option<&Balance> {
        let intraday = || {
            self.of("ITBD")
                .next_back()
                .filter(|_| self.of("ITBD").count() > 1)
        };
        self.of("CLBD").next_back().or_else(intraday)
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let account = self.account.as_deref().unwrap_or("an unnamed account");
        let id = self
            .id
            .clone()
            .unwrap_or_else(|| format!("of line {}", self.line_no));
        let name = format!("{account}, statement {id}");
        let mut checks = vec![self.balance_check(&name)];
        checks.extend(self.summary_checks(&name));
        checks
    }

    fn balance_check(&self, name: &str) -> Check {
        let what = format!("balance of {name}");
        let read = |balance: Option<&Balance>, which: &str| -> Result<Money, String> {
            let balance = balance.ok_or_else(|| format!("no {which} balance"))?;
            let money = amount(&balance.amount.0, balance.amount.1.as_deref())
                .map_err(|reason| format!("the {which} balance cannot be read: {reason}"))?;
            let sign = direction(&balance.direction)
                .map_err(|reason| format!("the {which} balance cannot be read: {reason}"))?;
            Ok(Money::new(sign * money.minor, money.currency))
        };
        let both = read(self.opening(), "opening (OPBD or PRCD)")
            .and_then(|opening| Ok((opening, read(self.closing(), "closing (CLBD)")?)));
        let (opening, closing) = match both {
            Ok(both) => both,
            Err(reason) => return Check::new(what, false, reason),
        };
        let currency = self.currency.unwrap_or(opening.currency);
        if opening.currency != currency || closing.currency != currency {
            let reason = format!(
                "opening in {}, entries in {currency}, closing in {}: nothing to compare",
                opening.currency, closing.currency
            );
            return Check::new(what, false, reason);
        }
        let moved = self.credits.sum_minor + self.debits.sum_minor;
        let reached = i128::from(opening.minor) + moved;
        let rows = self.credits.rows + self.debits.rows;
        let mut detail = format!(
            "opening {} + {rows} entries {} = {}, closing {} {currency}",
            opening.major(),
            major(moved, currency),
            major(reached, currency),
            closing.major(),
        );
        if self.quarantined + self.other_currencies > 0 {
            detail = format!(
                "{detail}; {} quarantined, {} in another currency",
                self.quarantined, self.other_currencies
            );
        }
        Check::new(what, reached == i128::from(closing.minor), detail)
    }

    fn summary_checks(&self, name: &str) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut count = |what: &str, written: &Text, read: u64| {
            if written.is_some() {
                let said = present(written).unwrap_or_default();
                let held = said.parse::<u64>() == Ok(read);
                let what = format!("number of {what} of {name}");
                checks.push(Check::new(what, held, format!("says {said}, read {read}")));
            }
        };
        count(
            "entries",
            &self.summary.entries,
            self.credits.rows + self.debits.rows,
        );
        count("credits", &self.summary.credits.0, self.credits.rows);
        count("debits", &self.summary.debits.0, self.debits.rows);
        let mut sum = |what: &str, written: &Text, read: i128| {
            if let (Some(_), Some(currency)) = (written, self.currency) {
                let said = present(written).and_then(|it| number(it, currency));
                let held = said.as_ref().map(|it| i128::from(*it)) == Ok(read.abs());
                let said = said.map_or_else(|reason| reason, |it| Money::new(it, currency).major());
                let what = format!("sum of {what} of {name}");
                let detail = format!("says {said}, read {} {currency}", major(read.abs(), currency));
                checks.push(Check::new(what, held, detail));
            }
        };
        sum("credits", &self.summary.credits.1, self.credits.sum_minor);
        sum("debits", &self.summary.debits.1, self.debits.sum_minor);
        checks
    }
}

//! Money: a whole number of minor units in one currency. There are no floats here or anywhere near.

use std::fmt;

use crate::currency::Currency;

/// A signed count of minor units (kuruş, cents, fils, yen) without its currency.
pub type Minor = i64;

/// An amount: minor units and their currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor: Minor,
    pub currency: Currency,
}

/// Why a text is not an amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("an amount is a plain decimal number such as 10.50")]
    NotDecimal,
    #[error("{currency} has {allowed} decimals, the amount has {found}")]
    TooManyDecimals {
        currency: Currency,
        allowed: u8,
        found: usize,
    },
    #[error("the amount is larger than can be kept")]
    TooLarge,
}

impl Money {
    pub const fn new(minor: Minor, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads major units as decimal text: `10.50`, `-3`, `0.001` (where the currency has three decimals).
    ///
    /// Strict on purpose: no white space, no `+`, no exponent, no grouping, no missing digit on either side
    /// of the point, and never rounded. Trailing zeros beyond the currency's decimals are refused as well:
    /// `10.500` TRY is a mistake somewhere, and the caller should hear of it.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = match digits.split_once('.') {
            Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
            Some(_) => return Err(AmountError::NotDecimal),
            None => (digits, ""),
        };
        if whole.is_empty()
            || !whole
                .bytes()
                .chain(decimals.bytes())
                .all(|it| it.is_ascii_digit())
        {
            return Err(AmountError::NotDecimal);
        }
        let allowed = currency.exponent();
        if decimals.len() > usize::from(allowed) {
            return Err(AmountError::TooManyDecimals {
                currency,
                allowed,
                found: decimals.len(),
            });
        }
        let padding = usize::from(allowed) - decimals.len();
        let mut minor: i64 = 0;
        for digit in whole
            .bytes()
            .chain(decimals.bytes())
            .chain(std::iter::repeat_n(b'0', padding))
        {
            let signed = if negative {
                -i64::from(digit - b'0')
            } else {
                i64::from(digit - b'0')
            };
            minor = minor
                .checked_mul(10)
                .and_then(|it| it.checked_add(signed))
                .ok_or(AmountError::TooLarge)?;
        }
        Ok(Self { minor, currency })
    }

    /// Splits the amount into `shares` parts that sum to the whole.
    ///
    /// The rule for the remainder: every part gets the whole quotient (rounded towards zero), and the minor
    /// units that are left go one each to the first parts. 100.00 in 3 is 33.34, 33.33, 33.33.
    pub fn split(self, shares: std::num::NonZeroU32) -> Vec<Self> {
        let count = i64::from(shares.get());
        let (each, rest) = (self.minor / count, self.minor % count);
        (0..count)
            .map(|i| {
                Self::new(
                    each + if i < rest.abs() { rest.signum() } else { 0 },
                    self.currency,
                )
            })
            .collect()
    }

    /// The amount in major units as decimal text, with all the decimals of the currency: `10.50`.
    pub fn major(self) -> String {
        major(i128::from(self.minor), self.currency)
    }
}

/// A sum of minor units in major units; sums are wider than amounts.
pub fn major(minor: i128, currency: Currency) -> String {
    let exponent = usize::from(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    if exponent == 0 {
        return minor.to_string();
    }
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = exponent + 1);
    let (whole, decimals) = digits.split_at(digits.len() - exponent);
    format!("{sign}{whole}.{decimals}")
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, currency: Currency, expected: Result<i64, &str>) {
        let seen = Money::parse(text, currency);
        match expected {
            Ok(minor) => assert_eq!(seen, Ok(Money::new(minor, currency)), "{text}"),
            Err(part) => {
                let error = seen.expect_err(text).to_string();
                assert!(error.contains(part), "{text}: {error}");
            }
        }
    }

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        check("10.50", Currency::TRY, Ok(1050));
        check("10.5", Currency::TRY, Ok(1050));
        check("-3", Currency::TRY, Ok(-300));
        check("0.001", Currency::KWD, Ok(1));
        check("90071992547409.93", Currency::EUR, Ok(9_007_199_254_740_993));
        check("-92233720368547758.08", Currency::EUR, Ok(i64::MIN));
        check("92233720368547758.08", Currency::EUR, Err("larger"));
        check("10.5", Currency::JPY, Err("JPY has 0 decimals"));
        check("1.2345", Currency::KWD, Err("KWD has 3 decimals"));
        check("1.005", Currency::TRY, Err("TRY has 2 decimals"));
        for text in [
            "", "-", ".", "1.", ".5", "1e3", "1,234.56", " 10", "10 ", "+1", "NaN", "inf", "0x10", "1_0", "١",
        ] {
            check(text, Currency::TRY, Err("plain decimal"));
        }
    }

    #[test]
    fn a_hundred_splits_into_shares_that_sum_to_the_whole() {
        for shares in [3, 7, 11] {
            let parts = Money::new(10_000, Currency::TRY).split(NonZeroU32::new(shares).unwrap());
            assert_eq!(parts.iter().map(|it| it.minor).sum::<i64>(), 10_000);
            assert_eq!(parts.len(), shares as usize);
        }
        let thirds = Money::new(10_000, Currency::TRY).split(NonZeroU32::new(3).unwrap());
        assert_eq!(
            thirds.iter().map(|it| it.major()).collect::<Vec<_>>(),
            ["33.34", "33.33", "33.33"]
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(minor: i64) {
            for currency in [Currency::JPY, Currency::TRY, Currency::KWD] {
                let money = Money::new(minor, currency);
                prop_assert_eq!(Money::parse(&money.major(), currency), Ok(money));
            }
        }

        #[test]
        fn shares_differ_by_one_unit_at_most(minor: i64, shares in 1_u32..500) {
            let parts = Money::new(minor, Currency::TRY).split(NonZeroU32::new(shares).unwrap());
            let sum: i128 = parts.iter().map(|it| i128::from(it.minor)).sum();
            prop_assert_eq!(sum, i128::from(minor));
            let (low, high) = (parts.iter().map(|it| it.minor).min(), parts.iter().map(|it| it.minor).max());
            prop_assert!(high.unwrap() - low.unwrap() <= 1);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,40}") {
            let _ = Money::parse(&text, Currency::TRY);
        }
    }
}

//! ISO 4217 currencies with their exponent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A currency of ISO 4217 and the number of decimals its minor unit has (JPY 0, TRY 2, KWD 3).
///
/// Codes without a minor unit of their own (XAU, XDR, …) are refused: money that cannot be counted
/// in whole minor units cannot be kept exactly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// The text is no ISO 4217 currency that money can be kept in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an ISO 4217 currency code with a minor unit")]
pub struct UnknownCurrency(pub String);

impl Currency {
    pub const TRY: Self = Self {
        code: *b"TRY",
        exponent: 2,
    };
    pub const EUR: Self = Self {
        code: *b"EUR",
        exponent: 2,
    };
    pub const USD: Self = Self {
        code: *b"USD",
        exponent: 2,
    };
    pub const JPY: Self = Self {
        code: *b"JPY",
        exponent: 0,
    };
    pub const KWD: Self = Self {
        code: *b"KWD",
        exponent: 3,
    };

    /// The three-letter code, upper case.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("currency codes are ASCII")
    }

    /// How many decimals a major unit has.
    pub fn exponent(self) -> u8 {
        self.exponent
    }

    /// Minor units in one major unit.
    pub fn scale(self) -> i64 {
        10_i64.pow(u32::from(self.exponent))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    /// Reads an upper-case code; a lower-case one is refused, because a file that writes `try`
    /// has a reader of its own that says so.
    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency(text.chars().take(16).collect());
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        match &code {
            b"TRY" => return Ok(Self::TRY),
            b"EUR" => return Ok(Self::EUR),
            b"USD" => return Ok(Self::USD),
            _ => {}
        }
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(unknown());
        }
        let known = iso_currency::Currency::from_code(text).ok_or_else(unknown)?;
        let exponent = known
            .exponent()
            .and_then(|it| u8::try_from(it).ok())
            .ok_or_else(unknown)?;
        Ok(Self { code, exponent })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_iso_4217() {
        for (code, exponent) in [
            ("TRY", 2),
            ("EUR", 2),
            ("JPY", 0),
            ("KWD", 3),
            ("CLF", 4),
            ("GBP", 2),
        ] {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for text in ["", "TR", "try", "ABC", "XAU", "TRYY", "₺₺₺", "T Y"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }
}

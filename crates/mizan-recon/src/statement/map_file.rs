//! A map file: how one provider's delimited or NDJSON file names its columns, and how it writes numbers, times,
//! kinds and states. TOML; a key that nobody knows is an error with its line and column.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::NaiveTime;
use chrono::format::{Item, StrftimeItems};
use chrono_tz::Tz;
use encoding_rs::Encoding;
use mizan_core::Currency;
use serde::{Deserialize, Deserializer};

use crate::line::{LineKind, LineStatus};
use crate::toml_file::{self, FileError};

/// A map file as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FileMap {
    /// How the file as a whole is written.
    pub file: FileStyle,
    /// Which column holds what.
    pub columns: MappedColumns,
    /// Values of what the file has no column for.
    pub constant: Constants,
    /// Words of the file for kinds of rows, besides our own.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub kinds: BTreeMap<String, Word<LineKind>>,
    /// Words of the file for states, besides our own.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub statuses: BTreeMap<String, Word<LineStatus>>,
    /// Abbreviations of time zones that the file uses, such as `CST = "Asia/Shanghai"`.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub zones: BTreeMap<String, Word<Tz>>,
}

/// How the file as a whole is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FileStyle {
    /// What separates columns; found from the header where it is not declared.
    pub separator: Option<Separator>,
    /// `windows-1254`, `iso-8859-9`, `utf-16le`, or another name of the WHATWG encoding standard; UTF-8 otherwise.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub encoding: Option<FileEncoding>,
    /// Amounts are written `10,50`. Grouping is refused either way.
    pub decimal_comma: bool,
    /// Amounts are whole numbers of minor units: `1050` is 10.50 of a currency with two decimals.
    pub minor_units: bool,
    /// Zone of times that name none, by its IANA name. Of a time that occurs twice when clocks go back the
    /// earlier one is meant; one that never occurs is quarantined.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub time_zone: Option<Word<Tz>>,
    /// How times are written, as `strftime` says it: `%d.%m.%Y %H:%M:%S`. RFC 3339 and its local form otherwise.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub time_format: Option<TimeFormat>,
    /// A date without a time stands for the moment its business day begins: this time of the day before.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub cut_off: Option<CutOff>,
    pub signs: Signs,
}

impl Default for FileStyle {
    fn default() -> Self {
        Self {
            separator: None,
            encoding: None,
            decimal_comma: false,
            minor_units: false,
            time_zone: None,
            time_format: None,
            cut_off: None,
            signs: Signs::ByKind,
        }
    }
}

impl FileStyle {
    pub fn zone(&self) -> Tz {
        self.time_zone.map_or(Tz::UTC, |it| it.0)
    }
}

/// What separates columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Separator {
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ";")]
    Semicolon,
    #[serde(rename = "|")]
    Bar,
    #[serde(rename = "tab")]
    Tab,
}

impl Separator {
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Bar => b'|',
            Self::Tab => b'\t',
        }
    }
}

/// How the file writes the direction of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Signs {
    /// The kind of the row gives it: a refund of 10.00 is written `10.00`.
    #[default]
    ByKind,
    /// The sign does: what takes from the balance is written `-10.00`.
    Signed,
}

/// Which column holds what. Only what is named differently has to be declared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MappedColumns {
    pub event_id: String,
    pub reference: String,
    pub kind: String,
    pub amount: String,
    /// With `credit` instead of `amount`: what takes from the balance, without a sign.
    pub debit: Option<String>,
    /// With `debit` instead of `amount`: what adds to the balance.
    pub credit: Option<String>,
    pub fee: String,
    pub currency: String,
    pub status: String,
    pub occurred_at: String,
    pub payout_id: String,
    pub transaction_id: String,
}

impl Default for MappedColumns {
    fn default() -> Self {
        let [event_id, reference, kind, amount, fee] =
            ["provider_event_id", "provider_ref", "type", "amount", "fee"].map(str::to_owned);
        let [currency, status, occurred_at] = ["currency", "status", "occurred_at"].map(str::to_owned);
        let [payout_id, transaction_id] = ["payout_id", "transaction_id"].map(str::to_owned);
        Self {
            event_id,
            reference,
            kind,
            amount,
            debit: None,
            credit: None,
            fee,
            currency,
            status,
            occurred_at,
            payout_id,
            transaction_id,
        }
    }
}

/// Values of what the file has no column for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Constants {
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub kind: Option<Word<LineKind>>,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub currency: Option<Word<Currency>>,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub status: Option<Word<LineStatus>>,
}

/// A word of a fixed vocabulary; another one is an error where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<T>(pub T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEncoding(pub &'static Encoding);

impl<'de> Deserialize<'de> for FileEncoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        Encoding::for_label(label.as_bytes())
            .filter(|it| *it != encoding_rs::REPLACEMENT)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("'{label}' is no encoding that is known")))
    }
}

/// How times are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat(pub String);

impl<'de> Deserialize<'de> for TimeFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if StrftimeItems::new(&text).any(|it| matches!(it, Item::Error)) {
            let reason = format!("'{text}' is no format of a time, such as %d.%m.%Y %H:%M:%S");
            return Err(serde::de::Error::custom(reason));
        }
        Ok(Self(text))
    }
}

/// When a business day ends, in the file's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutOff(pub NaiveTime);

impl<'de> Deserialize<'de> for CutOff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ["%H:%M:%S", "%H:%M"]
            .into_iter()
            .find_map(|it| NaiveTime::parse_from_str(&text, it).ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is no time of day, such as 23:00")))
    }
}

impl FileMap {
    /// Reads a map file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let map: Self = toml_file::parse(text)?;
        if map.columns.debit.is_some() != map.columns.credit.is_some() {
            let reason = "columns.debit and columns.credit are declared together or not at all".to_owned();
            return Err(FileError::Whole { reason });
        }
        Ok(map)
    }

    /// Every column that is read, where the file has it.
    pub(super) fn names(&self) -> Vec<&str> {
        let it = &self.columns;
        let mut names = vec![
            it.event_id.as_str(),
            &it.reference,
            &it.kind,
            &it.fee,
            &it.currency,
            &it.status,
            &it.occurred_at,
            &it.payout_id,
            &it.transaction_id,
        ];
        match (&it.debit, &it.credit) {
            (Some(debit), Some(credit)) => names.extend([debit.as_str(), credit]),
            _ => names.push(&it.amount),
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_map_is_named_with_its_line_and_column() {
        let check = |text: &str, parts: &[&str]| {
            let error = FileMap::parse(text).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{text}: {error}: no {part}");
            }
        };
        check("[file]\nseperator = \";\"\n", &["line 2, column 1", "seperator"]);
        check("[file]\nseparator = \"x\"\n", &["line 2", "x"]);
        check("[file]\n  time_zone = \"Mars/Base\"\n", &["line 2, column 15"]);
        check("[file]\nencoding = \"ebcdic\"\n", &["line 2", "no encoding"]);
        check(
            "[file]\ntime_format = \"%Q\"\n",
            &["line 2", "no format of a time"],
        );
        check("[file]\ncut_off = \"25:00\"\n", &["line 2", "no time of day"]);
        check(
            "[kinds]\nSale = \"sale\"\n",
            &["line 2, column 8", "'sale' is no kind of row"],
        );
        check("[constant]\ncurrency = \"try\"\n", &["line 2", "ISO 4217"]);
        check("[columns]\ndebit = \"D\"\n", &["columns.credit"]);
        check("[file\n", &["line 1"]);
        check(&"#".repeat(2 << 20), &["larger than"]);
        assert_eq!(FileMap::parse("").unwrap(), FileMap::default());
    }
}

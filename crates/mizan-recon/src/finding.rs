//! What a run found: one kind of disagreement about one event, with both rows and the reason.

use std::fmt;
use std::str::FromStr;

use crate::line::{Line, LineKind};

/// A word that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is no {what}; known: {known}")]
pub struct UnknownWord {
    pub what: &'static str,
    pub word: String,
    pub known: String,
}

impl UnknownWord {
    pub(crate) fn new(what: &'static str, word: &str, known: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            what,
            word: word.chars().take(40).collect(),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        }
    }
}

/// The kinds of disagreement. The names are stored, shown and part of a finding's unique key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingType {
    /// The provider has the row, the ledger does not.
    MissingInLedger,
    /// The ledger has the row, the provider does not.
    MissingInPsp,
    AmountMismatch,
    /// Different currencies are never compared any further.
    CurrencyMismatch,
    StatusMismatch,
    DuplicateInPsp,
    DuplicateInLedger,
    /// Only where both sides carry a fee.
    FeeMismatch,
    /// Several candidates that nothing tells apart; never a guess.
    AmbiguousMatch,
    /// Bank leg: a payout batch without its credit on the bank statement.
    MissingInBank,
    /// Bank leg: the batch and its bank credit differ.
    PayoutMismatch,
}

impl FindingType {
    pub const ALL: [Self; 11] = [
        Self::MissingInLedger,
        Self::MissingInPsp,
        Self::AmountMismatch,
        Self::CurrencyMismatch,
        Self::StatusMismatch,
        Self::DuplicateInPsp,
        Self::DuplicateInLedger,
        Self::FeeMismatch,
        Self::AmbiguousMatch,
        Self::MissingInBank,
        Self::PayoutMismatch,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingInLedger => "missing_in_ledger",
            Self::MissingInPsp => "missing_in_psp",
            Self::AmountMismatch => "amount_mismatch",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::StatusMismatch => "status_mismatch",
            Self::DuplicateInPsp => "duplicate_in_psp",
            Self::DuplicateInLedger => "duplicate_in_ledger",
            Self::FeeMismatch => "fee_mismatch",
            Self::AmbiguousMatch => "ambiguous_match",
            Self::MissingInBank => "missing_in_bank",
            Self::PayoutMismatch => "payout_mismatch",
        }
    }
}

impl FromStr for FindingType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| UnknownWord::new("finding type", text, Self::ALL.map(Self::as_str)))
    }
}

impl fmt::Display for FindingType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much a finding matters; ordered, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warn,
    Error,
    Critical,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Info, Self::Warn, Self::Error, Self::Critical];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

impl FromStr for Severity {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| UnknownWord::new("severity", text, Self::ALL.map(Self::as_str)))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One disagreement. `(event_id, finding_type)` is unique within the result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub finding_type: FindingType,
    pub severity: Severity,
    /// The provider's event id, or `row_…`, made from source, key and content, where the row has none.
    pub event_id: String,
    pub reference: Option<String>,
    pub kind: LineKind,
    /// The provider's row; of several, the first.
    pub statement: Option<Line>,
    /// The ledger's row; of several, the first.
    pub ledger: Option<Line>,
    pub why: Why,
}

/// Why a finding was made. `Display` renders it for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The leg of the plan that decided.
    pub rule: Leg,
    /// The key both sides were looked up by, such as `event_id=evt_1`.
    pub key: String,
    /// What was seen, in words.
    pub detail: String,
    /// Statement minus ledger, as effect on the balance, in minor units: an excess is positive, a shortage
    /// negative. None where the sides cannot be subtracted.
    pub difference_minor: Option<i128>,
    /// `row_no` of every statement row that this finding speaks of, ascending.
    pub statement_rows: Vec<u64>,
    /// `row_no` of every ledger row that this finding speaks of, ascending.
    pub ledger_rows: Vec<u64>,
}

/// A leg of the matching plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// The same event id on both sides.
    EventId,
    /// The same reference and kind, where a row has no event id.
    Reference,
    /// Neither id nor reference: there is nothing to match by.
    Keyless,
    /// A leg of the provider's rule file; the key names it.
    Rule,
}

impl Leg {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventId => "event_id",
            Self::Reference => "reference_and_kind",
            Self::Keyless => "no_key",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.rule.as_str(), self.key, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_words_read_back() {
        for it in FindingType::ALL {
            assert_eq!(it.to_string().parse(), Ok(it));
        }
        for it in Severity::ALL {
            assert_eq!(it.to_string().parse(), Ok(it));
        }
        assert!("amount".parse::<FindingType>().is_err());
        assert!(
            "info".parse::<Severity>().is_err(),
            "the stored words are upper case"
        );
    }
}

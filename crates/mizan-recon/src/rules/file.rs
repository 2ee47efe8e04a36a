//! A rule file: what counts as the same for one provider. TOML; a key that nobody knows is an error with its line
//! and column, and without a file everything has to agree exactly.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::TimeDelta;
use mizan_core::{Currency, TimeWindow};
use serde::Deserialize;

use super::Rules;
use crate::bank::leg::{BankRules, MatchBy};
use crate::finding::{FindingType, Severity};
use crate::legs::{self, Key, LegRule, Shape, SumOf, Tolerance};
use crate::statement::map_file::Word;
use crate::toml_file::{self, FileError};

/// The most legs of one file.
const MOST_LEGS: usize = 32;
/// The longest settlement lag, in hours: 30 days, as of a schedule.
const LONGEST_LAG_HOURS: u32 = 30 * 24;
/// The most days that a leg looks around.
const MOST_WINDOW_DAYS: u32 = 366;
/// The widest tolerance, in basis points.
const MOST_BASIS_POINTS: u32 = 5_000;

/// A rule file as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RuleFile {
    /// Whose rules these are; for people.
    pub provider: Option<String>,
    /// How far amounts of a pair may differ, in minor units per currency; exactly this much still matches.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, u64>"))]
    pub tolerance: BTreeMap<Currency, u64>,
    /// The same for fees.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, u64>"))]
    pub fee_tolerance: BTreeMap<Currency, u64>,
    /// How many hours later than the ledger the provider may have a row, at most 720. A row that only the ledger has is
    /// judged by the run whose window holds its time plus this; a schedule asks no earlier than this after a window's end.
    pub settlement_lag_hours: u32,
    /// `INFO`, `WARN`, `ERROR` or `CRITICAL` per type of finding.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
    pub severity: BTreeMap<Word<FindingType>, Word<Severity>>,
    /// Ways to match what the exact comparison leaves over, in this order.
    pub leg: Vec<LegEntry>,
    pub bank: BankEntry,
}

/// A way to match what is left over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LegEntry {
    pub name: String,
    /// How many rows of each side belong together.
    #[serde(default)]
    pub rows: Shape,
    /// What has to be equal, besides currency and status: `reference`, or `payout_id=reference` where the statement
    /// has it in one place and the ledger in another.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub keys: Vec<Word<Key>>,
    /// How many days both sides may be apart, at most 366.
    #[serde(default = "week")]
    pub window_days: u32,
    /// How far amounts, or sums, may differ in minor units; exactly this much still matches.
    pub tolerance_minor: Option<u64>,
    /// The same in hundredths of a percent of the ledger's amount, rounded half to even.
    pub tolerance_bps: Option<u32>,
    /// Whether fees are taken off before amounts are summed.
    #[serde(default)]
    pub sum: SumOf,
}

fn week() -> u32 {
    7
}

/// How payouts are compared with the bank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BankEntry {
    /// `reference`, `amount`, in the order in which they are tried. Default: both.
    pub match_by: Option<Vec<MatchBy>>,
    /// Default 0.
    pub tolerance_minor: Option<u64>,
    /// A payout reaches the bank this many days after its last row at the latest. Default 7.
    pub window_days: Option<u32>,
    /// Until this many days have passed, a payout that is not at the bank yet is no finding. Default 3.
    pub settlement_lag_days: Option<u32>,
    /// Only bank lines that contain one of these words are the provider's.
    pub only_lines_with: Vec<String>,
}

/// The rules of a match, of all its parts.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    pub rules: Rules,
    pub settlement_lag: TimeDelta,
    pub legs: Vec<LegRule>,
    pub bank: BankRules,
}

impl RuleSet {
    /// The rules of a run over a window: with the settlement lag, and with what the legs have to see around it.
    pub fn over(&self, window: TimeWindow, margin: TimeDelta) -> Rules {
        self.rules
            .clone()
            .with_window(window, self.settlement_lag, margin)
            .with_reach(legs::reach(&self.legs))
    }
}

impl RuleFile {
    /// Reads a rule file.
    pub fn parse(text: &str) -> Result<RuleSet, FileError> {
        let file: Self = toml_file::parse(text)?;
        let whole = |reason: String| FileError::Whole { reason };
        if file.leg.len() > MOST_LEGS {
            return Err(whole(format!("more than {MOST_LEGS} legs")));
        }
        if file.settlement_lag_hours > LONGEST_LAG_HOURS {
            return Err(whole(format!(
                "settlement_lag_hours is at most {LONGEST_LAG_HOURS}"
            )));
        }
        let settlement_lag = TimeDelta::hours(i64::from(file.settlement_lag_hours));
        let mut rules = Rules::default();
        for (currency, minor) in file.tolerance {
            rules = rules.with_tolerance(currency, minor);
        }
        for (currency, minor) in file.fee_tolerance {
            rules = rules.with_fee_tolerance(currency, minor);
        }
        for (finding_type, severity) in file.severity {
            rules = rules.with_severity(finding_type.0, severity.0);
        }
        let mut legs: Vec<LegRule> = Vec::new();
        for entry in file.leg {
            let name = entry.name.clone();
            if legs.iter().any(|it| it.name == name) {
                return Err(whole(format!("two legs are named '{name}'")));
            }
            legs.push(
                entry
                    .rule()
                    .map_err(|reason| whole(format!("leg '{name}': {reason}")))?,
            );
        }
        let bank = file.bank.rules().map_err(whole)?;
        Ok(RuleSet {
            rules,
            settlement_lag,
            legs,
            bank,
        })
    }
}

impl LegEntry {
    fn rule(self) -> Result<LegRule, String> {
        let tolerance = match (self.tolerance_minor, self.tolerance_bps) {
            (Some(_), Some(_)) => return Err("tolerance_minor and tolerance_bps: one of the two".to_owned()),
            (_, Some(points)) if points > MOST_BASIS_POINTS => {
                return Err(format!("tolerance_bps is at most {MOST_BASIS_POINTS}"));
            }
            (_, Some(points)) => Tolerance::BasisPoints(points),
            (minor, None) => Tolerance::Minor(minor.unwrap_or_default()),
        };
        if self.window_days > MOST_WINDOW_DAYS {
            return Err(format!("window_days is at most {MOST_WINDOW_DAYS}"));
        }
        let keys: Vec<Key> = self.keys.into_iter().map(|it| it.0).collect();
        if keys.is_empty() && self.rows != Shape::OneToOne {
            return Err("rows that are summed need a key, such as payout_id".to_owned());
        }
        if self.name.is_empty() || self.name.len() > 64 {
            return Err("a name has 1 to 64 characters".to_owned());
        }
        Ok(LegRule {
            name: self.name,
            shape: self.rows,
            keys,
            window_days: self.window_days,
            tolerance,
            sum: self.sum,
        })
    }
}

impl BankEntry {
    fn rules(self) -> Result<BankRules, String> {
        if self.only_lines_with.iter().any(|it| it.trim().is_empty()) {
            return Err("bank.only_lines_with: an empty word is in every line".to_owned());
        }
        let default = BankRules::default();
        Ok(BankRules {
            tolerance_minor: self.tolerance_minor.unwrap_or(default.tolerance_minor),
            window_days: self.window_days.unwrap_or(default.window_days),
            settlement_lag_days: self.settlement_lag_days.unwrap_or(default.settlement_lag_days),
            match_by: self.match_by.unwrap_or(default.match_by),
            only_lines_with: self.only_lines_with,
        })
    }
}

impl FromStr for Key {
    type Err = crate::finding::UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (statement, ledger) = text.split_once('=').unwrap_or((text, text));
        Ok(Self {
            statement: statement.trim().parse()?,
            ledger: ledger.trim().parse()?,
        })
    }
}

#[cfg(test)]
mod tests;

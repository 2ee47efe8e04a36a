//! Compares the two rows of a pair, and words what it finds. Pure; every engine decides with this.

use mizan_core::money::major;
use sha2::{Digest, Sha256};

use crate::engine::Side;
use crate::finding::{Finding, FindingType, Leg, Why};
use crate::line::Line;
use crate::rules::Rules;

/// The rows a finding speaks of: the first of each side, and the places of all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rows<'a> {
    pub statement: &'a [&'a Line],
    pub ledger: &'a [&'a Line],
}

/// Makes findings for one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub rules: &'a Rules,
    /// Names of both sides, for rows that have no event id of their own.
    pub statement_name: &'a str,
    pub ledger_name: &'a str,
}

impl Judge<'_> {
    /// Everything a pair disagrees about; nothing where it matches.
    pub(crate) fn pair(&self, leg: Leg, statement: &Line, ledger: &Line) -> Vec<Finding> {
        let (one, other) = ([statement], [ledger]);
        let rows = Rows {
            statement: &one,
            ledger: &other,
        };
        let mut found = Vec::new();
        let mut find = |finding_type, detail, difference| {
            found.push(self.finding(finding_type, leg, rows, detail, difference));
        };
        if statement.currency != ledger.currency {
            let detail = format!("statement {}, ledger {}", statement.currency, ledger.currency);
            find(FindingType::CurrencyMismatch, detail, None);
            return found;
        }
        let currency = statement.currency;
        if statement.status != ledger.status {
            let detail = format!("statement {}, ledger {}", statement.status, ledger.status);
            find(FindingType::StatusMismatch, detail, None);
        }
        let differs = |one: i128, other: i128, tolerance: u64| {
            let difference = one - other;
            (difference.unsigned_abs() > u128::from(tolerance)).then(|| {
                let [one, other, by, allowed] =
                    [one, other, difference, i128::from(tolerance)].map(|it| major(it, currency));
                let detail =
                    format!("statement {one}, ledger {other} {currency}: {by} apart, {allowed} allowed");
                (detail, difference)
            })
        };
        let (ours, theirs) = (ledger.effect_minor(), statement.effect_minor());
        if let Some((detail, difference)) = differs(theirs, ours, self.rules.tolerance(currency)) {
            let kinds = if statement.kind == ledger.kind {
                String::new()
            } else {
                format!("; statement {}, ledger {}", statement.kind, ledger.kind)
            };
            find(FindingType::AmountMismatch, detail + &kinds, Some(difference));
        }
        if let (Some(theirs), Some(ours)) = (statement.fee_minor, ledger.fee_minor)
            && let Some((detail, difference)) = differs(
                i128::from(theirs),
                i128::from(ours),
                self.rules.fee_tolerance(currency),
            )
        {
            find(FindingType::FeeMismatch, detail, Some(difference));
        }
        found
    }

    /// A row without a partner.
    pub(crate) fn missing(&self, leg: Leg, side: Side, line: &Line) -> Finding {
        let row = [line];
        let amount = |effect| format!("{} {}", major(effect, line.currency), line.currency);
        let (finding_type, rows, detail, difference) = match side {
            Side::Statement => (
                FindingType::MissingInLedger,
                Rows {
                    statement: &row,
                    ledger: &[],
                },
                format!("only the statement has it: {}", amount(line.effect_minor())),
                line.effect_minor(),
            ),
            Side::Ledger => (
                FindingType::MissingInPsp,
                Rows {
                    statement: &[],
                    ledger: &row,
                },
                format!("only the ledger has it: {}", amount(line.effect_minor())),
                -line.effect_minor(),
            ),
        };
        Finding {
            severity: self.rules.severity_of_missing(finding_type, line),
            ..self.finding(finding_type, leg, rows, detail, Some(difference))
        }
    }

    /// Several rows of one side under one key; `rows` holds them all, the one that is kept first.
    pub(crate) fn duplicate(&self, leg: Leg, side: Side, rows: &[&Line]) -> Finding {
        let detail = format!("{} rows under one key; the first is matched", rows.len());
        let (finding_type, rows) = match side {
            Side::Statement => (
                FindingType::DuplicateInPsp,
                Rows {
                    statement: rows,
                    ledger: &[],
                },
            ),
            Side::Ledger => (
                FindingType::DuplicateInLedger,
                Rows {
                    statement: &[],
                    ledger: rows,
                },
            ),
        };
        self.finding(finding_type, leg, rows, detail, None)
    }

    /// Candidates that nothing tells apart.
    pub(crate) fn ambiguous(&self, rows: Rows<'_>) -> Finding {
        let detail = format!(
            "{} statement and {} ledger rows could be each other's partners",
            rows.statement.len(),
            rows.ledger.len()
        );
        self.finding(FindingType::AmbiguousMatch, Leg::Reference, rows, detail, None)
    }

    fn finding(
        &self,
        finding_type: FindingType,
        rule: Leg,
        rows: Rows<'_>,
        detail: String,
        difference_minor: Option<i128>,
    ) -> Finding {
        let (statement, ledger) = (rows.statement.first().copied(), rows.ledger.first().copied());
        let first = statement
            .or(ledger)
            .expect("a finding speaks of at least one row");
        // Of several candidates on the other side none lends its id: that would be a guess.
        let partner = match rows.ledger {
            [only] => only.event_id(),
            _ => None,
        };
        let event_id = first.event_id().or(partner).map_or_else(
            || {
                let source = if statement.is_some() {
                    self.statement_name
                } else {
                    self.ledger_name
                };
                made_up_id(source, first)
            },
            str::to_owned,
        );
        let numbers = |rows: &[&Line]| {
            let mut numbers: Vec<u64> = rows.iter().map(|it| it.row_no).collect();
            numbers.sort_unstable();
            numbers
        };
        Finding {
            finding_type,
            severity: self.rules.severity(finding_type),
            event_id,
            reference: [statement, ledger]
                .into_iter()
                .flatten()
                .find_map(Line::reference)
                .map(str::to_owned),
            kind: first.kind,
            statement: statement.cloned(),
            ledger: ledger.cloned(),
            why: Why {
                rule,
                key: key_text(rule, first),
                detail,
                difference_minor,
                statement_rows: numbers(rows.statement),
                ledger_rows: numbers(rows.ledger),
            },
        }
    }
}

fn key_text(leg: Leg, line: &Line) -> String {
    match leg {
        Leg::EventId => format!("event_id={}", line.event_id().unwrap_or_default()),
        Leg::Reference => format!(
            "reference={} kind={}",
            line.reference().unwrap_or_default(),
            line.kind
        ),
        Leg::Keyless | Leg::Rule => "none".to_owned(),
    }
}

/// A stable event id of a row that has none, from its source, key and content; not from its place, so
/// that the same file in another order gives the same id.
fn made_up_id(source: &str, line: &Line) -> String {
    let mut hash = Sha256::new();
    hash_text(&mut hash, source);
    hash_line(&mut hash, line);
    format!("row_{}", hex(&hash.finalize()[..16]))
}

/// A text with its length before it, so that no two lists of texts look alike.
pub(crate) fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// What a row says, without where it stands.
pub(crate) fn hash_line(hash: &mut Sha256, line: &Line) {
    for text in [
        line.event_id(),
        line.reference(),
        line.payout_id(),
        line.transaction_id(),
    ] {
        hash_text(hash, text.unwrap_or_default());
    }
    for word in [line.kind.as_str(), line.status.as_str(), line.currency.code()] {
        hash_text(hash, word);
    }
    hash.update(line.amount_minor.to_le_bytes());
    hash.update([u8::from(line.fee_minor.is_some())]);
    hash.update(line.fee_minor.unwrap_or_default().to_le_bytes());
    hash.update(line.occurred_at.timestamp_micros().to_le_bytes());
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
